using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Addition"/> by the kernels of kernels/elementwise.cu.</summary>
internal sealed class CudaAddition(CudaDevice device) : IAdditionKernels
{
    private const int Threads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Elementwise);

    public void Add(Tensor left, Tensor right, Tensor output)
    {
        ElementType element = left.ElementType;
        kernels.Launch(
            element,
            "elements_add",
            CudaKernelFamily.Blocks(left.Count, Threads * CudaKernelFamily.VectorLength(element)),
            Threads,
            new KernelArguments { left, right, output, left.Count });
    }
}
