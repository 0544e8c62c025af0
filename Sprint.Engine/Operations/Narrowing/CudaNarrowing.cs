using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Narrowing"/> by the kernels of kernels/elementwise.cu.</summary>
internal sealed class CudaNarrowing(CudaDevice device) : INarrowingKernels
{
    private const int Threads = 256;
    private const int WidenedElements = 4;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Elementwise);

    public void Narrow(Tensor input, Tensor output) => kernels.Launch(
        output.ElementType,
        "elements_narrow",
        CudaKernelFamily.Blocks(input.Count, Threads * CudaKernelFamily.VectorLength(output.ElementType)),
        Threads,
        new KernelArguments { input, output, input.Count });

    public void Widen(Tensor input, Tensor output, bool accumulate) => kernels.Launch(
        input.ElementType,
        "elements_widen",
        CudaKernelFamily.Blocks(input.Count, Threads * WidenedElements),
        Threads,
        new KernelArguments { input, output, input.Count, accumulate ? 1 : 0 });
}
