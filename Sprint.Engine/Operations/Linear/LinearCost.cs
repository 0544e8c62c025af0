namespace Sprint.Engine.Operations;

/// <summary>Costs of <see cref="Linear"/>: products of rows x inputs x outputs; bias and activation count as vector work.</summary>
internal static class LinearCost
{
    internal static OperationCost Forward(long rows, int inputs, int outputs, Activation activation) => new(
        "linear",
        2 * rows * inputs * outputs,
        rows * outputs * (activation == Activation.None ? 1 : 1 + ActivationFlops),
        sizeof(float) * ((rows * inputs) + ((long)inputs * outputs) + outputs),
        sizeof(float) * rows * outputs * (activation == Activation.None ? 1 : 2));

    internal static OperationCost BackwardActivation(long rows, int outputs) => new(
        "linear activation", 0, rows * outputs * ActivationDerivativeFlops, 2 * sizeof(float) * rows * outputs, sizeof(float) * rows * outputs);

    /// <summary>The derivative in the epilogue of the product before it: of the three passes over memory the argument's is left.</summary>
    internal static OperationCost FusedDerivative(long rows, int outputs) => new(
        "linear activation", 0, rows * outputs * ActivationDerivativeFlops, sizeof(float) * rows * outputs, 0);

    internal static OperationCost BackwardInput(long rows, int inputs, int outputs) => new(
        "linear",
        2 * rows * inputs * outputs,
        0,
        sizeof(float) * ((rows * outputs) + ((long)inputs * outputs)),
        sizeof(float) * rows * inputs);

    internal static OperationCost BackwardWeight(long rows, int inputs, int outputs, bool withBias) => new(
        "linear",
        2 * rows * inputs * outputs,
        withBias ? rows * outputs : 0,
        sizeof(float) * rows * (inputs + outputs),
        sizeof(float) * outputs * ((long)inputs + (withBias ? 1 : 0)));

    internal static OperationCost BackwardBias(long rows, int outputs) => new(
        "linear bias", 0, rows * outputs, sizeof(float) * rows * outputs, sizeof(float) * outputs);

    /// <summary>GELU: x * sigmoid(2u), u a cubic: 4 for the cubic, then exp, add, divide, multiply.</summary>
    internal const int ActivationFlops = 8;

    /// <summary>The derivative of GELU times the gradient.</summary>
    internal const int ActivationDerivativeFlops = 16;
}
