using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="RandomNumbers"/> by the kernels of kernels/random.cu.</summary>
internal sealed class CudaRandom(CudaDevice device) : IRandomKernels
{
    private const int Threads = 256;
    private const int NumbersPerThread = 4;

    private readonly CudaKernelFamily kernels = new(device, static _ => KernelCatalog.Random);

    public void Uniform(RandomStream stream, Tensor output) => Run("random_uniform", stream, output);

    public void Normal(RandomStream stream, Tensor output) => Run("random_normal", stream, output);

    private void Run(string kernel, RandomStream stream, Tensor output) => kernels.Launch(
        ElementType.Float32,
        kernel,
        CudaKernelFamily.Blocks(output.Count, Threads * NumbersPerThread),
        Threads,
        new KernelArguments { output, output.Count, stream.Seed, stream.Stream, stream.Counter });
}
