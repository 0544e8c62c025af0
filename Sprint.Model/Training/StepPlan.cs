using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Model.Training;

/// <summary>What the losses of a pass, or the means over the passes of a step, came to.</summary>
/// <param name="Denoising">Mean squared error of the velocity.</param>
/// <param name="Projection">Minus the mean cosine of projected tokens and features; null where nothing is aligned.</param>
public readonly record struct LossValues(double Denoising, double? Projection);

/// <summary>What a training step came to.</summary>
/// <param name="Loss">The mean losses of its micro-batches.</param>
/// <param name="Norm">The global norm of the gradients before clipping.</param>
public readonly record struct StepOutcome(LossValues Loss, float Norm);

/// <summary>
/// A whole training step of fixed shapes for a device that works asynchronously: forward and backward passes of all micro-batches, norm and update, put
/// into the device's queue without waiting for anything, and replayed as a CUDA graph where the device has them. What differs from step to step lies in
/// device memory and is written before: images, features, noise, times, labels, kept tokens and dropped paths are drawn into tensors that stay, and the
/// optimizer's numbers are uploaded. Losses and norm are read when all of it is queued, and the inputs of the next step behind it.
/// </summary>
internal sealed class StepPlan : IDisposable
{
    private readonly SprintTransformer model;
    private readonly AdamW optimizer;
    private readonly LossConfiguration settings;
    private readonly StepSampler sampler;
    private readonly Tape tape;
    private readonly DropPattern pattern;
    private readonly StepInputs[] inputs;
    private readonly List<StepLoss> losses = [];
    private readonly LossWeights weights;
    private readonly bool updates;
    private readonly ReplayedWork? replay;
    private readonly TimeMark[] marks;
    private readonly float[] number = new float[1];
    private bool measures;
    private bool hasInputs;
    private long? prepared;
    private int steps;

    /// <summary>Prepares a plan.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="optimizer">Over the model's parameters.</param>
    /// <param name="settings">The objective.</param>
    /// <param name="sampler">Draws each micro-batch.</param>
    /// <param name="tape">Empty between steps.</param>
    /// <param name="shape">What the plan is for.</param>
    /// <param name="undo">Drops what the host has noted of a step.</param>
    /// <param name="updates">Whether norm and update follow the passes; else gradients are dropped, for passes that are only timed.</param>
    internal StepPlan(
        SprintTransformer model, AdamW optimizer, LossConfiguration settings, StepSampler sampler, Tape tape, StepShape shape, Action undo, bool updates = true)
    {
        (this.model, this.optimizer, this.settings, this.sampler, this.tape, pattern) = (model, optimizer, settings, sampler, tape, shape.Pattern);
        Shape = shape;
        this.updates = updates;
        inputs = new StepInputs[shape.MicroBatches];
        marks = new TimeMark[3];
        try
        {
            for (int place = 0; place < marks.Length; place++)
            {
                marks[place] = model.Device.Mark();
            }

            weights = LossWeights.Of(model, settings, shape.MicroBatches);
            foreach (StepInputs _ in inputs)
            {
                losses.Add(new StepLoss(model.Device.Allocate(new Shape(1)), default));
                losses[^1] = losses[^1] with { Projection = model.Configuration.RepresentationAlign ? model.Device.Allocate(new Shape(1)) : default };
            }

            replay = shape.Captures ? model.Device.Replay(Run, undo) : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the plan is for.</summary>
    internal StepShape Shape { get; }

    /// <summary>How often the step has been captured.</summary>
    internal int Captures => replay?.Captures ?? 0;

    /// <summary>Why the step could not be captured, or null.</summary>
    internal string? Problem => replay?.Problem;

    /// <summary>The share of a step's time that forward and backward passes take, as the second step had it; until then 1.</summary>
    internal double PassShare { get; private set; } = 1;

    /// <summary>Seconds of the device's work for the last step that has been waited for, without its inputs.</summary>
    internal double Seconds => marks[2].SecondsSince(marks[0]);

    /// <summary>
    /// Draws the inputs of a step into the tensors that the plan reads, in the device's queue behind the step before. <see cref="Enqueue"/> of that step need
    /// not draw them then.
    /// </summary>
    /// <param name="images">x_0 of the whole batch.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="features">Another network's features of each image, or nothing.</param>
    /// <param name="step">The step of the run, from 0.</param>
    internal void Prepare(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, ReadOnlySpan<float> features, long step)
    {
        prepared = null;
        int size = labels.Length / inputs.Length;
        int image = size * (images.Length / labels.Length), feature = size * (features.Length / labels.Length);
        for (int micro = 0; micro < inputs.Length; micro++)
        {
            StepInputs drawn = sampler.Draw(
                images.Slice(micro * image, image), labels.Slice(micro * size, size), pattern, settings, step, micro, features.Slice(micro * feature, feature));
            if (!hasInputs)
            {
                inputs[micro].Dispose();
                inputs[micro] = drawn;
                continue;
            }

            using (drawn)
            {
                drawn.CopyTo(inputs[micro]);
            }
        }

        hasInputs = true;
        prepared = step;
    }

    /// <summary>Puts one step into the device's queue.</summary>
    /// <param name="images">x_0 of the whole batch.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="features">Another network's features of each image, or nothing.</param>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="update">The numbers of the update.</param>
    internal void Enqueue(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, ReadOnlySpan<float> features, long step, in AdamWSettings update)
    {
        if (prepared != step)
        {
            Prepare(images, labels, features, step);
        }

        prepared = null;
        if (updates)
        {
            optimizer.Configure(update);
        }

        // The first step also compiles and loads what it runs, and the third is captured.
        measures = steps == 1;
        marks[0].Renew();
        if (replay is null)
        {
            Run();
        }
        else
        {
            replay.Run();
        }

        marks[2].Renew();
        steps++;
    }

    /// <summary>Waits for the step and reads what it came to.</summary>
    /// <param name="step">The step of the run, for the error message.</param>
    /// <exception cref="NotFiniteLossException">
    /// Loss or norm are not finite. Where the norm is not, the parameters are as they were.
    /// </exception>
    internal StepOutcome Read(long step)
    {
        double denoising = 0;
        double? projection = weights.Projection.IsEmpty ? null : 0;
        foreach (StepLoss loss in losses)
        {
            denoising += Number(loss.Denoising, step, "loss");
            if (projection is not null)
            {
                projection += Number(loss.Projection, step, "projection loss");
            }
        }

        float norm = Number(optimizer.Norm, step, "gradient norm");
        if (measures)
        {
            PassShare = marks[1].SecondsSince(marks[0]) / Seconds;
        }

        return new StepOutcome(new LossValues(denoising / losses.Count, projection / losses.Count), norm);
    }

    public void Dispose()
    {
        replay?.Dispose();
        foreach (TimeMark? mark in marks)
        {
            mark?.Dispose();
        }

        weights.Dispose();
        losses.ForEach(static loss => loss.Dispose());
        foreach (StepInputs input in inputs)
        {
            input.Dispose();
        }
    }

    private void Run()
    {
        for (int micro = 0; micro < inputs.Length; micro++)
        {
            using StepLoss loss = inputs[micro].Loss(tape, model, settings.PathType);
            loss.Denoising.CopyTo(losses[micro].Denoising);
            if (!loss.Projection.IsEmpty)
            {
                loss.Projection.CopyTo(losses[micro].Projection);
            }

            loss.Backward(tape, weights);
        }

        if (!updates)
        {
            optimizer.ForgetGradients();
            return;
        }

        if (measures)
        {
            marks[1].Renew();
        }

        optimizer.MeasureNorm();
        optimizer.Update();
    }

    private float Number(Tensor tensor, long step, string name)
    {
        tensor.CopyTo<float>(number);
        return float.IsFinite(number[0]) ? number[0] : throw new NotFiniteLossException(step, name, number[0]);
    }
}

/// <summary>What must be the same for a step to be replayed.</summary>
/// <param name="Batch">Images of a step.</param>
/// <param name="MicroBatches">How many micro-batches make it.</param>
/// <param name="Pattern">Which tokens are kept.</param>
/// <param name="Captures">Whether the device is asked to capture it.</param>
internal readonly record struct StepShape(int Batch, int MicroBatches, DropPattern Pattern, bool Captures);
