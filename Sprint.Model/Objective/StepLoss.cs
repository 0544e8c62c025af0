using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Model.Objective;

/// <summary>What one pass of training minimises: the denoising loss, and, where hidden states are aligned, a weight times the projection loss.</summary>
/// <param name="Denoising">(1): mean squared error of the velocity.</param>
/// <param name="Projection">(1): minus the mean cosine of projected tokens and features, from -1 to 1; empty where nothing is aligned.</param>
public readonly record struct StepLoss(Tensor Denoising, Tensor Projection) : IDisposable
{
    /// <summary>Runs the pass backwards.</summary>
    /// <param name="tape">Where the losses are recorded.</param>
    /// <param name="weights">How much each of them counts.</param>
    public void Backward(Tape tape, in LossWeights weights)
    {
        ArgumentNullException.ThrowIfNull(tape);
        if (Projection.IsEmpty)
        {
            tape.Backward(Denoising, weights.Denoising);
        }
        else
        {
            tape.Backward([Denoising, Projection], [weights.Denoising, weights.Projection]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Denoising.Dispose();
        Projection.Dispose();
    }
}

/// <summary>How much the losses of a pass count in what a step minimises, where the device reads it: the gradients with which a backward pass begins.</summary>
/// <param name="Denoising">(1).</param>
/// <param name="Projection">(1); empty where nothing is aligned.</param>
public readonly record struct LossWeights(Tensor Denoising, Tensor Projection) : IDisposable
{
    /// <summary>The weights of one of the passes of a step.</summary>
    /// <param name="model">The model.</param>
    /// <param name="settings">The objective.</param>
    /// <param name="microBatches">How many passes make the step: each counts for its share.</param>
    /// <returns>Tensors that the caller disposes.</returns>
    public static LossWeights Of(SprintTransformer model, LossConfiguration settings, int microBatches = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        using Tensor denoising = model.Device.From(new Shape(1), [1f / microBatches]);
        Tensor projection = model.Configuration.RepresentationAlign ? model.Device.From(new Shape(1), [(float)(settings.ProjectionWeight / microBatches)]) : default;
        return new LossWeights(denoising.Retain(), projection);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Denoising.Dispose();
        Projection.Dispose();
    }
}
