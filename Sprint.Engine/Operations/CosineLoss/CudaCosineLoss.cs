using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="CosineLoss"/> by the kernels of kernels/cosine_loss.cu.</summary>
internal sealed class CudaCosineLoss(CudaDevice device) : ICosineLossKernels
{
    private const int Threads = 128;
    private const int RowsPerBlock = 16;
    private const int ReductionThreads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.CosineLoss);

    public void Forward(Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor loss)
    {
        ElementType element = prediction.ElementType;
        long rows = prediction.Shape.Rows;
        int blocks = CudaKernelFamily.Blocks(rows, RowsPerBlock);
        using Tensor partial = device.Workspace(new Shape(blocks));
        kernels.Launch(
            element,
            "cosine_loss_forward",
            blocks,
            Threads,
            new KernelArguments
            {
                prediction, target, ids, coefficients, partial, rows, prediction.Shape[1], target.Shape[1], prediction.Shape[2], CosineLoss.NormFloor,
            });
        kernels.Launch(element, "cosine_loss_reduce", 1, ReductionThreads, new KernelArguments { partial, loss, blocks, rows });
    }

    public void Backward(Tensor gradient, Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor predictionGradient, bool accumulate)
    {
        long rows = prediction.Shape.Rows;
        kernels.Launch(
            prediction.ElementType,
            "cosine_loss_backward",
            CudaKernelFamily.Blocks(rows, RowsPerBlock),
            Threads,
            new KernelArguments
            {
                gradient, prediction, target, ids, coefficients, predictionGradient, rows, prediction.Shape[1], target.Shape[1], prediction.Shape[2], accumulate ? 1 : 0,
            });
    }
}
