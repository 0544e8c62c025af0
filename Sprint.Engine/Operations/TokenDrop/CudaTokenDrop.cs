using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="TokenDrop"/> by the kernels of kernels/token_drop.cu.</summary>
internal sealed class CudaTokenDrop(CudaDevice device) : ITokenDropKernels
{
    private const int Threads = 256;
    private const int MostThreadsPerRow = 32;
    private const int TokensPerChunk = 128;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.TokenDrop);

    public void Select(Tensor uniforms, DropPattern pattern, Tensor ids)
    {
        if (pattern.Kind == DropKind.Structured)
        {
            kernels.Launch(
                ElementType.Float32,
                "tokens_select_structured",
                CudaKernelFamily.Blocks(uniforms.Count, Threads),
                Threads,
                new KernelArguments { uniforms, ids, uniforms.Count, pattern.GroupSize, pattern.KeptPerGroup, pattern.GridHeight, pattern.GridWidth });
        }
        else
        {
            kernels.Launch(
                ElementType.Float32,
                "tokens_select_random",
                (ids.Shape[0], CudaKernelFamily.Blocks(pattern.Tokens, Threads)),
                Threads,
                new KernelArguments { uniforms, ids, pattern.Tokens, pattern.KeptTokens });
        }
    }

    public void Locate(Tensor ids, Tensor pathDrop, Tensor rows)
    {
        (int batch, int tokens) = (rows.Shape[0], rows.Shape[1]);
        int kept = ids.IsEmpty ? tokens : ids.Shape[1];
        Require.That(
            (long)batch * kept <= int.MaxValue, "token drop", $"{batch} samples of {kept} kept tokens are more than the {int.MaxValue} rows that an int32 tells apart");
        kernels.Launch(
            ElementType.Float32,
            "tokens_locate",
            batch,
            Threads,
            new KernelArguments { ids, pathDrop, rows, tokens, kept });
    }

    public void Gather(Tensor input, Tensor ids, Tensor output)
    {
        (Dim3 grid, Dim3 block) = Rows(output);
        kernels.Launch(
            input.ElementType,
            "tokens_gather_forward",
            grid,
            block,
            new KernelArguments { input, ids, output, output.Shape.Rows, input.Shape[1], ids.Shape[1], input.Shape[2] });
    }

    public void GatherBackward(Tensor gradient, Tensor ids, Tensor inputGradient)
    {
        (Dim3 grid, Dim3 block) = Rows(gradient);
        kernels.Launch(
            gradient.ElementType,
            "tokens_gather_backward",
            grid,
            block,
            new KernelArguments { gradient, ids, inputGradient, gradient.Shape.Rows, inputGradient.Shape[1], ids.Shape[1], gradient.Shape[2] });
    }

    public void Scatter(Tensor input, Tensor rows, Tensor fill, Tensor output)
    {
        (Dim3 grid, Dim3 block) = Rows(output);
        kernels.Launch(
            input.ElementType, "tokens_scatter_forward", grid, block, new KernelArguments { input, rows, fill, output, output.Shape.Rows, output.Shape[2] });
    }

    public void ScatterBackward(Tensor gradient, Tensor rows, Tensor inputGradient, Tensor fillGradient)
    {
        ElementType element = gradient.ElementType;
        (long count, int width) = (gradient.Shape.Rows, gradient.Shape[2]);
        if (!inputGradient.IsEmpty)
        {
            (Dim3 grid, Dim3 block) = Rows(gradient);
            kernels.Launch(element, "tokens_scatter_backward_input", grid, block, new KernelArguments { gradient, rows, inputGradient, count, width });
        }

        if (fillGradient.IsEmpty)
        {
            return;
        }

        int chunks = (int)Math.Clamp((count + TokensPerChunk - 1) / TokensPerChunk, 1, ushort.MaxValue);
        int columns = width % CudaKernelFamily.VectorLength(element) == 0 ? width / CudaKernelFamily.VectorLength(element) : width;
        using Tensor partial = device.Workspace(new Shape(chunks, width));
        kernels.Launch(
            element,
            "tokens_scatter_backward_fill",
            (CudaKernelFamily.Blocks(columns, Threads), chunks),
            Threads,
            new KernelArguments { gradient, rows, partial, count, width });
        kernels.Launch(
            element,
            "tokens_scatter_backward_fill_reduce",
            CudaKernelFamily.Blocks(width, Threads),
            Threads,
            new KernelArguments { partial, fillGradient, chunks, width });
    }

    /// <summary>Threads across a row as far as it has vectors for them, rows in the rest of the block.</summary>
    private static (Dim3 Grid, Dim3 Block) Rows(Tensor tensor)
    {
        int vectors = Math.Max(1, tensor.Shape.RowLength / CudaKernelFamily.VectorLength(tensor.ElementType));
        int across = (int)Math.Min(MostThreadsPerRow, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)vectors));
        int down = Threads / across;
        return (CudaKernelFamily.Blocks(tensor.Shape.Rows, down), (across, down));
    }
}
