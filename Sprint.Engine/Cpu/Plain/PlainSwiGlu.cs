using Sprint.Engine.Operations;

namespace Sprint.Engine.Cpu;

/// <summary>
/// <see cref="SwiGlu"/> in low precision as plainly as can be: each result is rounded once it is there, SiLU and the product of its result with the linear
/// part are operations of their own, forward and backward.
/// </summary>
internal sealed unsafe class PlainSwiGlu(CpuDevice device, ILinearKernels layers, ISwiGluKernels inner) : ISwiGluKernels
{
    public void Forward(Tensor input, Tensor weight, Tensor bias, Tensor gate, Tensor linear, Tensor product)
    {
        if (product.ElementType == ElementType.Float32)
        {
            inner.Forward(input, weight, bias, gate, linear, product);
            return;
        }

        using Tensor unkept = linear.IsEmpty ? device.Allocate(product.Shape, product.ElementType, MemoryCategory.Workspace) : default;
        Tensor values = linear.IsEmpty ? unkept : linear;
        layers.Forward(input, weight, bias, Activation.None, default, values);
        PlainLinear.Activate(gate, Activation.Silu, product);
        for (long i = 0; i < product.Count; i++)
        {
            At(product, i) = BrainFloat.Narrow(Value(product, i) * Value(values, i));
        }
    }

    public void Backward(Tensor gate, Tensor linear, Tensor product)
    {
        if (product.ElementType == ElementType.Float32)
        {
            inner.Backward(gate, linear, product);
            return;
        }

        using Tensor activated = device.Allocate(product.Shape, product.ElementType, MemoryCategory.Workspace);
        PlainLinear.Activate(gate, Activation.Silu, activated);
        for (long i = 0; i < product.Count; i++)
        {
            (float x, float silu, float gradient) = (Value(linear, i), Value(activated, i), Value(product, i));
            At(linear, i) = BrainFloat.Narrow(gradient * silu);
            At(activated, i) = BrainFloat.Narrow(gradient * x);
            At(product, i) = BrainFloat.Narrow(silu * x);
        }

        layers.BackwardActivation(activated, Activation.Silu, gate);
    }

    private static ref ushort At(Tensor tensor, long place) => ref ((ushort*)tensor.Address)[place];

    private static float Value(Tensor tensor, long place) => BrainFloat.Widen(At(tensor, place));
}
