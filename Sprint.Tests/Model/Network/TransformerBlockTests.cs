using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Tests.Engine;
using Sprint.Tests.Engine.Operations;

namespace Sprint.Tests.Model.Network;

/// <summary>Gradients of a whole block, and of the whole model, against differences of their own forward pass.</summary>
[TestFixture]
public sealed class TransformerBlockTests
{
    [TestCase(1, 16, 2, true, false)]
    [TestCase(2, 7, 1, true, true)]
    [TestCase(2, 17, 2, false, true)]
    [TestCase(1, 16, 2, true, false, true, false)]
    [TestCase(2, 17, 2, false, true, true, false)]
    [TestCase(2, 7, 1, true, false, false, true)]
    [TestCase(3, 5, 2, false, true, true, true)]
    public void A_block_gradient_check(int batch, int tokens, int heads, bool norms, bool checkpoints, bool swiGlu = false, bool lora = false)
    {
        const int Width = 24, Side = 5;
        using var device = new CpuDevice { PoisonsMemory = true };
        var configuration = new ModelConfiguration
        {
            HiddenSize = Width,
            NumHeads = heads,
            QNorm = norms ? "RMSNorm" : null,
            KNorm = norms ? "RMSNorm" : null,
            UseCheckpoint = checkpoints,
            UseSwiglu = swiGlu,
            AdalnType = lora ? "lora" : "normal",
            AdalnLoraDim = lora ? 5 : null,
        };
        using var rope = new RopeTable(device, Side, Side, Width / heads);
        using var parameters = new ParameterSet(device, seed: 1);
        var block = new TransformerBlock(parameters, "b", BlockParts.Of(ModelPart.Middle), configuration, rope);
        var random = new Random(2);
        foreach (Parameter parameter in parameters.All)
            parameter.Value.CopyFrom<float>(OperationTest.Randoms(random, parameter.Value.Shape, 0.25, parameter.Name.Contains("norm", StringComparison.Ordinal) ? 1 : 0));
        using Tensor x = device.From(new Shape(batch, tokens, Width), OperationTest.Randoms(random, new Shape(batch, tokens, Width)));
        using Tensor conditioning = device.From(new Shape(batch, Width), OperationTest.Randoms(random, new Shape(batch, Width)));
        using Tensor shared = lora ? device.From(new Shape(batch, 6 * Width), OperationTest.Randoms(random, new Shape(batch, 6 * Width), 0.5)) : default;
        using Tensor ids = device.From(new Shape(batch, tokens), TokenDropTests.KeptIds(batch, Side * Side, tokens));
        Tensor places = ids;
        GradientCheckResult result = GradientCheck.Run(
            (tape, given) => block.Apply(tape, given[0], new BlockConditioning(given[1], lora ? given[2] : default), places),
            [x, conditioning, .. lora ? [shared] : Array.Empty<Tensor>(), .. parameters.All.Select(parameter => parameter.Value)],
            new GradientCheckSettings { Elements = 12 });
        Assert.That(result.Passes, result.ToString());
        Assert.That(result.Worst, Has.Count.EqualTo((norms ? 14 : 12) + (swiGlu ? 2 : 0) + (lora ? 3 : 0)));
    }

    [Test]
    public void A_model_gradient_check([Values] DropKind kind, [Values] bool other)
    {
        using var device = new CpuDevice { PoisonsMemory = true };
        ModelConfiguration configuration = (other ? TinyModel.SwiGluAndLora : TinyModel.Configuration) with { ContextSize = 8, HiddenSize = 24, TrainMaskToken = true };
        using SprintTransformer model = TinyModel.Build(device, configuration);
        using Tensor image = device.From(new Shape(2, 3, 8, 8), TinyModel.Images(configuration, 2));
        using Tensor times = device.From(new Shape(2), (float[])[0.3f, 0.8f]);
        using Tensor labels = device.From(new Shape(2), (int[])[1, 5]);
        using Tensor paths = device.From(new Shape(2), (int[])[0, 1]);
        using Tensor ids = kind == DropKind.None ? default : device.From(new Shape(2, 4), TokenDropTests.KeptIds(2, 16, 4));
        var selection = new TokenSelection(ids, paths, false);
        (Tensor at, Tensor classes) = (times, labels);
        Tensor[] inputs = [image, .. model.Parameters.All.Select(parameter => parameter.Value)];
        GradientCheckResult result = GradientCheck.Run(
            (tape, given) => model.Forward(tape, given[0], at, classes, selection), inputs, new GradientCheckSettings { Elements = 3 });
        Assert.That(result.Passes, result.ToString());
    }

    [Test]
    public void Modulation_and_what_blocks_share_of_it_must_fit_each_other([Values] bool lora)
    {
        using var device = new DryRunDevice();
        using var parameters = new ParameterSet(device, seed: 1);
        var modulation = new BlockModulation(parameters, "b", lora ? TinyModel.SwiGluAndLora : TinyModel.Configuration);
        Tensor activated = device.Allocate(new Shape(2, 48)), shared = device.Allocate(new Shape(2, 288));
        Assert.That(
            () => modulation.Apply(null, new BlockConditioning(activated, lora ? default : shared)),
            Throws.ArgumentException.With.Message.StartsWith(lora ? "modulation: layers of low rank need the shared term" : "modulation: a layer of full rank has no shared term"));
        Assert.That(modulation.Apply(null, new BlockConditioning(activated, lora ? shared : default)).Shape, Is.EqualTo(new Shape(2, 288)));
    }

    /// <summary>The reference's names, in its order; the layers that end a branch or a modulation are zero in a fresh model.</summary>
    [Test]
    public void Parameters_of_SwiGLU_and_modulation_of_low_rank_are_the_reference_s()
    {
        using var device = new CpuDevice(threads: 1);
        using var model = new SprintTransformer(device, TinyModel.SwiGluAndLora);
        string[] names = [.. model.Parameters.All.Select(static parameter => $"{parameter.Name} {parameter.Value.Shape}")];
        Assert.That(names.SkipWhile(static name => !name.StartsWith("global", StringComparison.Ordinal)).Take(18), Is.EqualTo(new[]
        {
            "global_adaLN_modulation.1.weight [288, 48]", "global_adaLN_modulation.1.bias [288]",
            "encoder_blocks.0.attn.qkv.weight [144, 48]", "encoder_blocks.0.attn.qkv.bias [144]", "encoder_blocks.0.attn.q_norm.weight [24]",
            "encoder_blocks.0.attn.k_norm.weight [24]", "encoder_blocks.0.attn.proj.weight [48, 48]", "encoder_blocks.0.attn.proj.bias [48]",
            "encoder_blocks.0.mlp.fc1_g.weight [128, 48]", "encoder_blocks.0.mlp.fc1_g.bias [128]", "encoder_blocks.0.mlp.fc1_x.weight [128, 48]",
            "encoder_blocks.0.mlp.fc1_x.bias [128]", "encoder_blocks.0.mlp.fc2.weight [48, 128]", "encoder_blocks.0.mlp.fc2.bias [48]",
            "encoder_blocks.0.adaLN_modulation.1.weight [6, 48]", "encoder_blocks.0.adaLN_modulation.1.bias [6]",
            "encoder_blocks.0.adaLN_modulation.2.weight [288, 6]", "encoder_blocks.0.adaLN_modulation.2.bias [288]",
        }));
        foreach (Parameter parameter in model.Parameters.All.Where(static parameter => parameter.Name.Contains("mlp", StringComparison.Ordinal) || parameter.Name.Contains("adaLN", StringComparison.Ordinal)))
        {
            bool isDrawn = parameter.Name.Contains("mlp.", StringComparison.Ordinal) ? parameter.Name.EndsWith("weight", StringComparison.Ordinal)
                : parameter.Name.EndsWith("_blocks.0.adaLN_modulation.1.weight", StringComparison.Ordinal) || parameter.Name == "middle_blocks.1.adaLN_modulation.1.weight";
            float[] values = parameter.Value.ToArray();
            Assert.That(values.Any(static value => value != 0), Is.EqualTo(isDrawn), parameter.Name);
            if (isDrawn && parameter.Name.StartsWith("encoder_blocks", StringComparison.Ordinal))
            {
                double bound = Math.Sqrt(6.0 / (parameter.Value.Shape[0] + parameter.Value.Shape[1]));
                Assert.That(values.Max(Math.Abs), Is.InRange(0.95 * bound, bound), $"{parameter.Name}: Xavier-uniform");
            }
        }
    }

    [TestCase(true, 1152 * 4)]
    [TestCase(false, 3072)]
    public void The_hidden_layer_of_SwiGLU_is_as_wide_as_the_reference_has_it(bool large, int width)
    {
        ModelConfiguration model = ModelConfiguration.Named("XL") with { UseSwiglu = true, UseSwigluLarge = large };
        Assert.That(model.MlpWidth, Is.EqualTo(width));
        Assert.That((model with { HiddenSize = 40, UseSwigluLarge = false }).MlpWidth, Is.EqualTo(106), "160 * 2 / 3, rounded down");
        Assert.That((model with { UseSwiglu = false }).MlpWidth, Is.EqualTo(4608), "use_swiglu_large has no effect on its own");
    }
}
