using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="AdaptiveLayerNorm"/> by the kernels of kernels/adaptive_layer_norm.cu.</summary>
/// <param name="device">The device.</param>
/// <param name="tokensPerBlock">Tokens that a block sums, which is the order of sums; null for as many as suit the shape.</param>
internal sealed class CudaAdaptiveLayerNorm(CudaDevice device, int? tokensPerBlock = null) : IAdaptiveLayerNormKernels
{
    private const int ForwardColumns = 40;
    private const int BackwardColumns = 8;
    private const int WarpSize = 32;
    private const int MostWidth = BackwardColumns * 1024;
    private const int ForwardThreads = 128;
    private const int ReductionThreads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.AdaptiveLayerNorm);

    public void Forward(Tensor input, Tensor modulation, int shiftChunk, int scaleChunk, Tensor output, Tensor statistics)
    {
        int width = input.Shape[2];
        int threads = ThreadsFor(width, ForwardColumns);
        int rows = Math.Max(1, ForwardThreads / threads);
        kernels.Launch(
            input.ElementType,
            "adaptive_layer_norm_forward",
            CudaKernelFamily.Blocks(input.Shape.Rows, rows),
            (threads, rows),
            new KernelArguments
            {
                input, modulation, output, statistics, input.Shape.Rows, input.Shape[1], width, (long)modulation.Shape[1], shiftChunk * width, scaleChunk * width, AdaptiveLayerNorm.Epsilon,
            });
    }

    public void Backward(
        Tensor gradient,
        Tensor input,
        Tensor modulation,
        int shiftChunk,
        int scaleChunk,
        Tensor statistics,
        Tensor inputGradient,
        bool accumulate,
        Tensor modulationGradient)
    {
        (int batch, int tokens, int width) = (input.Shape[0], input.Shape[1], input.Shape[2]);
        int chunks = CudaKernelFamily.Blocks(tokens, tokensPerBlock ?? CudaColumnSums.TokensPerBlock(batch, tokens));
        using Tensor partial = modulationGradient.IsEmpty ? default : device.Workspace(new Shape(batch, chunks, 2, width));
        kernels.Launch(
            input.ElementType,
            "adaptive_layer_norm_backward",
            (chunks, batch),
            ThreadsFor(width, BackwardColumns),
            new KernelArguments
            {
                gradient, input, modulation, statistics, inputGradient, partial, tokens, width, (long)modulation.Shape[1], scaleChunk * width, accumulate ? 1 : 0,
            });
        if (!modulationGradient.IsEmpty)
        {
            kernels.Launch(
                input.ElementType,
                "adaptive_layer_norm_backward_modulation",
                (CudaKernelFamily.Blocks(width, ReductionThreads), batch, 2),
                ReductionThreads,
                new KernelArguments { partial, modulationGradient, chunks, width, (long)modulation.Shape[1], shiftChunk * width, scaleChunk * width });
        }
    }

    /// <summary>Whole warps for a row, of so many columns a thread.</summary>
    private static int ThreadsFor(int width, int columns)
    {
        Require.That(width <= MostWidth, "adaptive layer norm", $"rows of {width} elements are longer than the {MostWidth} that the CUDA kernels take");
        return CudaKernelFamily.Blocks(width, columns * WarpSize) * WarpSize;
    }
}
