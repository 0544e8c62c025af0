namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="Attention"/>.</summary>
public interface IAttentionKernels
{
    /// <summary>The most channels of a head that these kernels take.</summary>
    int MaximumHeadSize => Attention.MaximumHeadSize;

    /// <summary>Attention of every head of every sample.</summary>
    /// <param name="qkv">(batch, tokens, 3 * heads * headSize): all q heads, all k heads, all v heads.</param>
    /// <param name="arguments">Norm weights, rotary tables and token ids.</param>
    /// <param name="output">(batch, tokens, heads * headSize), overwritten.</param>
    /// <param name="logSumExp">(batch, heads, tokens): logarithm of the softmax's denominator, overwritten.</param>
    void Forward(Tensor qkv, in AttentionArguments arguments, Tensor output, Tensor logSumExp);

    /// <summary>Gradients, with the probabilities recomputed from <paramref name="logSumExp"/>; the same bits on every run.</summary>
    /// <param name="gradient">(batch, tokens, heads * headSize): of the output.</param>
    /// <param name="qkv">(batch, tokens, 3 * heads * headSize).</param>
    /// <param name="arguments">Norm weights, rotary tables and token ids.</param>
    /// <param name="output">What the forward pass wrote.</param>
    /// <param name="logSumExp">What the forward pass wrote.</param>
    /// <param name="qkvGradient">(batch, tokens, 3 * heads * headSize), overwritten.</param>
    /// <param name="queryNormGradient">(headSize), added to; or empty.</param>
    /// <param name="keyNormGradient">(headSize), added to; or empty.</param>
    void Backward(
        Tensor gradient,
        Tensor qkv,
        in AttentionArguments arguments,
        Tensor output,
        Tensor logSumExp,
        Tensor qkvGradient,
        Tensor queryNormGradient,
        Tensor keyNormGradient);
}
