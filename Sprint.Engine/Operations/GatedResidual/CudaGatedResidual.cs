using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="GatedResidual"/> by the kernels of kernels/gated_residual.cu.</summary>
/// <param name="device">The device.</param>
/// <param name="tokensPerBlock">Tokens that a block sums, which is the order of sums; null for as many as suit the shape.</param>
internal sealed class CudaGatedResidual(CudaDevice device, int? tokensPerBlock = null) : IGatedResidualKernels
{
    private const int WarpSize = 32;
    private const int MostThreads = 256;
    private const int ForwardTokensPerBlock = 8;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.GatedResidual);

    public void Forward(Tensor input, Tensor branch, Tensor modulation, int gateChunk, Tensor output)
    {
        (int batch, int tokens, int width) = (input.Shape[0], input.Shape[1], input.Shape[2]);
        (int columns, int threads) = Columns(input);
        kernels.Launch(
            input.ElementType,
            "gated_residual_forward",
            (columns, CudaKernelFamily.Blocks(tokens, ForwardTokensPerBlock), batch),
            threads,
            new KernelArguments { input, branch, modulation, output, tokens, width, (long)modulation.Shape[1], gateChunk * width, ForwardTokensPerBlock });
    }

    public void Backward(
        Tensor gradient,
        Tensor branch,
        Tensor modulation,
        int gateChunk,
        Tensor branchGradient,
        bool accumulate,
        Tensor modulationGradient)
    {
        (int batch, int tokens, int width) = (branch.Shape[0], branch.Shape[1], branch.Shape[2]);
        (int columns, int threads) = Columns(branch);
        int summed = tokensPerBlock ?? CudaColumnSums.TokensPerBlock(batch, tokens);
        int chunks = CudaKernelFamily.Blocks(tokens, summed);
        using Tensor partial = modulationGradient.IsEmpty ? default : device.Workspace(new Shape(batch, chunks, width));
        kernels.Launch(
            branch.ElementType,
            "gated_residual_backward",
            (columns, chunks, batch),
            threads,
            new KernelArguments
            {
                gradient, branch, modulation, branchGradient, partial, tokens, width, (long)modulation.Shape[1], gateChunk * width, summed, accumulate ? 1 : 0,
            });
        if (!modulationGradient.IsEmpty)
        {
            kernels.Launch(
                branch.ElementType,
                "gated_residual_backward_modulation",
                (CudaKernelFamily.Blocks(width, MostThreads), batch),
                MostThreads,
                new KernelArguments { partial, modulationGradient, chunks, width, (long)modulation.Shape[1], gateChunk * width });
        }
    }

    /// <summary>Blocks along a row, and threads of each: a thread takes a vector, or an element where rows are ragged.</summary>
    private static (int Blocks, int Threads) Columns(Tensor tensor)
    {
        int vector = CudaKernelFamily.VectorLength(tensor.ElementType);
        int width = tensor.Shape.RowLength;
        int parts = width % vector == 0 ? width / vector : width;
        int blocks = CudaKernelFamily.Blocks(parts, MostThreads);
        return (blocks, CudaKernelFamily.Blocks(CudaKernelFamily.Blocks(parts, blocks), WarpSize) * WarpSize);
    }
}
