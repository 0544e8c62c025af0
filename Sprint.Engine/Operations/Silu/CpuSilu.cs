using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Silu"/> on the CPU.</summary>
internal sealed class CpuSilu(CpuDevice device) : ISiluKernels
{
    public void Forward(Tensor input, Tensor output) => Elementwise.Run(device, default(Value), input, input, output);

    public void Backward(Tensor gradient, Tensor input, Tensor inputGradient, bool accumulate) =>
        Elementwise.Run(device, default(Derivative), gradient, input, inputGradient, accumulate);

    private readonly struct Value : IElementwiseFunction
    {
        public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => VectorMath.Silu(first);
    }

    private readonly struct Derivative : IElementwiseFunction
    {
        public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => first * VectorMath.SiluDerivative(second);
    }
}
