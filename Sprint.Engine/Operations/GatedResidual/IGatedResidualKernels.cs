namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="GatedResidual"/>.</summary>
public interface IGatedResidualKernels
{
    /// <summary><c>output = input + gate * branch</c>.</summary>
    /// <param name="input">(batch, tokens, width).</param>
    /// <param name="branch">(batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="gateChunk">Which chunk is the gate.</param>
    /// <param name="output">(batch, tokens, width), overwritten.</param>
    void Forward(Tensor input, Tensor branch, Tensor modulation, int gateChunk, Tensor output);

    /// <summary>
    /// <c>branchGradient (+)= gate * gradient</c> and <c>gate's gradient += sum over tokens of gradient * branch</c>, in an
    /// order that depends on the shape alone.
    /// </summary>
    /// <param name="gradient">(batch, tokens, width): of the output.</param>
    /// <param name="branch">(batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="gateChunk">Which chunk is the gate.</param>
    /// <param name="branchGradient">(batch, tokens, width), or empty.</param>
    /// <param name="accumulate">Whether to add to <paramref name="branchGradient"/> instead of overwriting it.</param>
    /// <param name="modulationGradient">(batch, chunks * width): the chunk is added to; or empty.</param>
    void Backward(
        Tensor gradient,
        Tensor branch,
        Tensor modulation,
        int gateChunk,
        Tensor branchGradient,
        bool accumulate,
        Tensor modulationGradient);
}
