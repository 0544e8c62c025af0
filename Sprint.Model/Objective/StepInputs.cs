using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Network;

namespace Sprint.Model.Objective;

/// <summary>Everything that one forward and backward pass of training reads.</summary>
/// <param name="Data">x_0 (batch, channels, side, side).</param>
/// <param name="Noise">Standard normal, of the shape of x_0.</param>
/// <param name="Times">t (batch).</param>
/// <param name="Labels">(batch) int32, dropped labels already replaced by the null class.</param>
/// <param name="KeptIds">(batch, M) int32, or empty where nothing is dropped.</param>
/// <param name="PathDrop">(batch) int32, or empty.</param>
/// <param name="Features">Another network's features of each token (batch, N, F), stored as the model's activations; or empty where nothing is aligned.</param>
public readonly record struct StepInputs(Tensor Data, Tensor Noise, Tensor Times, Tensor Labels, Tensor KeptIds, Tensor PathDrop, Tensor Features)
    : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Data.Dispose();
        Noise.Dispose();
        Times.Dispose();
        Labels.Dispose();
        KeptIds.Dispose();
        PathDrop.Dispose();
        Features.Dispose();
    }

    /// <summary>Copies every tensor into that of other inputs of the same shapes.</summary>
    /// <param name="kept">Overwritten.</param>
    internal void CopyTo(in StepInputs kept)
    {
        Copy(Data, kept.Data);
        Copy(Noise, kept.Noise);
        Copy(Times, kept.Times);
        Copy(Labels, kept.Labels);
        Copy(KeptIds, kept.KeptIds);
        Copy(PathDrop, kept.PathDrop);
        Copy(Features, kept.Features);

        static void Copy(Tensor from, Tensor to)
        {
            if (!from.IsEmpty)
            {
                from.CopyTo(to);
            }
        }
    }

    /// <summary>
    /// The training losses of a model: mean squared error of the velocity, and how far projected tokens point away from the features. Source: SPRINT.md
    /// section 4.
    /// </summary>
    /// <param name="tape">Where to record, or null.</param>
    /// <param name="model">The model.</param>
    /// <param name="path">The path from data to noise.</param>
    /// <returns>Tensors that the caller disposes.</returns>
    public StepLoss Loss(Tape? tape, SprintTransformer model, FlowPath path)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Tensor mixed = FlowMatching.Interpolate(Data, Noise, Times, path, out Tensor goal);
        using Tensor target = goal;
        using Tensor velocity = model.Forward(tape, mixed, Times, Labels, new TokenSelection(KeptIds, PathDrop, false), out Tensor projected);
        using Tensor projection = projected;
        return Losses(tape, velocity, target, projection);
    }

    /// <summary>The losses of what a model gave for these inputs.</summary>
    /// <exception cref="ArgumentException">The model aligns hidden states, and there are no features, or the other way round.</exception>
    internal StepLoss Losses(Tape? tape, Tensor velocity, Tensor target, Tensor projection)
    {
        if (projection.IsEmpty != Features.IsEmpty)
        {
            throw new ArgumentException(
                projection.IsEmpty ? "there are features, but the model aligns nothing with them" : "the model aligns hidden states with features, but there are none");
        }

        using Tensor aligned = projection.IsEmpty ? default : CosineLoss.Apply(tape, projection, Features, KeptIds);
        return new StepLoss(FlowMatching.Loss(tape, velocity, target), aligned.IsEmpty ? default : aligned.Retain());
    }
}
