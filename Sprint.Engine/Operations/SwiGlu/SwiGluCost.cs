namespace Sprint.Engine.Operations;

/// <summary>Costs of what <see cref="SwiGlu"/> does beside its products: SiLU takes 4, its derivative, both factors' gradients and the product itself 12 for each number.</summary>
internal static class SwiGluCost
{
    private const string Name = "swiglu";

    /// <summary>In the epilogue of the second product, which writes the result: the gate is read, the linear part kept or not.</summary>
    internal static OperationCost Forward(Tensor gate, Tensor linear) => new(Name, 0, 5 * gate.Count, gate.Bytes, linear.Bytes);

    /// <summary>A pass over the gradient of the product, gate and linear part, which become product and gradients.</summary>
    internal static OperationCost Backward(Tensor gate) => new(Name, 0, 12 * gate.Count, 3 * gate.Bytes, 3 * gate.Bytes);

    /// <summary>In the epilogue of the product before it, which writes the product: the gradient is neither stored nor read.</summary>
    internal static OperationCost FusedBackward(Tensor gate) => new(Name, 0, 12 * gate.Count, 2 * gate.Bytes, 2 * gate.Bytes);
}
