namespace Sprint.Engine.Operations;

/// <summary><c>y = a + b</c>, elementwise, all of one shape. Errors: <see cref="ArgumentException"/>.</summary>
public static class Addition
{
    private const string Name = "addition";

    /// <summary>Adds two tensors.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="left">a.</param>
    /// <param name="right">b, of the shape of a.</param>
    /// <returns>y, which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor left, Tensor right)
    {
        Require.Numbers(left, Name, "the first tensor");
        Require.Like(right, left, Name, "the second tensor", "the first");
        Require.SameShape(right, left.Shape, Name, "the second tensor");
        Device device = left.Device;
        using Tensor output = device.Allocate(left.Shape, left.ElementType);
        if (device.Dispatch(Cost(left)))
        {
            device.Kernels<IAdditionKernels>().Add(left, right, output);
        }

        if (Tape.Records(tape, left, right))
        {
            var node = tape.Record<AdditionNode>(output);
            node.Left = Tape.Slot(left);
            node.Right = Tape.Slot(right);
        }

        return output.Retain();
    }

    /// <summary><c>destination += source</c>, for gradients.</summary>
    /// <param name="source">What to add.</param>
    /// <param name="destination">What to add it to.</param>
    internal static void AddInto(Tensor source, Tensor destination)
    {
        Require.SameShape(source, destination.Shape, Name, "the gradient");
        Require.Like(source, destination, Name, "the gradient", "what it is added to");
        if (source.Device.Dispatch(Cost(source)))
        {
            source.Device.Kernels<IAdditionKernels>().Add(destination, source, destination);
        }
    }

    private static OperationCost Cost(Tensor tensor) => new(Name, 0, tensor.Count, 2 * tensor.Bytes, tensor.Bytes);

    private sealed class AdditionNode : TapeNode
    {
        internal GradientSlot Left { get; set; }

        internal GradientSlot Right { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            if (Left.IsWanted)
            {
                Left.Pass(gradient);
            }

            if (Right.IsWanted)
            {
                Right.Pass(gradient);
            }
        }

        protected internal override void Release()
        {
            Tape.Release(Left);
            Tape.Release(Right);
        }
    }
}

/// <summary>What a device does for <see cref="Addition"/>.</summary>
public interface IAdditionKernels
{
    /// <summary><c>output = left + right</c>; the output may be one of the two.</summary>
    /// <param name="left">Any shape.</param>
    /// <param name="right">The same shape.</param>
    /// <param name="output">The same shape.</param>
    void Add(Tensor left, Tensor right, Tensor output);
}
