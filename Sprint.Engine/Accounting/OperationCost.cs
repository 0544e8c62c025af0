namespace Sprint.Engine;

/// <summary>
/// What one dispatched operation computes and moves. A multiply-add is 2 FLOPs. Products (what tensor cores do) and the rest
/// are kept apart; bytes count each input once and each output once.
/// </summary>
/// <param name="Operation">The operation's name, e.g. <c>attention</c>: a constant string.</param>
/// <param name="MatrixFlops">Floating-point operations in matrix products.</param>
/// <param name="VectorFlops">All other floating-point operations; a transcendental function counts 1.</param>
/// <param name="BytesRead">Bytes of the inputs.</param>
/// <param name="BytesWritten">Bytes of the outputs.</param>
public readonly record struct OperationCost(
    string Operation, long MatrixFlops, long VectorFlops, long BytesRead, long BytesWritten)
{
    /// <summary>All floating-point operations.</summary>
    public long Flops => MatrixFlops + VectorFlops;
}
