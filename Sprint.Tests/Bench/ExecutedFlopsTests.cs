using NUnit.Framework;
using Sprint.Bench;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Tests.Bench;

/// <summary>What the kernels of a tiny model's training step execute on the emulated device, beside what is counted; docs/flops.md says why they differ.</summary>
[TestFixture(0.0, false)]
[TestFixture(0.75, false)]
[TestFixture(0.0, true)]
[TestFixture(0.75, true)]
internal sealed class ExecutedFlopsTests(double ratio, bool other)
{
    private const int Batch = 4;
    private const int Tile = 64;
    private const int Depth = 16;

    private ModelConfiguration Model { get; } = new()
    {
        UseSwiglu = other,
        AdalnType = other ? "lora" : "normal",
        AdalnLoraDim = other ? 16 : null,
        ContextSize = 16,
        PatchSize = 2,
        InChannels = 4,
        HiddenSize = 64,
        NumHeads = 2,
        EncoderDepth = 1,
        MiddleDepth = 1,
        DecoderDepth = 1,
    };

    private readonly Dictionary<string, long> executed = [];
    private Account account = null!;
    private DropPattern pattern = null!;

    private int Width => Model.HiddenSize;

    private int Rows => Batch * Model.Tokens;

    private int KeptRows => Batch * pattern.KeptTokens;

    [OneTimeSetUp]
    public void RunAStep()
    {
        pattern = ModelOptions.Pattern(Model, ratio);
        using var device = new CudaDevice(CudaContext.Emulated(launched: Count));
        using var network = new SprintTransformer(device, Model);
        using var optimizer = new AdamW(device, network.Parameters.All);
        using var step = new TrainingStep(network, optimizer, new LossConfiguration(), seed: 0);
        device.Synchronize();
        executed.Clear();
        account = device.Account;
        account.ResetOperations();
        step.Accumulate(new float[Batch * 4 * 16 * 16], new int[Batch], pattern, step: 0);
        step.Update(new AdamWSettings(1e-4, Step: 1), step: 0);
        device.Synchronize();
    }

    [Test]
    public void Products_of_the_weights_gradients_are_executed_exactly_as_counted_in_whole_tiles()
    {
        long products = Layers(hasPatchInput: true).Sum(layer => Product(layer.Outputs, layer.Inputs, layer.Rows));
        Assert.That(executed["matrix_product_backward_weight"], Is.EqualTo(products));
    }

    [Test]
    public void Products_of_the_inputs_gradients_are_executed_as_counted_with_the_activations_derivative_in_their_epilogues()
    {
        long products = Layers(hasPatchInput: false).Sum(layer => Product(layer.Rows, layer.Inputs, layer.Outputs));

        // Four modulation layers share SiLU(c), and what all blocks share is a fifth: all but the first add to its gradient. SwiGLU's two layers share their input.
        long additions = other ? (4 * Batch * Width) + (((2 * Rows) + KeptRows) * Width) : 3 * Batch * Width;
        long derivatives = account.Total(key => key.Pass == ComputePass.Backward && key.Operation is "linear activation" or "swiglu").VectorFlops;
        Assert.That(executed["matrix_product_backward_input"] - products - additions, Is.InRange(0, 2 * derivatives));
    }

    [Test]
    public void Forward_products_are_executed_as_counted_with_bias_and_activation_in_their_epilogues()
    {
        long products = Layers(hasPatchInput: true).Sum(layer => Product(layer.Rows, layer.Outputs, layer.Inputs));
        long counted = account.Total(key => key.Pass == ComputePass.Forward && key.Operation is "linear" or "swiglu" or "residual fusion").VectorFlops;
        Assert.That(executed["matrix_product_forward"] - products, Is.InRange(counted / 2, 2 * counted));
    }

    [Test]
    public void Attention_executes_two_products_forward_and_seven_backward_where_five_are_counted()
    {
        // Each block in whole tiles of 64 tokens, which is what the dense blocks have.
        long product = 3 * 2L * Batch * Tile * Tile * Width;
        AccountTotal counted = account.Total(key => key.Operation == "attention");
        Assert.That(counted.MatrixFlops, ratio == 0 ? Is.EqualTo(7 * product) : Is.LessThan(7 * product));
        Assert.That(executed["attention_forward"], Is.InRange(2 * product, 2.5 * product));
        Assert.That(executed["attention_backward_dkv"], Is.InRange(4 * product, 4.7 * product));
        Assert.That(executed["attention_backward_dq"], Is.InRange(3 * product, 3.7 * product));
    }

    [Test]
    public void The_rest_of_the_step_takes_between_one_and_two_and_a_half_times_what_is_counted()
    {
        long products = Layers(true).Sum(layer => Product(layer.Outputs, layer.Inputs, layer.Rows) + Product(layer.Rows, layer.Outputs, layer.Inputs))
            + Layers(false).Sum(layer => Product(layer.Rows, layer.Inputs, layer.Outputs)) + (9 * 3 * 2L * Batch * Tile * Tile * Width);
        double extras = executed.Values.Sum() - products;
        Assert.That(extras / account.Total().VectorFlops, Is.InRange(1, 2.5));
    }

    private void Count(LaunchStatistics launch) => executed[launch.Kernel] =
        executed.GetValueOrDefault(launch.Kernel) + launch.SingleFlops + launch.DoubleFlops + launch.HalfFlops + launch.TensorFlops;

    /// <summary>The linear layers of the model, and both halves of the fusion; where the input's gradient is not wanted, only for weights.</summary>
    private IEnumerable<(int Rows, int Inputs, int Outputs)> Layers(bool hasPatchInput)
    {
        foreach (int rows in new[] { Rows, KeptRows, Rows })
        {
            if (other)
            {
                yield return (Batch, Width, 16);
                yield return (Batch, 16, 6 * Width);
                yield return (rows, Width, Model.MlpWidth);
            }
            else
            {
                yield return (Batch, Width, 6 * Width);
            }

            yield return (rows, Width, 3 * Width);
            yield return (rows, Width, Width);
            yield return (rows, Width, Model.MlpWidth);
            yield return (rows, Model.MlpWidth, Width);
        }

        yield return (Rows, Width, Width);
        yield return (KeptRows, Width, Width);
        yield return (Batch, Width, Width);
        yield return (Batch, Width, 2 * Width);
        if (other)
        {
            yield return (Batch, Width, 6 * Width);
        }

        yield return (Rows, Width, Model.PatchFeatures);
        if (hasPatchInput)
        {
            yield return (Rows, Model.PatchFeatures, Width);
            yield return (Batch, 256, Width);
        }
    }

    private static long Product(int rows, int columns, int depth) => 2L * Whole(rows, Tile) * Whole(columns, Tile) * Whole(depth, Depth);

    private static long Whole(int length, int unit) => (length + unit - 1) / unit * unit;
}
