using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Model.Network;

/// <summary>
/// What representation alignment lays between hidden states and another network's features: <c>Linear(D, P) - SiLU - Linear(P, P) - SiLU - Linear(P, F)</c>
/// on each token. Training alone runs it. Source: SPRINT.md section 4.
/// </summary>
public sealed class Projector
{
    private readonly LinearWeights first;
    private readonly LinearWeights second;
    private readonly LinearWeights third;

    internal Projector(ParameterSet parameters, ModelConfiguration configuration)
    {
        (int width, int hidden, int features) = (configuration.HiddenSize, configuration.ProjectorHiddenDim, configuration.DimProjection);
        first = parameters.Layer("projectors.0", hidden, width);
        second = parameters.Layer("projectors.2", hidden, hidden);
        third = parameters.Layer("projectors.4", features, hidden);
    }

    /// <summary>Applies the projector.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="tokens">Hidden states (batch, tokens, D).</param>
    /// <returns>(batch, tokens, F), which the caller disposes.</returns>
    public Tensor Apply(Tape? tape, Tensor tokens)
    {
        Account account = tokens.Device.Account;
        using Account.Scope scope = account.Enter(account.Pass, ModelPart.Projector);
        using Tensor once = Linear.Apply(tape, tokens, first.Weight, first.Bias, Activation.Silu);
        using Tensor twice = Linear.Apply(tape, once, second.Weight, second.Bias, Activation.Silu);
        return Linear.Apply(tape, twice, third.Weight, third.Bias);
    }
}
