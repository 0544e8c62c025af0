namespace Sprint.Engine.Operations;

/// <summary>Costs of <see cref="Linear"/>: products of rows x inputs x outputs; bias and activation count as vector work.</summary>
internal static class LinearCost
{
    internal static OperationCost Forward(Tensor input, Tensor weight, Tensor bias, Tensor output, Activation activation) => new(
        "linear",
        2 * input.Count * weight.Shape[0],
        output.Count * (activation == Activation.None ? 1 : 1 + ActivationFlops),
        input.Bytes + weight.Bytes + bias.Bytes,
        output.Bytes * (activation == Activation.None ? 1 : 2));

    internal static OperationCost BackwardActivation(Tensor gradient) => new(
        "linear activation", 0, gradient.Count * ActivationDerivativeFlops, 2 * gradient.Bytes, gradient.Bytes);

    /// <summary>The derivative in the epilogue of the product before it: of the three passes over memory the argument's is left.</summary>
    internal static OperationCost FusedDerivative(Tensor argument) => new("linear activation", 0, argument.Count * ActivationDerivativeFlops, argument.Bytes, 0);

    internal static OperationCost BackwardInput(Tensor gradient, Tensor weight, Tensor inputGradient, bool accumulate) => new(
        "linear",
        2 * gradient.Count * weight.Shape[1],
        0,
        gradient.Bytes + weight.Bytes + (accumulate ? inputGradient.Bytes : 0),
        inputGradient.Bytes);

    internal static OperationCost BackwardWeight(Tensor gradient, Tensor input, Tensor weightGradient, bool accumulate, Tensor biasGradient) => new(
        "linear",
        2 * gradient.Count * weightGradient.Shape[1],
        biasGradient.IsEmpty ? 0 : gradient.Count,
        gradient.Bytes + input.Bytes + (accumulate ? weightGradient.Bytes : 0),
        weightGradient.Bytes + biasGradient.Bytes);

    internal static OperationCost BackwardBias(Tensor gradient, Tensor biasGradient) => new(
        "linear bias", 0, gradient.Count, gradient.Bytes, biasGradient.Bytes);

    /// <summary>GELU: x * sigmoid(2u), u a cubic: 4 for the cubic, then exp, add, divide, multiply.</summary>
    internal const int ActivationFlops = 8;

    /// <summary>The derivative of GELU times the gradient.</summary>
    internal const int ActivationDerivativeFlops = 16;
}
