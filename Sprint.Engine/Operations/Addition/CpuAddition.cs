using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Addition"/> on the CPU.</summary>
internal sealed class CpuAddition(CpuDevice device) : IAdditionKernels
{
    public void Add(Tensor left, Tensor right, Tensor output) => Elementwise.Run(device, default(Sum), left, right, output);

    private readonly struct Sum : IElementwiseFunction
    {
        public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => first + second;
    }
}
