namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="AdamW"/>: all parameters in one pass.</summary>
public interface IAdamWKernels
{
    /// <summary>The L2 norm of all gradients together, summed in an order that depends on the shapes alone.</summary>
    /// <param name="states">What is learned.</param>
    /// <param name="norm">(1), overwritten.</param>
    void GradientNorm(IReadOnlyList<AdamWState> states, Tensor norm);

    /// <summary>
    /// Clips by <c>min(1, maximum / (norm + 1e-6))</c>, updates moments and values, moves the average:
    /// <c>average = decay average + (1 - decay) value</c>, and rounds the new values to the shadows that there are.
    /// </summary>
    /// <param name="states">What is learned.</param>
    /// <param name="norm">(1): what <see cref="GradientNorm"/> computed.</param>
    /// <param name="settings">The numbers of this update.</param>
    void Update(IReadOnlyList<AdamWState> states, Tensor norm, in AdamWSettings settings);
}
