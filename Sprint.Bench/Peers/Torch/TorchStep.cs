using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sprint.Bench.Peers.Torch;

/// <summary>A training step in libtorch: noise, interpolation, forward, mean squared error, backward, clipping, AdamW.</summary>
internal sealed class TorchStep : IPeerStep
{
    private readonly TorchModel network;
    private readonly Parameter[] parameters;
    private readonly optim.Optimizer optimizer;
    private readonly Tensor data;
    private readonly Tensor labels;

    /// <summary>Prepares.</summary>
    /// <param name="model">The model.</param>
    /// <param name="network">The network.</param>
    /// <param name="parameters">Its weights; those that want a gradient are learned.</param>
    /// <param name="batch">Images of a step.</param>
    public TorchStep(ModelConfiguration model, TorchModel network, IEnumerable<Parameter> parameters, int batch)
    {
        this.network = network;
        this.parameters = [.. parameters.Where(static parameter => parameter.requires_grad)];
        optimizer = optim.AdamW(this.parameters, lr: 1e-4, weight_decay: 0);
        data = randn(batch, model.Tokens, model.PatchFeatures);
        labels = randint(model.NumClasses, new long[] { batch });
    }

    /// <inheritdoc/>
    public void Run(DropPattern pattern)
    {
        using DisposeScope scope = NewDisposeScope();
        long batch = data.shape[0];
        Tensor times = rand(batch);
        Tensor noise = randn_like(data);
        Tensor at = times.view(batch, 1, 1);
        Tensor mixed = ((1 - at) * data) + (at * noise);
        Tensor? ids = pattern.Kind == DropKind.None ? null : argsort(rand(batch, pattern.Tokens), 1).slice(1, 0, pattern.KeptTokens, 1);
        Tensor loss = (network.Forward(mixed, times, labels, ids) - (noise - data)).pow(2).mean();
        optimizer.zero_grad();
        loss.backward();
        nn.utils.clip_grad_norm_(parameters, 1.0);
        optimizer.step();
        _ = loss.item<float>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        data.Dispose();
        labels.Dispose();
    }
}
