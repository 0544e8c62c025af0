namespace Sprint.Engine.Operations;

/// <summary>
/// Costs of <see cref="Attention"/>: two products of tokens x tokens x width forward, five backward (q k^T again, and the
/// gradients of v, the probabilities, q and k).
/// </summary>
internal static class AttentionCost
{
    /// <summary>Per element of the probabilities: scale, subtract, exp, sum, divide.</summary>
    private const int SoftmaxFlops = 5;

    /// <summary>Per element of q and k: square, sum, scale, weight, and 3 for the rotation.</summary>
    private const int NormAndRopeFlops = 7;

    internal static OperationCost Forward(int batch, int tokens, int width, int heads) => new(
        "attention",
        4L * batch * tokens * tokens * width,
        ((long)batch * heads * tokens * tokens * SoftmaxFlops) + (2L * batch * tokens * width * NormAndRopeFlops),
        sizeof(float) * 3L * batch * tokens * width,
        sizeof(float) * (((long)batch * tokens * width) + ((long)batch * heads * tokens)));

    internal static OperationCost Backward(int batch, int tokens, int width, int heads) => new(
        "attention",
        10L * batch * tokens * tokens * width,
        ((long)batch * heads * tokens * tokens * 2 * SoftmaxFlops) + (6L * batch * tokens * width * NormAndRopeFlops),
        sizeof(float) * ((5L * batch * tokens * width) + ((long)batch * heads * tokens)),
        sizeof(float) * 3L * batch * tokens * width);
}
