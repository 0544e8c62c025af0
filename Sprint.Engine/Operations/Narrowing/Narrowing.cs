namespace Sprint.Engine.Operations;

/// <summary>
/// <c>y = x</c> stored as bfloat16, rounded to nearest, ties to even: where float32 work hands its result to operations of lower precision.
/// The gradient of y is kept in float32, as that of x is, so nothing is lost on the way back.
/// Errors: <see cref="ArgumentException"/>.
/// </summary>
public static class Narrowing
{
    private const string Name = "narrowing";

    /// <summary>Stores a tensor in an element type.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x, any shape.</param>
    /// <param name="type">Where it is that of x, the result is x itself.</param>
    /// <returns>y, which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor input, ElementType type)
    {
        if (input.ElementType == type)
        {
            return input.Retain();
        }

        using Tensor output = Narrow(input, type);
        output.Body.GradientType = input.Body.GradientType;
        if (Tape.Records(tape, input))
        {
            var node = tape.Record<NarrowingNode>(output);
            node.InputSlot = Tape.Slot(input);
        }

        return output.Retain();
    }

    /// <summary>A narrowed copy, unrecorded.</summary>
    internal static Tensor Narrow(Tensor input, ElementType type)
    {
        using Tensor output = input.Device.Allocate(input.Shape, type);
        Narrow(input, output);
        return output.Retain();
    }

    /// <summary>Overwrites a bfloat16 tensor with a float32 one, rounded.</summary>
    internal static void Narrow(Tensor input, Tensor output)
    {
        Device device = input.Device;
        Require.Floats(input, device, Name, "the input");
        Require.Type(output, ElementType.BFloat16, Name, "the output");
        Require.Numbers(output, Name, "the output");
        if (device.Dispatch(new OperationCost(Name, 0, 0, input.Bytes, output.Bytes)))
        {
            device.Kernels<INarrowingKernels>().Narrow(input, output);
        }
    }

    /// <summary>Overwrites a float32 tensor with a bfloat16 one, or adds that to it: how operations of lower precision contribute to a gradient that is kept in float32.</summary>
    internal static void Widen(Tensor input, Tensor output, bool accumulate)
    {
        Device device = input.Device;
        Require.Type(input, ElementType.BFloat16, Name, "the input");
        Require.Floats(output, device, Name, "the output");
        Require.SameShape(output, input.Shape, Name, "the output");
        if (device.Dispatch(new OperationCost(Name, 0, accumulate ? input.Count : 0, input.Bytes + (accumulate ? output.Bytes : 0), output.Bytes)))
        {
            device.Kernels<INarrowingKernels>().Widen(input, output, accumulate);
        }
    }

    private sealed class NarrowingNode : TapeNode
    {
        internal GradientSlot InputSlot { get; set; }

        protected internal override void Backward(Tensor gradient) => InputSlot.Pass(gradient);

        protected internal override void Release() => Tape.Release(InputSlot);
    }
}

/// <summary>What a device does for <see cref="Narrowing"/>.</summary>
public interface INarrowingKernels
{
    /// <summary><c>output = input</c>, rounded to nearest, ties to even.</summary>
    /// <param name="input">Any shape, float32.</param>
    /// <param name="output">The same shape, bfloat16, overwritten.</param>
    void Narrow(Tensor input, Tensor output);

    /// <summary><c>output (+)= input</c>.</summary>
    /// <param name="input">Any shape, bfloat16.</param>
    /// <param name="output">The same shape, float32.</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    void Widen(Tensor input, Tensor output, bool accumulate);
}
