namespace Sprint.Engine.Operations;

/// <summary>
/// What a device does for <see cref="SwiGlu"/> beside the products that <see cref="ILinearKernels"/> has. Rows are all leading dimensions together; all
/// tensors are of one element type.
/// </summary>
public interface ISwiGluKernels
{
    /// <summary><c>product = SiLU(gate) * (input weight^T + bias)</c>, and the linear part in the parentheses where it is asked for.</summary>
    /// <param name="input">(rows, inputs).</param>
    /// <param name="weight">(hidden, inputs).</param>
    /// <param name="bias">(hidden), or empty.</param>
    /// <param name="gate">(rows, hidden).</param>
    /// <param name="linear">(rows, hidden), overwritten, or empty.</param>
    /// <param name="product">(rows, hidden), overwritten.</param>
    void Forward(Tensor input, Tensor weight, Tensor bias, Tensor gate, Tensor linear, Tensor product);

    /// <summary>Whether <see cref="BackwardProduct"/> is there and faster than the product and <see cref="Backward"/> one after the other.</summary>
    /// <param name="gradient">(rows, outputs).</param>
    /// <param name="weight">(outputs, hidden).</param>
    bool FusesBackward(Tensor gradient, Tensor weight) => false;

    /// <summary><see cref="Backward"/> with <c>gradient weight</c> as the gradient of the product, which is never stored.</summary>
    /// <param name="gradient">(rows, outputs): of the last layer's result.</param>
    /// <param name="weight">(outputs, hidden): the last layer's.</param>
    /// <param name="gate">(rows, hidden): overwritten with its gradient.</param>
    /// <param name="linear">(rows, hidden): overwritten with its gradient.</param>
    /// <param name="product">(rows, hidden): overwritten with <c>SiLU(gate) * linear</c>.</param>
    /// <exception cref="NotSupportedException">These kernels have no such pass: see <see cref="FusesBackward"/>.</exception>
    void BackwardProduct(Tensor gradient, Tensor weight, Tensor gate, Tensor linear, Tensor product) => throw new NotSupportedException();

    /// <summary>
    /// With d the gradient of the product: <c>gate = d linear SiLU'(gate)</c> and <c>linear = d SiLU(gate)</c>, their gradients, and the product itself.
    /// </summary>
    /// <param name="gate">(rows, hidden): overwritten with its gradient.</param>
    /// <param name="linear">(rows, hidden): overwritten with its gradient.</param>
    /// <param name="product">(rows, hidden): d; overwritten with <c>SiLU(gate) * linear</c>.</param>
    void Backward(Tensor gate, Tensor linear, Tensor product);
}
