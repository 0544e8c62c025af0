namespace Sprint.Engine.Operations;

/// <summary>
/// The SwiGLU MLP <c>y = (SiLU(x Wg^T + bg) * (x Wx^T + bx)) Wy^T + by</c> for x (..., inputs), Wg and Wx (hidden, inputs), Wy (outputs, hidden):
/// y (..., outputs). The gate g = x Wg^T + bg is stored, SiLU(g) multiplies the second product while its sums are at hand. The backward pass saves x, g and
/// the linear part alone: SiLU(g) times that, what Wy reads, is made again where the gradients of both are made, which have its factors anyway.
/// Errors: <see cref="ArgumentException"/> where the lengths do not fit. Source: Shazeer, arXiv 2002.05202, section 2.
/// </summary>
public static class SwiGlu
{
    private const string Name = "swiglu";

    /// <summary>Applies the MLP.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (..., inputs).</param>
    /// <param name="weights">The three layers.</param>
    /// <returns>y (..., outputs), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor input, in SwiGluWeights weights)
    {
        bool records = weights.AreRecorded(tape, input);
        using SwiGluHidden hidden = Compute(input, weights, records);
        using Tensor output = Linear.Apply(null, hidden.Product, weights.Output.Weight, weights.Output.Bias);
        if (records)
        {
            Record(tape!, output, input, weights, hidden);
        }

        return output.Retain();
    }

    /// <summary><c>y = residual + gate * MLP(x)</c>: the MLP at the end of a branch and the <see cref="GatedResidual"/> behind it, as in <see cref="GatedLinear"/>.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="residual">The stream (batch, tokens, outputs).</param>
    /// <param name="input">x (batch, tokens, inputs).</param>
    /// <param name="weights">The three layers.</param>
    /// <param name="modulation">(batch, chunks * outputs).</param>
    /// <param name="gateChunk">Which chunk of the modulation is the gate.</param>
    /// <returns>y (batch, tokens, outputs), which the caller disposes.</returns>
    public static Tensor ApplyGated(Tape? tape, Tensor residual, Tensor input, in SwiGluWeights weights, Tensor modulation, int gateChunk)
    {
        bool records = weights.AreRecorded(tape, input);
        using SwiGluHidden hidden = Compute(input, weights, records);
        if (!GatedLinear.Fuses(residual, hidden.Product, weights.Output, modulation))
        {
            using Tensor plain = Linear.Apply(null, hidden.Product, weights.Output.Weight, weights.Output.Bias);
            if (records)
            {
                Record(tape!, plain, input, weights, hidden);
            }

            return GatedResidual.Apply(tape, residual, plain, modulation, gateChunk);
        }

        bool recordsStream = records || Tape.Records(tape, residual, modulation);
        using Tensor branch = recordsStream ? input.Device.Allocate(residual.Shape, residual.ElementType) : default;
        using Tensor output = GatedLinear.Forward(residual, hidden.Product, weights.Output, modulation, gateChunk, branch);
        if (records)
        {
            Record(tape!, branch, input, weights, hidden);
        }

        if (recordsStream)
        {
            GatedResidual.Record(tape!, output, residual, branch, modulation, gateChunk);
        }

        return output.Retain();
    }

    private static SwiGluHidden Compute(Tensor input, in SwiGluWeights weights, bool keeps)
    {
        (Tensor weight, Tensor bias) = weights.Linear;
        Require.Numbers(input, Name, "the input");
        Require.Like(weights.Gate.Weight, input, Name, "the weight of the gate", "the input");
        Require.Like(weight, input, Name, "the linear weight", "the input");
        Require.Like(bias, input, Name, "the linear bias", "the input");
        Require.Rank(weights.Gate.Weight, 2, Name, "the weight of the gate");
        Require.SameShape(weight, weights.Gate.Weight.Shape, Name, "the linear weight");
        if (!bias.IsEmpty)
        {
            Require.SameShape(bias, new Shape(weight.Shape[0]), Name, "the linear bias");
        }

        Device device = input.Device;
        using Tensor gate = Linear.Apply(null, input, weights.Gate.Weight, weights.Gate.Bias);
        using Tensor linear = keeps ? device.Allocate(gate.Shape, gate.ElementType) : default;
        using Tensor product = device.Allocate(gate.Shape, gate.ElementType);
        device.Dispatch(SwiGluCost.Forward(gate, linear));
        if (device.Dispatch(LinearCost.Forward(input, weight, bias, product, Activation.None)))
        {
            device.Kernels<ISwiGluKernels>().Forward(input, weight, bias, gate, linear, product);
        }

        return new SwiGluHidden(gate.Retain(), keeps ? linear.Retain() : default, product.Retain());
    }

    private static void Record(Tape tape, Tensor output, Tensor input, in SwiGluWeights weights, in SwiGluHidden hidden)
    {
        var node = tape.Record<SwiGluNode>(output);
        node.Input = input.Retain();
        node.Gate = hidden.Gate.Retain();
        node.Linear = hidden.Linear.Retain();
        node.GateWeight = weights.Gate.Weight.Retain();
        node.LinearWeight = weights.Linear.Weight.Retain();
        node.OutputWeight = weights.Output.Weight.Retain();
        node.InputSlot = Tape.Slot(input);
        node.GateSlots = LinearSlots.Of(weights.Gate);
        node.LinearSlots = LinearSlots.Of(weights.Linear);
        node.OutputSlots = LinearSlots.Of(weights.Output);
    }

    /// <summary>What lies between the layers, (..., hidden) each; without the linear part where no backward pass follows.</summary>
    private readonly record struct SwiGluHidden(Tensor Gate, Tensor Linear, Tensor Product) : IDisposable
    {
        public void Dispose()
        {
            Gate.Dispose();
            Linear.Dispose();
            Product.Dispose();
        }
    }
}
