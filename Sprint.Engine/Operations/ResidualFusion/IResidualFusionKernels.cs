namespace Sprint.Engine.Operations;

/// <summary>
/// What a device does for <see cref="ResidualFusion"/>. W is (width, 2 width): columns 0..width-1 multiply the sparse path
/// (Wg), the others the dense one (Wf). An empty sparse tensor means that every token is dropped; an empty row map, with a
/// sparse tensor, that token i has row i.
/// </summary>
public interface IResidualFusionKernels
{
    /// <summary><c>output[n] = dense[n] Wf^T + (rows[n] >= 0 ? sparse[rows[n]] : maskToken) Wg^T + bias</c>.</summary>
    /// <param name="dense">(batch, tokens, width).</param>
    /// <param name="sparse">(batch, keptTokens, width), or empty.</param>
    /// <param name="rows">(batch, tokens) int32, or empty.</param>
    /// <param name="maskToken">(1, 1, width).</param>
    /// <param name="weight">(width, 2 * width).</param>
    /// <param name="bias">(width).</param>
    /// <param name="output">(batch, tokens, width), overwritten.</param>
    void Forward(Tensor dense, Tensor sparse, Tensor rows, Tensor maskToken, Tensor weight, Tensor bias, Tensor output);

    /// <summary>Gradients of the two paths.</summary>
    /// <param name="gradient">(batch, tokens, width): of the output.</param>
    /// <param name="rows">(batch, tokens) int32, or empty.</param>
    /// <param name="weight">(width, 2 * width).</param>
    /// <param name="denseGradient">(batch, tokens, width), or empty.</param>
    /// <param name="accumulateDense">Whether to add to it.</param>
    /// <param name="sparseGradient">(batch, keptTokens, width), or empty.</param>
    /// <param name="accumulateSparse">Whether to add to it.</param>
    void BackwardInputs(
        Tensor gradient,
        Tensor rows,
        Tensor weight,
        Tensor denseGradient,
        bool accumulateDense,
        Tensor sparseGradient,
        bool accumulateSparse);

    /// <summary>Gradients of the parameters, summed in an order that depends on the shapes alone.</summary>
    /// <param name="gradient">(batch, tokens, width): of the output.</param>
    /// <param name="dense">(batch, tokens, width).</param>
    /// <param name="sparse">(batch, keptTokens, width), or empty.</param>
    /// <param name="rows">(batch, tokens) int32, or empty.</param>
    /// <param name="maskToken">(1, 1, width).</param>
    /// <param name="weight">(width, 2 * width).</param>
    /// <param name="weightGradient">(width, 2 * width), or empty.</param>
    /// <param name="accumulateWeight">Whether to add to it.</param>
    /// <param name="biasGradient">(width), or empty.</param>
    /// <param name="accumulateBias">Whether to add to it.</param>
    /// <param name="maskTokenGradient">(1, 1, width), added to; or empty.</param>
    void BackwardParameters(
        Tensor gradient,
        Tensor dense,
        Tensor sparse,
        Tensor rows,
        Tensor maskToken,
        Tensor weight,
        Tensor weightGradient,
        bool accumulateWeight,
        Tensor biasGradient,
        bool accumulateBias,
        Tensor maskTokenGradient);
}
