namespace Sprint.Engine.Operations;

/// <summary>
/// <c>y = x / (1 + e^-x)</c>, elementwise on any shape: the conditioning vector passes it once for all adaLN layers.
/// Source: SPRINT.md section 2.
/// </summary>
public static class Silu
{
    private const string Name = "silu";

    /// <summary>Applies the function.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x.</param>
    /// <returns>y, which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor input)
    {
        Device device = input.Device;
        Require.Numbers(input, Name, "the input");
        using Tensor output = device.Allocate(input.Shape, input.ElementType);
        if (device.Dispatch(Cost(input, 4, 1)))
        {
            device.Kernels<ISiluKernels>().Forward(input, output);
        }

        if (Tape.Records(tape, input))
        {
            var node = tape.Record<SiluNode>(output);
            node.Input = input.Retain();
            node.InputSlot = Tape.Slot(input);
        }

        return output.Retain();
    }

    private static OperationCost Cost(Tensor tensor, int flopsPerElement, int reads) => new(
        Name, 0, tensor.Count * flopsPerElement, tensor.Bytes * reads, tensor.Bytes);

    private sealed class SiluNode : TapeNode
    {
        internal Tensor Input { get; set; }

        internal GradientSlot InputSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Device device = gradient.Device;
            Tensor inputGradient = InputSlot.Buffer(gradient.ElementType, out bool accumulate);
            if (device.Dispatch(Cost(gradient, 8, accumulate ? 3 : 2)))
            {
                device.Kernels<ISiluKernels>().Backward(gradient, Input, inputGradient, accumulate);
            }
        }

        protected internal override void Release()
        {
            Input.Dispose();
            Tape.Release(InputSlot);
        }
    }
}

/// <summary>What a device does for <see cref="Silu"/>.</summary>
public interface ISiluKernels
{
    /// <summary><c>output = silu(input)</c>.</summary>
    /// <param name="input">Any shape.</param>
    /// <param name="output">The same shape, overwritten.</param>
    void Forward(Tensor input, Tensor output);

    /// <summary><c>inputGradient (+)= gradient * silu'(input)</c>.</summary>
    /// <param name="gradient">Any shape: of the output.</param>
    /// <param name="input">The same shape.</param>
    /// <param name="inputGradient">The same shape.</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    void Backward(Tensor gradient, Tensor input, Tensor inputGradient, bool accumulate);
}
