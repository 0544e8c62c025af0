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
    public void A_block_gradient_check(int batch, int tokens, int heads, bool norms, bool checkpoints)
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
        };
        using var rope = new RopeTable(device, Side, Side, Width / heads);
        using var parameters = new ParameterSet(device, seed: 1);
        var block = new TransformerBlock(parameters, "b", BlockParts.Of(ModelPart.Middle), configuration, rope);
        var random = new Random(2);
        foreach (Parameter parameter in parameters.All)
            parameter.Value.CopyFrom<float>(OperationTest.Randoms(random, parameter.Value.Shape, 0.25, parameter.Name.Contains("norm", StringComparison.Ordinal) ? 1 : 0));
        using Tensor x = device.From(new Shape(batch, tokens, Width), OperationTest.Randoms(random, new Shape(batch, tokens, Width)));
        using Tensor conditioning = device.From(new Shape(batch, Width), OperationTest.Randoms(random, new Shape(batch, Width)));
        using Tensor ids = device.From(new Shape(batch, tokens), TokenDropTests.KeptIds(batch, Side * Side, tokens));
        Tensor places = ids;
        GradientCheckResult result = GradientCheck.Run(
            (tape, given) => block.Apply(tape, given[0], new BlockConditioning(given[1]), places),
            [x, conditioning, .. parameters.All.Select(parameter => parameter.Value)],
            new GradientCheckSettings { Elements = 12 });
        Assert.That(result.Passes, result.ToString());
        Assert.That(result.Worst, Has.Count.EqualTo(norms ? 14 : 12));
    }

    [Test]
    public void A_model_gradient_check([Values] DropKind kind)
    {
        using var device = new CpuDevice { PoisonsMemory = true };
        ModelConfiguration configuration = TinyModel.Configuration with { ContextSize = 8, HiddenSize = 24, TrainMaskToken = true };
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
}
