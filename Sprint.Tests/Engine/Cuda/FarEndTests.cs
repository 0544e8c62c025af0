using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Kernels and their launchers with tensors of more than 2^31 elements: <see cref="FarEnd"/>.</summary>
[TestFixture(TestDevice.Emulated, ElementType.Float32)]
[TestFixture(TestDevice.Emulated, ElementType.BFloat16)]
[TestFixture(FarEnd.Rehearsal, ElementType.Float32)]
[TestFixture(FarEnd.Rehearsal, ElementType.BFloat16)]
[TestFixture(TestDevice.Cuda, ElementType.Float32, Category = "Gpu")]
[TestFixture(TestDevice.Cuda, ElementType.BFloat16, Category = "Gpu")]
public sealed partial class FarEndTests(string place, ElementType element)
{
    private const int Tokens = 128;
    private const int Width = 512;
    private const int Kept = 120;
    private const int Heads = 2;
    private const int HeadSize = 64;
    private const int Columns = 64;

    private FarEnd end = null!;

    [SetUp]
    public void Open() => end = new FarEnd(place);

    [TearDown]
    public void Close() => end?.Dispose();

    [Test]
    public void Kept_tokens_are_gathered_from_their_places()
    {
        end.Verify(Kept * Width, 2, [Input(Full), Ids(), Output("y", Sparse)], (device, t) => device.Kernels<ITokenDropKernels>().Gather(t[0], t[1], t[2]));
        end.Verify(Kept * Width, 2, [Input(Sparse), Ids(), Sum("dx", Full)], (device, t) => device.Kernels<ITokenDropKernels>().GatherBackward(t[0], t[1], t[2]));
    }

    [Test]
    public void Rows_are_scattered_to_their_places()
    {
        end.Verify(
            Kept * Width,
            2,
            [Input(Sparse), Rows(), Input(_ => new(Width)), Output("y", Full)],
            (device, t) => device.Kernels<ITokenDropKernels>().Scatter(t[0], t[1], t[2], t[3]));
        end.Verify(
            Kept * Width, 2, [Input(Full), Rows(), Sum("dx", Sparse)], (device, t) => device.Kernels<ITokenDropKernels>().ScatterBackward(t[0], t[1], t[2], default));
    }

    [Test]
    public void Dropped_rows_are_summed()
    {
        end.LastBlocks = 1;
        IReadOnlyList<LaunchStatistics> launches = end.Verify(
            Tokens * Width,
            2,
            [Input(Full), FarOperand.Places(samples => new(samples, Tokens), static (_, _) => -1), FarOperand.SumOfAll("dmask", element, new(Width))],
            (device, t) => device.Kernels<ITokenDropKernels>().ScatterBackward(t[0], t[1], default, t[2]));
        AssertReads(launches, "tokens_scatter_backward_fill", end.First / ushort.MaxValue / 2);
    }

    [Test]
    public void Tokens_are_chosen_and_located()
    {
        // Four blocks a sample, each of which looks at all of its tokens: as many comparisons as tensors of two thousand million elements allow in a second.
        DropPattern structured = DropPattern.Structured(16, 16, 0.75), random = DropPattern.Random(32, 32, 0.75);
        end.Verify(
            256,
            16,
            [Floats(samples => new(samples, 16, 16)), FarOperand.Output("ids", ElementType.Int32, samples => new(samples, 64))],
            (device, t) => device.Kernels<ITokenDropKernels>().Select(t[0], structured, t[1]));
        end.LastBlocks = 1;
        IReadOnlyList<LaunchStatistics> launches = end.Verify(
            random.Tokens,
            2,
            [Floats(samples => new(samples, random.Tokens)), FarOperand.Output("ids", ElementType.Int32, samples => new(samples, random.KeptTokens)) with { IsWritten = end.IsWhole }],
            (device, t) => device.Kernels<ITokenDropKernels>().Select(t[0], random, t[1]));
        AssertReads(launches, "tokens_select_random", random.Tokens);
        end.Verify(
            1024,
            8,
            [
                FarOperand.Places(samples => new(samples, Kept), static (place, _) => (int)place % Kept),
                FarOperand.Places(samples => new(samples), static (_, _) => 1),
                FarOperand.Output("rows", ElementType.Int32, samples => new(samples, 1024)),
            ],
            (device, t) => device.Kernels<ITokenDropKernels>().Locate(t[0], t[1], t[2]));
    }

    [Test]
    public void Random_numbers_are_those_of_their_place()
    {
        FarOperand[] numbers = [FarOperand.Output("numbers", ElementType.Float32, samples => new(samples, 1024))];
        end.Verify(1024, 8, numbers, (device, t) => device.Kernels<IRandomKernels>().Uniform(Stream(t[0]), t[0]));
        end.Verify(1024, 8, numbers, (device, t) => device.Kernels<IRandomKernels>().Normal(Stream(t[0]), t[0]));

        // The near run draws what belongs at the far end, four numbers a block of the generator.
        RandomStream Stream(Tensor numbers) => new(1, 2, numbers.Count > end.First ? 0 : (ulong)end.First / 4);
    }

    [Test]
    public void Adaptive_layer_norm_reaches_its_rows()
    {
        FarOperand modulation = Input(Modulation), statistics = Floats(samples => new(samples, Tokens, 2));
        end.Verify(
            Tokens * Width,
            2,
            [Input(Full), modulation, Output("y", Full), FarOperand.Output("statistics", ElementType.Float32, statistics.Shape)],
            (device, t) => device.Kernels<IAdaptiveLayerNormKernels>().Forward(t[0], t[1], 4, 5, t[2], t[3]));
        end.Verify(
            Tokens * Width,
            4,
            [Input(Full), Input(Full), modulation, statistics, Sum("dx", Full), Sum("dscale", Modulation) with { Compared = Width }],
            (device, t) => device.Kernels<IAdaptiveLayerNormKernels>().Backward(t[0], t[1], t[2], 4, 5, t[3], t[4], true, t[5]));
    }

    [Test]
    public void Gated_residual_reaches_its_rows()
    {
        end.Verify(
            Tokens * Width,
            2,
            [Input(Full), Input(Full), Input(Modulation), Output("y", Full)],
            (device, t) => device.Kernels<IGatedResidualKernels>().Forward(t[0], t[1], t[2], 5, t[3]));
        end.Verify(
            Tokens * Width,
            4,
            [Input(Full), Input(Full), Input(Modulation), Sum("dbranch", Full), Sum("dmodulation", Modulation)],
            (device, t) => device.Kernels<IGatedResidualKernels>().Backward(t[0], t[1], t[2], 5, t[3], true, t[4]));
    }

    [Test]
    public void Elementwise_operations_reach_the_last_element()
    {
        end.Verify(Tokens * Width, 2, [Input(Full), Output("y", Full)], (device, t) => device.Kernels<ISiluKernels>().Forward(t[0], t[1]));
        end.Verify(Tokens * Width, 2, [Input(Full), Input(Full), Sum("dx", Full)], (device, t) => device.Kernels<ISiluKernels>().Backward(t[0], t[1], t[2], true));
        end.Verify(Tokens * Width, 2, [Input(Full), Input(Full), Output("sum", Full)], (device, t) => device.Kernels<IAdditionKernels>().Add(t[0], t[1], t[2]));
        end.Verify(
            Tokens * Width, 2, [Sum("dx", Full), Input(Full)], (device, t) => device.Kernels<ILinearKernels>().BackwardActivation(t[0], Activation.Gelu, t[1]));
        end.Verify(
            Tokens * Width, 2, [Sum("dgate", Full), Sum("dlinear", Full), Sum("product", Full)], (device, t) => device.Kernels<ISwiGluKernels>().Backward(t[0], t[1], t[2]));
        if (element == ElementType.BFloat16)
        {
            end.Verify(Tokens * Width, 2, [Floats(Full), Output("shadow", Full)], (device, t) => device.Kernels<INarrowingKernels>().Narrow(t[0], t[1]));
            end.Verify(Tokens * Width, 2, [Input(Full), FarOperand.Sum("gradient", ElementType.Float32, Full)], (device, t) => device.Kernels<INarrowingKernels>().Widen(t[0], t[1], true));
        }
    }

    [Test]
    public void Images_are_cut_into_patches_and_put_together()
    {
        static Shape Image(int samples) => new(samples, 4, 128, 128);
        static Shape Patches(int samples) => new(samples, 64 * 64, 2 * 2 * 4);
        end.Verify(Tokens * Width, 2, [Input(Image), Output("tokens", Patches)], (device, t) => device.Kernels<IPatchifyKernels>().ToTokens(t[0], 2, t[1]));
        end.Verify(Tokens * Width, 2, [Input(Patches), Output("image", Image)], (device, t) => device.Kernels<IPatchifyKernels>().ToImage(t[0], 2, t[1]));
    }

    [Test]
    public void Flow_matching_reaches_the_last_element()
    {
        end.Verify(
            Tokens * Width,
            2,
            [Input(Full), Input(Full), Floats(samples => new(samples)), Output("mixed", Full), Output("target", Full)],
            (device, t) => device.Kernels<IFlowMatchingKernels>().Interpolate(t[0], t[1], t[2], FlowPath.Cosine, t[3], t[4]));
        end.Verify(
            Tokens * Width,
            2,
            [Floats(_ => new(1)), Input(Full), Input(Full), Output("dprediction", Full)],
            (device, t) =>
            {
                // The gradient is divided by the number of elements, which is not the same near and far.
                t[0].CopyFrom<float>([t[1].Count]);
                device.Kernels<IFlowMatchingKernels>().LossBackward(t[0], t[1], t[2], t[3]);
            });
        IReadOnlyList<LaunchStatistics> launches = end.Verify(
            Tokens * Width,
            8,
            [Input(Full), Input(Full), FarOperand.SumOfAll("loss", ElementType.Float32, new(1))],
            (device, t) =>
            {
                device.Kernels<IFlowMatchingKernels>().Loss(t[0], t[1], t[2]);

                // A mean, of another number of elements near and far.
                if (end.IsWhole)
                    t[2].CopyFrom<float>([t[2].ToArray()[0] * t[0].Count]);
            });
        AssertReads(launches, "flow_matching_loss", 8 * 2 * 256 * 4 * 16 / element.Size());
    }

    [Test]
    public void Cosine_loss_reaches_the_last_row()
    {
        static Shape Coefficients(int samples) => new(samples, Kept, 2);
        end.Verify(
            Kept * Width,
            2,
            [Input(Sparse), Input(Full), Ids(), FarOperand.Output("coefficients", ElementType.Float32, Coefficients), FarOperand.SumOfAll("loss", ElementType.Float32, new(1))],
            (device, t) =>
            {
                device.Kernels<ICosineLossKernels>().Forward(t[0], t[1], t[2], t[3], t[4]);

                // A mean, of another number of rows near and far.
                if (end.IsWhole)
                    t[4].CopyFrom<float>([t[4].ToArray()[0] * t[0].Shape.Rows]);
            });
        end.Verify(
            Kept * Width,
            2,
            [Floats(_ => new(1)), Input(Sparse), Input(Full), Ids(), Floats(Coefficients), Sum("dprediction", Sparse)],
            (device, t) =>
            {
                // The gradient is divided by the number of rows, which is not the same near and far.
                t[0].CopyFrom<float>([t[1].Shape.Rows]);
                device.Kernels<ICosineLossKernels>().Backward(t[0], t[1], t[2], t[3], t[4], t[5], true);
            });
    }

    [Test]
    public void Embeddings_reach_their_last_row()
    {
        end.Verify(1024, 2, [Floats(samples => new(samples)), Output("y", samples => new(samples, 1024))], (device, t) => device.Kernels<ITimestepEmbeddingKernels>().Forward(t[0], t[1]));
        FarOperand labels = FarOperand.Places(_ => new(2), static (place, before) => before + 1 - (int)place);
        end.Verify(
            1024, 2, [Input(samples => new(samples, 1024)), labels, Output("y", _ => new(2, 1024))], (device, t) => device.Kernels<ILabelEmbeddingKernels>().Forward(t[0], t[1], t[2]));
        end.Verify(
            1024, 2, [Input(_ => new(2, 1024)), labels, Sum("dtable", samples => new(samples, 1024))], (device, t) => device.Kernels<ILabelEmbeddingKernels>().Backward(t[0], t[1], t[2]));
    }

    [Test]
    public void Attention_reaches_the_last_sample()
    {
        static Shape Qkv(int samples) => new(samples, Tokens, 3 * Heads * HeadSize);
        static Shape Channels(int samples) => new(samples, Tokens, Heads * HeadSize);
        static Shape Scores(int samples) => new(samples, Heads, Tokens);
        FarOperand weight = Floats(_ => new(HeadSize)), table = Floats(_ => new(Tokens, HeadSize / 2));
        FarOperand ids = FarOperand.Places(samples => new(samples, Tokens), static (place, _) => (int)(place * 37 % Tokens));
        long sample = 3 * Tokens * Heads * HeadSize;
        end.Verify(
            sample,
            4,
            [Input(Qkv), weight, weight, table, table, ids, Output("y", Channels), FarOperand.Output("log-sum-exp", ElementType.Float32, Scores)],
            (device, t) => device.Kernels<IAttentionKernels>().Forward(t[0], new AttentionArguments(Heads, t[1], t[2], t[3], t[4], t[5]), t[6], t[7]));
        end.Verify(
            sample,
            8,
            [Input(Channels), Input(Qkv), weight, weight, table, table, ids, Input(Channels), Floats(Scores), Output("dqkv", Qkv)],
            (device, t) => device.Kernels<IAttentionKernels>().Backward(
                t[0], t[1], new AttentionArguments(Heads, t[2], t[3], t[4], t[5], t[6]), t[7], t[8], t[9], default, default));
    }

    [Test]
    public void Matrix_products_reach_their_last_row()
    {
        static Shape Matrix(int samples) => new(samples, Columns);
        FarOperand weight = Input(_ => new(Columns, Columns)), bias = Input(_ => new(Columns));
        end.Verify(
            Columns,
            1024,
            [Input(Matrix), weight, bias, Output("preactivation", Matrix), Output("y", Matrix)],
            (device, t) => device.Kernels<ILinearKernels>().Forward(t[0], t[1], t[2], Activation.Gelu, t[3], t[4]));
        end.Verify(
            Columns, 1024, [Input(Matrix), weight, Sum("dx", Matrix)], (device, t) => device.Kernels<ILinearKernels>().BackwardInput(t[0], t[1], t[2], true));
        end.Verify(
            Columns,
            1024,
            [Input(Matrix), weight, Input(Matrix), Output("dx", Matrix)],
            (device, t) => device.Kernels<ILinearKernels>().BackwardArgument(t[0], t[1], Activation.Silu, t[2], t[3]));
        end.Verify(
            Columns,
            1024,
            [Input(Matrix), weight, bias, Input(Matrix), Output("linear", Matrix), Output("product", Matrix)],
            (device, t) => device.Kernels<ISwiGluKernels>().Forward(t[0], t[1], t[2], t[3], t[4], t[5]));
        end.Verify(
            Columns,
            1024,
            [Input(Matrix), weight, Sum("dgate", Matrix), Sum("dlinear", Matrix), Output("product", Matrix)],
            (device, t) => device.Kernels<ISwiGluKernels>().BackwardProduct(t[0], t[1], t[2], t[3], t[4]));
    }

    [Test]
    public void Sums_over_rows_reach_the_last_row()
    {
        const int Rows = 66048;
        static Shape Matrix(int samples) => new(samples, Columns);
        end.LastBlocks = 1;
        IReadOnlyList<LaunchStatistics> launches = end.Verify(
            Columns,
            Rows,
            [Input(Matrix), Input(Matrix), FarOperand.SumOfAll("dw", element, new(Columns, Columns)), FarOperand.SumOfAll("db", element, new(Columns))],
            (device, t) => device.Kernels<ILinearKernels>().BackwardWeight(t[0], t[1], t[2], true, t[3], true));
        AssertReads(launches, "matrix_product_backward_weight", Rows / 2 * 2 * Columns);
        AssertReads(launches, "linear_backward_bias", end.First / 1024 / 2);
    }

    [Test]
    public void Fusion_reaches_the_last_dense_and_sparse_row()
    {
        const int Grid = 1024;
        static Shape Dense(int samples) => new(samples, Grid, Columns);
        static Shape Most(int samples) => new(samples, Grid / 16 * 15, Columns);
        FarOperand rows = Rows(Grid);
        FarOperand weight = Input(_ => new(Columns, 2 * Columns)), vector = Input(_ => new(Columns));
        end.Verify(
            Grid / 16 * 15 * Columns,
            2,
            [Input(Dense), Input(Most), rows, vector, weight, vector, Output("y", Dense)],
            (device, t) => device.Kernels<IResidualFusionKernels>().Forward(new FusionInputs(t[0], t[1], t[2], t[3], t[4], t[5]), t[6]));
        end.Verify(
            Grid / 16 * 15 * Columns,
            16,
            [Input(Dense), rows, Output("kept", Most)],
            (device, t) =>
            {
                (int chunks, long count) = (t[0].Shape[0] / 2, t[0].Shape.Rows);
                using Tensor partial = device.Workspace(new Shape(chunks, 2, Columns));
                new CudaKernelFamily(device, KernelCatalog.ResidualFusion).Launch(
                    element, "fusion_gather_backward", (CudaColumnSums.Grid(count, Columns, element).X, chunks), CudaColumnSums.Block, new KernelArguments { t[0], t[1], t[2], partial, count, Columns });
            });
    }

    /// <summary>The cut into pieces of a parameter that is large, and the pieces of a small one behind it; with shadows in bfloat16.</summary>
    [Test]
    public void More_rows_than_the_kernels_number_are_refused_in_a_sentence()
    {
        using var device = new DryRunDevice();
        using Tensor rows = device.Allocate(new Shape(1 << 16, 1 << 15, 1), element);
        Assert.That(
            () => MatrixProductArguments.RowsOf(rows),
            Throws.TypeOf<SprintException>().With.Message.EqualTo($"matrix product: {rows} has 2147483648 rows, more than the 1073741824 that the CUDA kernels take."));
        using Tensor ids = device.Allocate(new Shape(1 << 16, 1 << 15), ElementType.Int32);
        using CudaDevice emulated = CudaDevice.Emulated();
        Assert.That(
            () => emulated.Kernels<ITokenDropKernels>().Locate(ids, default, ids),
            Throws.ArgumentException.With.Message.EqualTo("token drop: 65536 samples of 32768 kept tokens are more than the 2147483647 rows that an int32 tells apart"));
    }

    private static Shape Full(int samples) => new(samples, Tokens, Width);

    private static Shape Sparse(int samples) => new(samples, Kept, Width);

    private static Shape Modulation(int samples) => new(samples, 6 * Width);

    private static FarOperand Ids() => FarOperand.Places(samples => new(samples, Kept), static (place, _) => (int)(place % Kept) + Tokens - Kept);

    /// <summary>All tokens are kept but the first of each sixteen.</summary>
    private static FarOperand Rows(int tokens = Tokens) =>
        FarOperand.Places(samples => new(samples, tokens), (place, before) => place % 16 == 0 ? -1 : (int)(place - (place / 16) - 1 + (before * (long)(tokens / 16 * 15))));

    private static FarOperand Floats(Func<int, Shape> shape) => FarOperand.Input(ElementType.Float32, shape);

    private FarOperand Input(Func<int, Shape> shape) => FarOperand.Input(element, shape);

    private FarOperand Output(string name, Func<int, Shape> shape) => FarOperand.Output(name, element, shape);

    private FarOperand Sum(string name, Func<int, Shape> shape) => FarOperand.Sum(name, element, shape);

    // Where not all blocks run only parts of a sum are there, so that no result can be looked at.
    private void AssertReads(IReadOnlyList<LaunchStatistics> launches, string kernel, long elements, ElementType? stored = null)
    {
        if (!end.IsWhole)
            Assert.That(launches.Single(launch => launch.Kernel == kernel).Global.Read, Is.GreaterThanOrEqualTo(elements * (stored ?? element).Size()), $"bytes that {kernel} read");
    }
}
