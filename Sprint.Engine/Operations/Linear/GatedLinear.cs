namespace Sprint.Engine.Operations;

/// <summary>
/// <c>y = x + gate * (h W^T + b)</c>: a <see cref="Linear"/> layer at the end of a branch and the <see cref="GatedResidual"/> behind it, whose
/// gradients it has. x and y (batch, tokens, outputs), h (batch, tokens, inputs), W (outputs, inputs), b (outputs); the gate is one chunk of outputs
/// elements in each row of modulation (batch, chunks * outputs). Where the device's <see cref="ILinearKernels"/> can, the residual stream is added
/// while the product's sums are in registers: the branch is not read again, and in inference never stored.
/// Errors: those of the two. Source: SPRINT.md section 2.
/// </summary>
public static class GatedLinear
{
    private const string Name = "gated residual";

    /// <summary>Adds a gated linear branch to the residual stream.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="residual">x (batch, tokens, outputs).</param>
    /// <param name="input">h (batch, tokens, inputs).</param>
    /// <param name="weight">W (outputs, inputs).</param>
    /// <param name="bias">b (outputs), or empty for none.</param>
    /// <param name="modulation">(batch, chunks * outputs).</param>
    /// <param name="gateChunk">Which chunk of the modulation is the gate.</param>
    /// <returns>y (batch, tokens, outputs), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor residual, Tensor input, Tensor weight, Tensor bias, Tensor modulation, int gateChunk)
    {
        var weights = new LinearWeights(weight, bias);
        if (!Fuses(residual, input, weights, modulation))
        {
            using Tensor plain = Linear.Apply(tape, input, weight, bias);
            return GatedResidual.Apply(tape, residual, plain, modulation, gateChunk);
        }

        bool recordsBranch = Tape.Records(tape, input, weight, bias);
        bool records = recordsBranch || Tape.Records(tape, residual, modulation);
        using Tensor branch = records ? input.Device.Allocate(residual.Shape, residual.ElementType) : default;
        using Tensor output = Forward(residual, input, weights, modulation, gateChunk, branch);
        if (recordsBranch)
        {
            Linear.Record(tape!, branch, input, weight, bias, Activation.None, default);
        }

        if (records)
        {
            GatedResidual.Record(tape!, output, residual, branch, modulation, gateChunk);
        }

        return output.Retain();
    }

    /// <summary>Whether the device adds the residual stream in the product's epilogue; what does not fit takes the plain path, whose operations say what is wrong.</summary>
    internal static bool Fuses(Tensor residual, Tensor input, LinearWeights weights, Tensor modulation) =>
        input.Device.Executes && Fits(residual, input, weights.Weight, weights.Bias, modulation)
        && input.Device.Kernels<ILinearKernels>().FusesGate(input, weights.Weight, residual);

    /// <summary>The fused pass, unrecorded.</summary>
    /// <param name="residual">x (batch, tokens, outputs).</param>
    /// <param name="input">h (batch, tokens, inputs).</param>
    /// <param name="weights">W and b.</param>
    /// <param name="modulation">(batch, chunks * outputs).</param>
    /// <param name="gateChunk">Which chunk of the modulation is the gate.</param>
    /// <param name="branch">(batch, tokens, outputs), overwritten with what the gate multiplies, or empty.</param>
    /// <returns>y (batch, tokens, outputs), which the caller disposes.</returns>
    internal static Tensor Forward(Tensor residual, Tensor input, LinearWeights weights, Tensor modulation, int gateChunk, Tensor branch)
    {
        AdaptiveLayerNorm.RequireChunks(Name, residual, modulation, gateChunk);
        Device device = input.Device;
        (Tensor weight, Tensor bias) = weights;
        using Tensor output = device.Allocate(residual.Shape, residual.ElementType);
        device.Dispatch(LinearCost.Forward(input, weight, bias, output, Activation.None));
        device.Dispatch(GatedResidual.FusedCost(residual));
        device.Kernels<ILinearKernels>().ForwardGated(input, weight, bias, residual, modulation, gateChunk, branch, output);
        return output.Retain();
    }

    private static bool Fits(Tensor residual, Tensor input, Tensor weight, Tensor bias, Tensor modulation) =>
        input.ElementType != ElementType.Int32 && residual.Shape.Rank == 3 && input.Shape.Rank == 3 && weight.Shape.Rank == 2 && modulation.Shape.Rank == 2
        && input.Shape[0] == residual.Shape[0] && input.Shape[1] == residual.Shape[1]
        && input.Shape[2] == weight.Shape[1] && residual.Shape[2] == weight.Shape[0]
        && (bias.IsEmpty || bias.Shape == new Shape(weight.Shape[0]))
        && Alike(input, residual) && Alike(input, weight) && (bias.IsEmpty || Alike(input, bias)) && Alike(input, modulation);

    private static bool Alike(Tensor one, Tensor other) => one.ElementType == other.ElementType && ReferenceEquals(one.Device, other.Device);
}
