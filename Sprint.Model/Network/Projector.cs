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
    private readonly Tensor firstWeight;
    private readonly Tensor firstBias;
    private readonly Tensor secondWeight;
    private readonly Tensor secondBias;
    private readonly Tensor thirdWeight;
    private readonly Tensor thirdBias;

    internal Projector(ParameterSet parameters, ModelConfiguration configuration)
    {
        (int width, int hidden, int features) = (configuration.HiddenSize, configuration.ProjectorHiddenDim, configuration.DimProjection);
        firstWeight = parameters.Linear("projectors.0.weight", hidden, width);
        firstBias = parameters.Zeros("projectors.0.bias", hidden);
        secondWeight = parameters.Linear("projectors.2.weight", hidden, hidden);
        secondBias = parameters.Zeros("projectors.2.bias", hidden);
        thirdWeight = parameters.Linear("projectors.4.weight", features, hidden);
        thirdBias = parameters.Zeros("projectors.4.bias", features);
    }

    /// <summary>Applies the projector.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="tokens">Hidden states (batch, tokens, D).</param>
    /// <returns>(batch, tokens, F), which the caller disposes.</returns>
    public Tensor Apply(Tape? tape, Tensor tokens)
    {
        Account account = tokens.Device.Account;
        using Account.Scope scope = account.Enter(account.Pass, ModelPart.Projector);
        using Tensor first = Linear.Apply(tape, tokens, firstWeight, firstBias, Activation.Silu);
        using Tensor second = Linear.Apply(tape, first, secondWeight, secondBias, Activation.Silu);
        return Linear.Apply(tape, second, thirdWeight, thirdBias);
    }
}
