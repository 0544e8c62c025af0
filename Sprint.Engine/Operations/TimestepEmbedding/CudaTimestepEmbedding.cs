using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="TimestepEmbedding"/> by the kernels of kernels/embedding.cu.</summary>
internal sealed class CudaTimestepEmbedding(CudaDevice device) : ITimestepEmbeddingKernels
{
    private const int Threads = 128;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Embedding);

    public void Forward(Tensor times, Tensor output)
    {
        long count = output.Count / 2;
        kernels.Launch(
            output.ElementType,
            "timestep_embedding_forward",
            CudaKernelFamily.Blocks(count, Threads),
            Threads,
            new KernelArguments { times, output, count, output.Shape[1] / 2 });
    }
}
