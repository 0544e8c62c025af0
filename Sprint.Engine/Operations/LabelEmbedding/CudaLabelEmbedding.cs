using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="LabelEmbedding"/> by the kernels of kernels/embedding.cu.</summary>
internal sealed class CudaLabelEmbedding(CudaDevice device) : ILabelEmbeddingKernels
{
    private const int Threads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Embedding);

    public void Forward(Tensor table, Tensor labels, Tensor output)
    {
        // A grid of no blocks is refused, and a block of no sample would read a label that is not there.
        if (labels.Count > 0)
        {
            kernels.Launch(table.ElementType, "label_embedding_forward", labels.Shape[0], Threads, new KernelArguments { table, labels, output, table.Shape[1] });
        }
    }

    public void Backward(Tensor gradient, Tensor labels, Tensor tableGradient)
    {
        if (labels.Count > 0)
        {
            kernels.Launch(
                gradient.ElementType,
                "label_embedding_backward",
                labels.Shape[0],
                Threads,
                new KernelArguments { gradient, labels, tableGradient, labels.Shape[0], gradient.Shape[1] });
        }
    }
}
