namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="AdaptiveLayerNorm"/>.</summary>
public interface IAdaptiveLayerNormKernels
{
    /// <summary><c>output = LN(input) (1 + scale) + shift</c>.</summary>
    /// <param name="input">(batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="shiftChunk">Which chunk is the shift.</param>
    /// <param name="scaleChunk">Which chunk is the scale.</param>
    /// <param name="output">(batch, tokens, width), overwritten.</param>
    /// <param name="statistics">(batch, tokens, 2): mean and reciprocal standard deviation, overwritten; or empty.</param>
    void Forward(Tensor input, Tensor modulation, int shiftChunk, int scaleChunk, Tensor output, Tensor statistics);

    /// <summary>Gradients of input and modulation; sums run in an order that depends on the shape alone.</summary>
    /// <param name="gradient">(batch, tokens, width): of the output.</param>
    /// <param name="input">(batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="shiftChunk">Which chunk is the shift.</param>
    /// <param name="scaleChunk">Which chunk is the scale.</param>
    /// <param name="statistics">What the forward pass stored.</param>
    /// <param name="inputGradient">(batch, tokens, width), or empty.</param>
    /// <param name="accumulate">Whether to add to <paramref name="inputGradient"/> instead of overwriting it.</param>
    /// <param name="modulationGradient">(batch, chunks * width): the two chunks are added to; or empty.</param>
    void Backward(
        Tensor gradient,
        Tensor input,
        Tensor modulation,
        int shiftChunk,
        int scaleChunk,
        Tensor statistics,
        Tensor inputGradient,
        bool accumulate,
        Tensor modulationGradient);
}
