namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="Linear"/>. Rows are all leading dimensions together; empty tensors are absent.</summary>
public interface ILinearKernels
{
    /// <summary><c>output = activation(input weight^T + bias)</c>, and the argument of the activation where it is asked for.</summary>
    /// <param name="input">(rows, inputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="bias">(outputs), or empty.</param>
    /// <param name="activation">The function applied at the end.</param>
    /// <param name="preactivation">(rows, outputs), overwritten with the activation's argument, or empty.</param>
    /// <param name="output">(rows, outputs), overwritten.</param>
    void Forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor preactivation, Tensor output);

    /// <summary>Whether <see cref="ForwardGated"/> is there and saves a pass over the branch on tensors like these.</summary>
    /// <param name="input">(rows, inputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="residual">(batch, tokens, outputs).</param>
    bool FusesGate(Tensor input, Tensor weight, Tensor residual) => false;

    /// <summary><c>output = residual + gate * (input weight^T + bias)</c>, and the branch in the parentheses where it is asked for.</summary>
    /// <param name="input">(batch, tokens, inputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="bias">(outputs), or empty.</param>
    /// <param name="residual">(batch, tokens, outputs).</param>
    /// <param name="modulation">(batch, chunks * outputs).</param>
    /// <param name="gateChunk">Which chunk is the gate.</param>
    /// <param name="branch">(batch, tokens, outputs), overwritten, or empty.</param>
    /// <param name="output">(batch, tokens, outputs), overwritten.</param>
    /// <exception cref="NotSupportedException">These kernels have no such pass: see <see cref="FusesGate"/>.</exception>
    void ForwardGated(Tensor input, Tensor weight, Tensor bias, Tensor residual, Tensor modulation, int gateChunk, Tensor branch, Tensor output) =>
        throw new NotSupportedException();

    /// <summary>Whether <see cref="BackwardArgument"/> is there and faster than the product and the activation's derivative one after the other.</summary>
    /// <param name="gradient">(rows, outputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="activation">The function whose result the layer reads.</param>
    bool FusesDerivative(Tensor gradient, Tensor weight, Activation activation) => false;

    /// <summary>
    /// <c>argumentGradient = (gradient weight) * activation'(argument)</c>: the gradient of the argument of the activation whose result was the
    /// layer's input.
    /// </summary>
    /// <param name="gradient">(rows, outputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="activation">The function whose result the layer reads.</param>
    /// <param name="argument">(rows, inputs): the function's argument.</param>
    /// <param name="argumentGradient">(rows, inputs), overwritten.</param>
    /// <exception cref="NotSupportedException">These kernels have no such pass: see <see cref="FusesDerivative"/>.</exception>
    void BackwardArgument(Tensor gradient, Tensor weight, Activation activation, Tensor argument, Tensor argumentGradient) =>
        throw new NotSupportedException();

    /// <summary>Turns the gradient of the activation's result into that of its argument.</summary>
    /// <param name="gradient">(rows, outputs): of the result.</param>
    /// <param name="activation">The function.</param>
    /// <param name="preactivation">(rows, outputs): the argument; overwritten with its gradient.</param>
    void BackwardActivation(Tensor gradient, Activation activation, Tensor preactivation);

    /// <summary><c>inputGradient (+)= gradient weight</c>.</summary>
    /// <param name="gradient">(rows, outputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="inputGradient">(rows, inputs).</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    void BackwardInput(Tensor gradient, Tensor weight, Tensor inputGradient, bool accumulate);

    /// <summary>
    /// <c>weightGradient (+)= gradient^T input</c> and, where it is asked for, <c>biasGradient (+)= sum over rows of gradient</c>, which costs
    /// little while the gradient passes by; both in an order that depends on the shapes alone.
    /// </summary>
    /// <param name="gradient">(rows, outputs).</param>
    /// <param name="input">(rows, inputs).</param>
    /// <param name="weightGradient">(outputs, inputs).</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    /// <param name="biasGradient">(outputs), or empty.</param>
    /// <param name="accumulateBias">Whether to add to <paramref name="biasGradient"/> instead of overwriting it.</param>
    void BackwardWeight(
        Tensor gradient, Tensor input, Tensor weightGradient, bool accumulate, Tensor biasGradient = default, bool accumulateBias = false);

    /// <summary>
    /// <c>biasGradient (+)= sum over rows of gradient</c>, in an order that depends on the shape alone: for layers whose weight is frozen.
    /// </summary>
    /// <param name="gradient">(rows, outputs).</param>
    /// <param name="biasGradient">(outputs).</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    void BackwardBias(Tensor gradient, Tensor biasGradient, bool accumulate);
}
