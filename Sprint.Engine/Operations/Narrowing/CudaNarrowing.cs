using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Narrowing"/> by the kernel of kernels/elementwise.cu.</summary>
internal sealed class CudaNarrowing(CudaDevice device) : INarrowingKernels
{
    private const int Threads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Elementwise);

    public void Narrow(Tensor input, Tensor output) => kernels.Launch(
        output.ElementType,
        "elements_narrow",
        CudaKernelFamily.Blocks(input.Count, Threads * CudaKernelFamily.VectorLength(output.ElementType)),
        Threads,
        new KernelArguments { input, output, input.Count });
}
