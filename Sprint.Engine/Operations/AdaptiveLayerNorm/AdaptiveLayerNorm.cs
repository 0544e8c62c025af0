namespace Sprint.Engine.Operations;

/// <summary>
/// <c>y = LN(x) (1 + scale) + shift</c>: layer norm without parameters (eps 1e-6, biased variance) followed by the modulation
/// of adaLN-Zero. x and y (batch, tokens, width); shift and scale are two of the chunks of width elements in each row of
/// modulation (batch, chunks * width). Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 2.
/// </summary>
public static class AdaptiveLayerNorm
{
    /// <summary>The constant added to the variance.</summary>
    public const float Epsilon = 1e-6f;

    private const string Name = "adaptive layer norm";

    /// <summary>Normalises and modulates.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="shiftChunk">Which chunk of the modulation is the shift.</param>
    /// <param name="scaleChunk">Which chunk of the modulation is the scale.</param>
    /// <returns>y (batch, tokens, width), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor input, Tensor modulation, int shiftChunk, int scaleChunk)
    {
        Require.Numbers(input, Name, "the input");
        Require.Like(modulation, input, Name, "the modulation", "the input");
        Require.Rank(input, 3, Name, "the input");
        RequireChunks(Name, input, modulation, Math.Max(shiftChunk, scaleChunk));
        Device device = input.Device;
        bool records = Tape.Records(tape, input, modulation);
        (int batch, int tokens) = (input.Shape[0], input.Shape[1]);
        using Tensor output = device.Allocate(input.Shape, input.ElementType);
        using Tensor statistics = records ? device.Allocate(new Shape(batch, tokens, 2)) : default;
        if (device.Dispatch(Cost(input, 8, 1, 1)))
        {
            device.Kernels<IAdaptiveLayerNormKernels>().Forward(input, modulation, shiftChunk, scaleChunk, output, statistics);
        }

        if (records)
        {
            var node = tape!.Record<AdaptiveLayerNormNode>(output);
            node.ShiftChunk = shiftChunk;
            node.ScaleChunk = scaleChunk;
            node.Input = input.Retain();
            node.Modulation = modulation.Retain();
            node.Statistics = statistics.Retain();
            node.InputSlot = Tape.Slot(input);
            node.ModulationSlot = Tape.Slot(modulation);
        }

        return output.Retain();
    }

    private static OperationCost Cost(Tensor tensor, int flopsPerElement, int reads, int writes) => new(
        Name, 0, tensor.Count * flopsPerElement, tensor.Bytes * reads, tensor.Bytes * writes);

    internal static void RequireChunks(string operation, Tensor input, Tensor modulation, int lastChunk)
    {
        int width = input.Shape.RowLength;
        Require.Rank(modulation, 2, operation, "the modulation");
        Require.Length(modulation, 0, input.Shape[0], operation, "the modulation");
        int row = modulation.Shape[1];
        Require.That(
            row % width == 0 && row / width > lastChunk, operation, $"modulation rows of {row} elements have no chunk {lastChunk} of {width}");
    }

    private sealed class AdaptiveLayerNormNode : TapeNode
    {
        internal int ShiftChunk { get; set; }

        internal int ScaleChunk { get; set; }

        internal Tensor Input { get; set; }

        internal Tensor Modulation { get; set; }

        internal Tensor Statistics { get; set; }

        internal GradientSlot InputSlot { get; set; }

        internal GradientSlot ModulationSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Device device = gradient.Device;
            bool accumulate = false;
            Tensor inputGradient = InputSlot.IsWanted ? InputSlot.Buffer(gradient.ElementType, out accumulate) : default;
            Tensor modulationGradient = ModulationSlot.IsWanted ? ModulationSlot.ZeroedBuffer(gradient.ElementType) : default;
            if (device.Dispatch(Cost(gradient, 14, accumulate ? 3 : 2, 1)))
            {
                device.Kernels<IAdaptiveLayerNormKernels>().Backward(
                    gradient, Input, Modulation, ShiftChunk, ScaleChunk, Statistics, inputGradient, accumulate, modulationGradient);
            }
        }

        protected internal override void Release()
        {
            Input.Dispose();
            Modulation.Dispose();
            Statistics.Dispose();
            Tape.Release(InputSlot);
            Tape.Release(ModulationSlot);
        }
    }
}
