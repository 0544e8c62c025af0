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
public readonly record struct StepInputs(Tensor Data, Tensor Noise, Tensor Times, Tensor Labels, Tensor KeptIds, Tensor PathDrop)
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

        static void Copy(Tensor from, Tensor to)
        {
            if (!from.IsEmpty)
            {
                from.CopyTo(to);
            }
        }
    }

    /// <summary>The training loss of a model: mean squared error of the velocity. Source: SPRINT.md section 4.</summary>
    /// <param name="tape">Where to record, or null.</param>
    /// <param name="model">The model.</param>
    /// <param name="path">The path from data to noise.</param>
    /// <returns>(1), which the caller disposes.</returns>
    public Tensor Loss(Tape? tape, SprintTransformer model, FlowPath path)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Tensor mixed = FlowMatching.Interpolate(Data, Noise, Times, path, out Tensor target);
        using (target)
        {
            using Tensor velocity = model.Forward(tape, mixed, Times, Labels, new TokenSelection(KeptIds, PathDrop, false));
            return FlowMatching.Loss(tape, velocity, target);
        }
    }
}
