namespace Sprint.Engine.Operations;

/// <summary>
/// Costs of <see cref="ResidualFusion"/>: products of width x width over N rows of the dense path, M rows of the sparse one and
/// one row for the constant of dropped tokens, where the padded form needs 2N rows.
/// </summary>
internal static class FusionCost
{
    private const string Name = "residual fusion";

    internal static OperationCost Forward(in FusionInputs inputs)
    {
        long width = inputs.Dense.Shape[2];
        return new OperationCost(
            Name,
            2 * (inputs.Dense.Shape.Rows + SparseRows(inputs) + ConstantRows(inputs)) * width * width,
            2 * inputs.Dense.Count,
            inputs.Dense.Bytes + inputs.Weight.Bytes + inputs.Sparse.Bytes,
            inputs.Dense.Bytes);
    }

    internal static OperationCost Backward(in FusionInputs inputs, in FusionGradients gradients)
    {
        long width = inputs.Dense.Shape[2];
        long rows = 0;
        rows += gradients.Dense.IsEmpty ? 0 : inputs.Dense.Shape.Rows;
        rows += gradients.Sparse.IsEmpty ? 0 : SparseRows(inputs);
        rows += gradients.Weight.IsEmpty ? 0 : inputs.Dense.Shape.Rows + SparseRows(inputs) + ConstantRows(inputs);
        rows += gradients.MaskToken.IsEmpty ? 0 : ConstantRows(inputs);
        return new OperationCost(
            Name,
            2 * rows * width * width,
            2 * inputs.Dense.Count,
            (2 * inputs.Dense.Bytes) + inputs.Weight.Bytes + inputs.Sparse.Bytes,
            gradients.Dense.Bytes + gradients.Sparse.Bytes + gradients.Weight.Bytes + gradients.Bias.Bytes);
    }

    private static long SparseRows(in FusionInputs inputs) => inputs.Sparse.IsEmpty ? 0 : inputs.Sparse.Shape.Rows;

    private static long ConstantRows(in FusionInputs inputs) => inputs.Sparse.IsEmpty || !inputs.Rows.IsEmpty ? 1 : 0;
}
