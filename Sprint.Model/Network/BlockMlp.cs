using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Model.Network;

/// <summary>
/// The MLP of a block with the gated residual behind it: linear, GELU, linear, or SwiGLU, <c>fc2(SiLU(fc1_g(x)) fc1_x(x))</c>.
/// Source: SPRINT.md section 2; arXiv 2002.05202.
/// </summary>
internal sealed class BlockMlp
{
    private readonly bool isSwiGlu;
    private readonly LinearWeights gate;
    private readonly LinearWeights first;
    private readonly LinearWeights second;

    internal BlockMlp(ParameterSet parameters, string name, ModelConfiguration configuration)
    {
        (int width, int hidden) = (configuration.HiddenSize, configuration.MlpWidth);
        isSwiGlu = configuration.UseSwiglu;
        if (isSwiGlu)
        {
            gate = parameters.Layer($"{name}.fc1_g", hidden, width);
            first = parameters.Layer($"{name}.fc1_x", hidden, width);
        }
        else
        {
            first = parameters.Layer($"{name}.fc1", hidden, width);
        }

        second = parameters.Layer($"{name}.fc2", width, hidden);
    }

    /// <summary><c>y = x + gate * MLP(h)</c>.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="x">The residual stream (batch, tokens, width).</param>
    /// <param name="normalised">h (batch, tokens, width).</param>
    /// <param name="modulation">(batch, chunks * width).</param>
    /// <param name="gateChunk">Which chunk of the modulation is the gate.</param>
    /// <returns>(batch, tokens, width), which the caller disposes.</returns>
    internal Tensor Apply(Tape? tape, Tensor x, Tensor normalised, Tensor modulation, int gateChunk)
    {
        if (isSwiGlu)
        {
            return SwiGlu.ApplyGated(tape, x, normalised, new SwiGluWeights(gate, first, second), modulation, gateChunk);
        }

        using Tensor hidden = Linear.Apply(tape, normalised, first.Weight, first.Bias, Activation.Gelu);
        return GatedLinear.Apply(tape, x, hidden, second.Weight, second.Bias, modulation, gateChunk);
    }
}
