using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="Attention"/> by the kernels of kernels/attention_forward.cu and attention_backward.cu, on tensor cores where qkv is stored as bfloat16,
/// or their float32 counterparts. Norm weights, tables, log-sum-exp and the weights' gradients are float32 either way.
/// </summary>
internal sealed class CudaAttention(CudaDevice device) : IAttentionKernels
{
    private readonly Dictionary<(int HeadSize, int QueryTile), CudaKernelFamily> forward = [];
    private readonly Dictionary<int, CudaKernelFamily> backward = [];

    public int MaximumHeadSize => AttentionTiles.MaximumHeadSize;

    public void Forward(Tensor qkv, in AttentionArguments arguments, Tensor output, Tensor logSumExp)
    {
        AttentionTiles tiles = Tiles(qkv, arguments.Heads);
        (int headSize, int queryTile) = (tiles.HeadSize, tiles.QueryTile);
        if (!forward.TryGetValue((headSize, queryTile), out CudaKernelFamily? kernels))
        {
            kernels = new CudaKernelFamily(device, element => KernelCatalog.AttentionForward(element, headSize, queryTile));
            forward.Add((headSize, queryTile), kernels);
        }

        kernels.Launch(
            qkv.ElementType,
            "attention_forward",
            tiles.ForwardGrid,
            tiles.Threads,
            new KernelArguments
            {
                qkv, arguments.QueryNormWeight, arguments.KeyNormWeight, arguments.Cosines, arguments.Sines, arguments.TokenIds,
                output, logSumExp, tiles.Tokens, tiles.Heads, tiles.Scale,
            },
            tiles.ForwardSharedBytes);
    }

    public void Backward(
        Tensor gradient,
        Tensor qkv,
        in AttentionArguments arguments,
        Tensor output,
        Tensor logSumExp,
        Tensor qkvGradient,
        Tensor queryNormGradient,
        Tensor keyNormGradient)
    {
        AttentionTiles tiles = Tiles(qkv, arguments.Heads);
        int headSize = tiles.HeadSize;
        if (!backward.TryGetValue(headSize, out CudaKernelFamily? kernels))
        {
            kernels = new CudaKernelFamily(device, element => KernelCatalog.AttentionBackward(element, headSize));
            backward.Add(headSize, kernels);
        }

        ElementType element = qkv.ElementType;
        using Tensor delta = device.Workspace(logSumExp.Shape);
        kernels.Launch(
            element,
            "attention_backward_prepare",
            tiles.PrepareGrid,
            AttentionTiles.PrepareBlock,
            new KernelArguments { gradient, output, delta, tiles.Tokens, tiles.Heads });

        using Tensor queryPartial = Partial(queryNormGradient, tiles), keyPartial = Partial(keyNormGradient, tiles);
        Rows("attention_backward_dkv", keyPartial, arguments);
        Rows("attention_backward_dq", queryPartial, arguments);
        if (!queryNormGradient.IsEmpty || !keyNormGradient.IsEmpty)
        {
            kernels.Launch(
                element,
                "attention_backward_weights",
                tiles.WeightsGrid,
                AttentionTiles.WeightsBlock,
                new KernelArguments { queryPartial, keyPartial, queryNormGradient, keyNormGradient, tiles.BackwardBlocks });
        }

        void Rows(string entryPoint, Tensor partial, in AttentionArguments of) => kernels.Launch(
            element,
            entryPoint,
            tiles.BackwardGrid,
            tiles.Threads,
            new KernelArguments
            {
                gradient, qkv, of.QueryNormWeight, of.KeyNormWeight, of.Cosines, of.Sines, of.TokenIds,
                logSumExp, delta, qkvGradient, partial, tiles.Tokens, tiles.Heads, tiles.Scale,
            },
            tiles.BackwardSharedBytes);
    }

    /// <summary>A row for each block's sums, where the weight's gradient is wanted.</summary>
    private Tensor Partial(Tensor weightGradient, in AttentionTiles tiles) =>
        weightGradient.IsEmpty ? default : device.Workspace(new Shape(checked((int)tiles.BackwardBlocks), tiles.HeadSize));

    private static AttentionTiles Tiles(Tensor qkv, int heads)
    {
        int headSize = qkv.Shape[2] / (3 * heads);
        Require.That(
            headSize <= AttentionTiles.MaximumHeadSize,
            "attention",
            $"the CUDA kernels take heads of at most {AttentionTiles.MaximumHeadSize} channels, not {headSize}: use more heads, or device cpu, which takes up to {Attention.MaximumHeadSize}");
        string element = qkv.ElementType == ElementType.Float32 ? KernelCatalog.FloatElement : KernelCatalog.BFloat16Element;
        return new AttentionTiles(element, qkv.Shape[0], qkv.Shape[1], heads, headSize);
    }
}
