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
        Device device = input.Device;
        if (!device.Executes || !Fits(residual, input, weight, bias, modulation) || !device.Kernels<ILinearKernels>().FusesGate(input, weight, residual))
        {
            using Tensor plain = Linear.Apply(tape, input, weight, bias);
            return GatedResidual.Apply(tape, residual, plain, modulation, gateChunk);
        }

        AdaptiveLayerNorm.RequireChunks(Name, residual, modulation, gateChunk);
        bool recordsBranch = Tape.Records(tape, input, weight, bias);
        bool records = recordsBranch || Tape.Records(tape, residual, modulation);
        using Tensor branch = records ? device.Allocate(residual.Shape, residual.ElementType) : default;
        using Tensor output = device.Allocate(residual.Shape, residual.ElementType);
        device.Dispatch(LinearCost.Forward(input, weight, bias, output, Activation.None));
        device.Dispatch(GatedResidual.FusedCost(residual));
        device.Kernels<ILinearKernels>().ForwardGated(input, weight, bias, residual, modulation, gateChunk, branch, output);
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

    // What does not fit takes the plain path, whose operations say what is wrong.
    private static bool Fits(Tensor residual, Tensor input, Tensor weight, Tensor bias, Tensor modulation) =>
        input.ElementType != ElementType.Int32 && residual.Shape.Rank == 3 && input.Shape.Rank == 3 && weight.Shape.Rank == 2 && modulation.Shape.Rank == 2
        && input.Shape[0] == residual.Shape[0] && input.Shape[1] == residual.Shape[1]
        && input.Shape[2] == weight.Shape[1] && residual.Shape[2] == weight.Shape[0]
        && (bias.IsEmpty || bias.Shape == new Shape(weight.Shape[0]))
        && Alike(input, residual) && Alike(input, weight) && (bias.IsEmpty || Alike(input, bias)) && Alike(input, modulation);

    private static bool Alike(Tensor one, Tensor other) => one.ElementType == other.ElementType && ReferenceEquals(one.Device, other.Device);
}
