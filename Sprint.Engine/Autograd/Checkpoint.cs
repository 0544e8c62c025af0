using System.Diagnostics.CodeAnalysis;

namespace Sprint.Engine;

/// <summary>
/// Activation checkpointing: the forward pass of a stretch of the model keeps only its inputs; the backward pass runs it
/// again, recorded this time. It trades one more forward pass for the memory of the stretch's activations.
/// </summary>
public static class Checkpoint
{
    /// <summary>Runs a stretch of the model without recording its inside.</summary>
    /// <typeparam name="TStretch">What is run: its forward pass must give the same bits each time.</typeparam>
    /// <param name="tape">The tape, or null in inference.</param>
    /// <param name="stretch">The stretch, e.g. a block.</param>
    /// <param name="inputs">The tensors it reads, at most <see cref="MaximumInputs"/>; empty handles are allowed.</param>
    /// <returns>The stretch's output, which the caller disposes.</returns>
    public static Tensor Run<TStretch>(Tape? tape, TStretch stretch, params ReadOnlySpan<Tensor> inputs)
        where TStretch : class, ICheckpointedStretch
    {
        ArgumentNullException.ThrowIfNull(stretch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputs.Length, MaximumInputs);
        using Tensor output = stretch.Forward(null, inputs);
        if (tape is not null)
        {
            var node = tape.Record<CheckpointNode>(output);
            node.Stretch = stretch;
            node.Count = inputs.Length;
            for (int i = 0; i < inputs.Length; i++)
            {
                node.Inputs[i] = inputs[i].IsEmpty ? default : inputs[i].Retain();
            }
        }

        return output.Retain();
    }

    /// <summary>The most tensors that a stretch can read.</summary>
    public const int MaximumInputs = 4;

    [SuppressMessage("Design", "CA1001", Justification = "the inner tape is empty again after each release")]
    private sealed class CheckpointNode : TapeNode
    {
        private readonly Tape inner = new();

        internal ICheckpointedStretch Stretch { get; set; } = null!;

        internal Tensor[] Inputs { get; } = new Tensor[MaximumInputs];

        internal int Count { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            // The slots of the inputs belong to the tensors, not to a tape: the inner pass contributes straight to them.
            using Tensor output = Stretch.Forward(inner, Inputs.AsSpan(0, Count));
            inner.Backward(output, gradient);
        }

        protected internal override void Release()
        {
            // Empty already unless the backward pass failed.
            inner.Reset();
            for (int i = 0; i < Count; i++)
            {
                Inputs[i].Dispose();
                Inputs[i] = default;
            }
        }
    }
}

/// <summary>A stretch of a model that <see cref="Checkpoint"/> can run twice.</summary>
public interface ICheckpointedStretch
{
    /// <summary>Computes the stretch.</summary>
    /// <param name="tape">Where to record, or null.</param>
    /// <param name="inputs">The tensors it reads.</param>
    /// <returns>A new tensor, which the caller disposes.</returns>
    Tensor Forward(Tape? tape, ReadOnlySpan<Tensor> inputs);
}
