using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Silu"/> by the kernels of kernels/elementwise.cu.</summary>
internal sealed class CudaSilu(CudaDevice device) : ISiluKernels
{
    private const int Threads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Elementwise);

    public void Forward(Tensor input, Tensor output) =>
        kernels.Launch(input.ElementType, "silu_forward", Grid(input), Threads, new KernelArguments { input, output, input.Count });

    public void Backward(Tensor gradient, Tensor input, Tensor inputGradient, bool accumulate) => kernels.Launch(
        input.ElementType, "silu_backward", Grid(input), Threads, new KernelArguments { gradient, input, inputGradient, input.Count, accumulate ? 1 : 0 });

    private static Dim3 Grid(Tensor tensor) => CudaKernelFamily.Blocks(tensor.Count, Threads * CudaKernelFamily.VectorLength(tensor.ElementType));
}
