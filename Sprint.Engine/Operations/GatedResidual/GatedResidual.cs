namespace Sprint.Engine.Operations;

/// <summary>
/// <c>y = x + gate * branch</c>: x, branch and y (batch, tokens, width); the gate is one chunk of width elements in each row
/// of modulation (batch, chunks * width). Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 2.
/// </summary>
public static class GatedResidual
{
    private const string Name = "gated residual";

    /// <summary>Adds a gated branch to the residual stream.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (batch, tokens, width).</param>
    /// <param name="branch">(batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="gateChunk">Which chunk of the modulation is the gate.</param>
    /// <returns>y (batch, tokens, width), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor input, Tensor branch, Tensor modulation, int gateChunk)
    {
        Require.Numbers(input, Name, "the input");
        Require.Like(branch, input, Name, "the branch", "the input");
        Require.Like(modulation, input, Name, "the modulation", "the input");
        Require.Rank(input, 3, Name, "the input");
        Require.SameShape(branch, input.Shape, Name, "the branch");
        AdaptiveLayerNorm.RequireChunks(Name, input, modulation, gateChunk);
        Device device = input.Device;
        using Tensor output = device.Allocate(input.Shape, input.ElementType);
        if (device.Dispatch(Cost(input, 2, 2, 1)))
        {
            device.Kernels<IGatedResidualKernels>().Forward(input, branch, modulation, gateChunk, output);
        }

        if (Tape.Records(tape, input, branch, modulation))
        {
            Record(tape, output, input, branch, modulation, gateChunk);
        }

        return output.Retain();
    }

    internal static void Record(Tape tape, Tensor output, Tensor input, Tensor branch, Tensor modulation, int gateChunk)
    {
        var node = tape.Record<GatedResidualNode>(output);
        node.GateChunk = gateChunk;
        node.Branch = branch.Retain();
        node.Modulation = modulation.Retain();
        node.InputSlot = Tape.Slot(input);
        node.BranchSlot = Tape.Slot(branch);
        node.ModulationSlot = Tape.Slot(modulation);
    }

    /// <summary>In the epilogue of the product that makes the branch: of its passes over memory those of the stream are left.</summary>
    internal static OperationCost FusedCost(Tensor tensor) => Cost(tensor, 2, 1, 1);

    private static OperationCost Cost(Tensor tensor, int flopsPerElement, int reads, int writes) => new(
        Name, 0, tensor.Count * flopsPerElement, tensor.Bytes * reads, tensor.Bytes * writes);

    private sealed class GatedResidualNode : TapeNode
    {
        internal int GateChunk { get; set; }

        internal Tensor Branch { get; set; }

        internal Tensor Modulation { get; set; }

        internal GradientSlot InputSlot { get; set; }

        internal GradientSlot BranchSlot { get; set; }

        internal GradientSlot ModulationSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Device device = gradient.Device;
            bool accumulate = false;
            Tensor branchGradient = BranchSlot.IsWanted ? BranchSlot.Buffer(gradient.ElementType, out accumulate) : default;
            Tensor modulationGradient = ModulationSlot.IsWanted ? ModulationSlot.ZeroedBuffer(gradient.ElementType) : default;
            if (device.Dispatch(Cost(gradient, 3, accumulate ? 3 : 2, 1)))
            {
                device.Kernels<IGatedResidualKernels>().Backward(
                    gradient, Branch, Modulation, GateChunk, branchGradient, accumulate, modulationGradient);
            }

            // The stream's own gradient is the gradient that arrived: handed on, not copied.
            if (InputSlot.IsWanted)
            {
                InputSlot.Pass(gradient);
            }
        }

        protected internal override void Release()
        {
            Branch.Dispose();
            Modulation.Dispose();
            Tape.Release(InputSlot);
            Tape.Release(BranchSlot);
            Tape.Release(ModulationSlot);
        }
    }
}
