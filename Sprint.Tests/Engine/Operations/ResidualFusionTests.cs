using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Residual fusion against the linear layer over padded and concatenated channels, in float64.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class ResidualFusionTests(string deviceName)
{
    // batch, tokens, kept tokens, width
    private static readonly int[][] Shapes = [[1, 1, 1, 24], [2, 17, 5, 36], [1, 147, 113, 48], [2, 24, 6, 96]];

    [Test]
    public void Dropped_tokens([ValueSource(nameof(Shapes))] int[] lengths) => Test(lengths, drops: true, dropsPaths: false).Verify();

    [Test]
    public void Dropped_tokens_and_paths([ValueSource(nameof(Shapes))] int[] lengths) => Test(lengths, drops: true, dropsPaths: true).Verify();

    [Test]
    public void All_tokens_kept([ValueSource(nameof(Shapes))] int[] lengths) => Test(lengths, drops: false, dropsPaths: false).Verify();

    [Test]
    public void All_tokens_kept_with_dropped_paths([ValueSource(nameof(Shapes))] int[] lengths) => Test(lengths, drops: false, dropsPaths: true).Verify();

    [Test]
    public void No_sparse_path_at_all([ValueSource(nameof(Shapes))] int[] lengths)
    {
        (int batch, int tokens, int width) = (lengths[0], lengths[1], lengths[3]);
        int[] nowhere = [.. Enumerable.Repeat(-1, batch * tokens)];
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => ResidualFusion.Apply(tape, new FusionInputs(given[0], default, default, given[1], given[2], given[3])),
            Reference = given => References.Fusion(given[0], [], nowhere, given[1], given[2], given[3], width),
        }.With(new Shape(batch, tokens, width)).With(new Shape(1, 1, width)).With(new Shape(width, 2 * width), 0.2).With(new Shape(width)).Verify();
    }

    [Test]
    public void A_frozen_mask_token_gets_no_gradient_and_changes_no_other([Values] bool dropsPaths)
    {
        float[][] trained = Gradients(trainsMaskToken: true, dropsPaths);
        float[][] frozen = Gradients(trainsMaskToken: false, dropsPaths);
        Assert.That(trained[4].Any(value => value != 0));
        Assert.That(frozen[4], Is.Empty);
        for (int i = 0; i < 4; i++)
            Comparer.AssertSameBits($"gradient {i}", frozen[i], trained[i]);
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using Device device = TestDevice.Open(deviceName, 1);
        using Tensor dense = device.Allocate(new Shape(2, 16, 24));
        using Tensor sparse = device.Allocate(new Shape(2, 4, 24));
        using Tensor narrow = device.Allocate(new Shape(2, 4, 23));
        using Tensor mask = device.Allocate(new Shape(1, 1, 24));
        using Tensor weight = device.Allocate(new Shape(24, 48));
        using Tensor bias = device.Allocate(new Shape(24));
        using Tensor rows = device.Allocate(new Shape(2, 15), ElementType.Int32);
        var right = new FusionInputs(dense, sparse, default, mask, weight, bias);
        Complains(right with { Weight = bias }, "residual fusion: the weight must have shape [24, 48], not [24]");
        Complains(right with { Bias = mask }, "residual fusion: the bias must have shape [24], not [1, 1, 24]");
        Complains(right with { MaskToken = weight }, "residual fusion: a mask token of shape [24, 48] does not fit width 24");
        Complains(right with { Sparse = narrow }, "residual fusion: dimension 2 of the sparse path must be 24, not 23 (shape [2, 4, 23])");
        Complains(right with { Rows = rows }, "residual fusion: the row map must have shape [2, 16], not [2, 15]");
        Complains(right, "residual fusion: the sparse path without a row map must have shape [2, 16, 24], not [2, 4, 24]");

        static void Complains(FusionInputs inputs, string message) =>
            Assert.That(() => ResidualFusion.Apply(null, inputs), Throws.ArgumentException.With.Message.EqualTo(message));
    }

    private OperationTest Test(int[] lengths, bool drops, bool dropsPaths)
    {
        (int batch, int tokens, int width) = (lengths[0], lengths[1], lengths[3]);
        int kept = drops ? lengths[2] : tokens;
        int[] ids = drops ? TokenDropTests.KeptIds(batch, tokens, kept) : [.. Enumerable.Range(0, batch * tokens).Select(i => i % tokens)];
        int[] pathDrop = [.. Enumerable.Range(0, batch).Select(sample => sample == batch - 1 ? 1 : 0)];
        int[] rows = TokenDropTests.RowsOf(ids, batch, tokens, kept, dropsPaths ? pathDrop : null);
        return new OperationTest
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using Tensor idTensor = drops ? device.From(new Shape(batch, kept), ids) : default;
                using Tensor pathTensor = dropsPaths ? device.From(new Shape(batch), pathDrop) : default;
                using Tensor rowTensor = drops || dropsPaths ? TokenDrop.Locate(device, batch, tokens, idTensor, pathTensor) : default;
                return ResidualFusion.Apply(tape, new FusionInputs(given[0], given[1], rowTensor, given[2], given[3], given[4]));
            },
            Reference = given => References.Fusion(given[0], given[1], rows, given[2], given[3], given[4], width),
        }
            .With(new Shape(batch, tokens, width))
            .With(new Shape(batch, kept, width))
            .With(new Shape(1, 1, width))
            .With(new Shape(width, 2 * width), 0.2)
            .With(new Shape(width));
    }

    /// <summary>Of f, g, W, b and, where it is trained, m.</summary>
    private float[][] Gradients(bool trainsMaskToken, bool dropsPaths)
    {
        using Device device = TestDevice.Open(deviceName);
        var random = new Random(5);
        Shape[] shapes = [new Shape(2, 16, 24), new Shape(2, 4, 24), new Shape(24, 48), new Shape(24), new Shape(1, 1, 24)];
        Tensor[] tensors = [.. shapes.Select(shape => device.From(shape, OperationTest.Randoms(random, shape)))];
        foreach (Tensor tensor in trainsMaskToken ? tensors : tensors[..4])
            Tape.Watch(tensor);
        using Tensor ids = device.From(new Shape(2, 4), TokenDropTests.KeptIds(2, 16, 4));
        using Tensor pathDrop = dropsPaths ? device.From(new Shape(2), (int[])[1, 0]) : default;
        using Tensor rows = TokenDrop.Locate(device, 2, 16, ids, pathDrop);
        using var tape = new Tape();
        using Tensor output = ResidualFusion.Apply(tape, new FusionInputs(tensors[0], tensors[1], rows, tensors[4], tensors[2], tensors[3]));
        tape.Backward(output, output);
        float[][] gradients = [.. tensors.Select(tensor => Tape.GradientOf(tensor) is { IsEmpty: false } gradient ? gradient.ToArray() : [])];
        Array.ForEach(tensors, tensor => tensor.Dispose());
        return gradients;
    }
}
