namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="AdamW"/>: all parameters in one pass.</summary>
public interface IAdamWKernels
{
    /// <summary>The L2 norm of all gradients together, summed in an order that depends on the shapes alone.</summary>
    /// <param name="states">What is learned.</param>
    /// <param name="norm">(1), overwritten.</param>
    void GradientNorm(IReadOnlyList<AdamWState> states, Tensor norm);

    /// <summary>Sets the numbers of the updates that follow. They are kept where a captured update reads them when it is replayed.</summary>
    /// <param name="settings">The numbers.</param>
    void Configure(in AdamWSettings settings);

    /// <summary>
    /// Leaves everything as it is where the norm is not a finite number. Else clips by <c>min(1, maximum / (norm + 1e-6))</c>, updates moments and values,
    /// moves the average: <c>average = decay average + (1 - decay) value</c>, and rounds the new values to the shadows that there are.
    /// </summary>
    /// <param name="states">What is learned.</param>
    /// <param name="norm">(1): what <see cref="GradientNorm"/> computed.</param>
    void Update(IReadOnlyList<AdamWState> states, Tensor norm);

    /// <summary>Gives back what is kept for parameters that are no longer learned; work that was captured with it must not be replayed again.</summary>
    /// <param name="states">What was learned.</param>
    void Forget(IReadOnlyList<AdamWState> states);
}
