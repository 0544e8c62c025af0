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

    /// <param name="qkv">(batch, tokens, 3 * width).</param>
    /// <param name="output">(batch, tokens, width).</param>
    /// <param name="logSumExp">(batch, heads, tokens).</param>
    internal static OperationCost Forward(Tensor qkv, Tensor output, Tensor logSumExp) => new(
        "attention",
        4 * output.Count * Tokens(output),
        (logSumExp.Count * Tokens(output) * SoftmaxFlops) + (2 * output.Count * NormAndRopeFlops),
        qkv.Bytes,
        output.Bytes + logSumExp.Bytes);

    /// <summary>Reads qkv, the output, its gradient and the log-sum-exp, and writes the gradient of qkv.</summary>
    internal static OperationCost Backward(Tensor qkv, Tensor output, Tensor logSumExp) => new(
        "attention",
        10 * output.Count * Tokens(output),
        (logSumExp.Count * Tokens(output) * 2 * SoftmaxFlops) + (6 * output.Count * NormAndRopeFlops),
        qkv.Bytes + (2 * output.Bytes) + logSumExp.Bytes,
        qkv.Bytes);

    private static long Tokens(Tensor output) => output.Shape[1];
}
