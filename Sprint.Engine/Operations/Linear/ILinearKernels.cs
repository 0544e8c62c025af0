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
