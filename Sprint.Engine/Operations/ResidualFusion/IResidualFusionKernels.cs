namespace Sprint.Engine.Operations;

/// <summary>
/// What a device does for <see cref="ResidualFusion"/>. W is (width, 2 width): columns 0..width-1 multiply the sparse path
/// (Wg), the others the dense one (Wf). An empty sparse tensor means that every token is dropped; an empty row map, with a
/// sparse tensor, that token i has row i. A row map may leave rows of the sparse path unused (path drop); their gradient is 0.
/// </summary>
public interface IResidualFusionKernels
{
    /// <summary><c>output[n] = f[n] Wf^T + (rows[n] >= 0 ? g[rows[n]] : m) Wg^T + b</c>.</summary>
    /// <param name="inputs">f, g, the row map and the parameters.</param>
    /// <param name="output">(batch, tokens, width), overwritten.</param>
    void Forward(in FusionInputs inputs, Tensor output);

    /// <summary>
    /// All gradients, summed in an order that depends on the shapes alone. That of f is written before that of g: a model without
    /// middle blocks that drops nothing gives one tensor as both.
    /// </summary>
    /// <param name="gradient">(batch, tokens, width): of the output.</param>
    /// <param name="inputs">What the forward pass read.</param>
    /// <param name="gradients">Where to write.</param>
    void Backward(Tensor gradient, in FusionInputs inputs, in FusionGradients gradients);
}
