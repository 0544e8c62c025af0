namespace Sprint.Engine.Operations;

/// <summary>The three linear layers of a <see cref="SwiGlu"/> MLP; biases that are empty are absent.</summary>
/// <param name="Gate">W (hidden, inputs) and b (hidden): the layer under SiLU.</param>
/// <param name="Linear">W (hidden, inputs) and b (hidden): the layer that it multiplies.</param>
/// <param name="Output">W (outputs, hidden) and b (outputs): the layer behind their product.</param>
public readonly record struct SwiGluWeights(LinearWeights Gate, LinearWeights Linear, LinearWeights Output)
{
    internal bool AreRecorded(Tape? tape, Tensor input) =>
        Tape.Records(tape, input, Gate.Weight, Gate.Bias, Linear.Weight, Linear.Bias, Output.Weight, Output.Bias);
}

/// <summary>Weight and bias of a linear layer.</summary>
/// <param name="Weight">(outputs, inputs).</param>
/// <param name="Bias">(outputs), or empty for none.</param>
public readonly record struct LinearWeights(Tensor Weight, Tensor Bias);
