namespace Sprint.Engine.Operations;

/// <summary>
/// <c>y = activation(x W^T + b)</c> for x (..., inputs), W (outputs, inputs), b (outputs): y (..., outputs).
/// All leading dimensions of x are rows of one matrix product.
/// Errors: <see cref="ArgumentException"/> where the lengths do not fit. Source: SPRINT.md section 2.
/// </summary>
public static class Linear
{
    private const string Name = "linear";

    /// <summary>Applies the layer.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (..., inputs).</param>
    /// <param name="weight">W (outputs, inputs).</param>
    /// <param name="bias">b (outputs), or empty for none.</param>
    /// <param name="activation">The function applied to the result.</param>
    /// <param name="outputType">
    /// How y is stored, without an activation: as the operands are (null), or float32 where the sums are wanted as they are.
    /// </param>
    /// <returns>y (..., outputs), which the caller disposes.</returns>
    public static Tensor Apply(
        Tape? tape, Tensor input, Tensor weight, Tensor bias = default, Activation activation = Activation.None, ElementType? outputType = null)
    {
        Require.Numbers(input, Name, "the input");
        Require.Like(weight, input, Name, "the weight", "the input");
        Require.Like(bias, input, Name, "the bias", "the input");
        ElementType type = outputType ?? input.ElementType;
        Require.That(
            type == input.ElementType || (type == ElementType.Float32 && activation == Activation.None),
            Name,
            $"an output of {type} cannot be had of {input.ElementType} operands{(activation == Activation.None ? "" : " under an activation")}");
        Require.Rank(weight, 2, Name, "the weight");
        int outputs = weight.Shape[0];
        int inputs = weight.Shape[1];
        Require.Length(input, input.Shape.Rank - 1, inputs, Name, "the input");
        if (!bias.IsEmpty)
        {
            Require.SameShape(bias, new Shape(outputs), Name, "the bias");
        }

        Device device = input.Device;
        bool records = Tape.Records(tape, input, weight, bias);
        using Tensor output = device.Allocate(input.Shape.WithRowLength(outputs), type);
        using Tensor preactivation = records && activation != Activation.None ? device.Allocate(output.Shape, type) : default;
        if (device.Dispatch(LinearCost.Forward(input, weight, bias, output, activation)))
        {
            device.Kernels<ILinearKernels>().Forward(input, weight, bias, activation, preactivation, output);
        }

        if (records)
        {
            Record(tape!, output, input, weight, bias, activation, preactivation);
        }

        return output.Retain();
    }

    internal static void Record(Tape tape, Tensor output, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor preactivation)
    {
        var node = tape.Record<LinearNode>(output);
        node.Activation = activation;
        node.Input = input.Retain();
        node.Weight = weight.Retain();
        node.Preactivation = preactivation.IsEmpty ? default : preactivation.Retain();
        node.InputSlot = Tape.Slot(input);
        node.Slots = LinearSlots.Of(new LinearWeights(weight, bias));
        output.Body.ActivatedBy = activation == Activation.None ? null : node;
    }
}
