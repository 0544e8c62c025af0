using System.Diagnostics;
using Sprint.Engine;
using Sprint.Engine.Measurement;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Model.Training;

/// <summary>
/// One optimizer step: draws the randomness of each micro-batch, runs the model forwards and backwards, and updates parameters,
/// moments and average. A warm step allocates nothing.
/// </summary>
public sealed class TrainingStep : IDisposable
{
    // Two runs load kernels and fetch memory, the third is captured.
    private const int WarmPasses = 3;
    private const int LeastTimedPasses = 3;

    private readonly SprintTransformer model;
    private readonly AdamW optimizer;
    private readonly LossConfiguration settings;
    private readonly StepSampler sampler;
    private readonly Tape tape = new();
    private readonly float[] number = new float[1];
    private StepPlan? plan;

    /// <summary>Creates the step.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="optimizer">Over the model's parameters.</param>
    /// <param name="settings">The objective.</param>
    /// <param name="seed">Of the run.</param>
    public TrainingStep(SprintTransformer model, AdamW optimizer, LossConfiguration settings, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        this.model = model;
        this.optimizer = optimizer;
        this.settings = settings;
        ArgumentNullException.ThrowIfNull(optimizer);
        sampler = new StepSampler(model.Device, model.Configuration, seed, model.Precision);

        // The gradients' buffers exist from the start, so that the first step holds as many bytes as any other.
        foreach (AdamWState state in optimizer.States)
        {
            _ = state.Parameter.Gradient;
        }

        optimizer.ForgetGradients();
    }

    /// <summary>
    /// Whether <see cref="Take"/> has the device capture a step as a CUDA graph and replay it, where it can; the bits are the same.
    /// </summary>
    public bool Captures { get; init; } = true;

    /// <summary>How often the step at hand has been captured: once for each stage's shapes.</summary>
    public int CaptureCount => plan?.Captures ?? 0;

    /// <summary>Why the step at hand could not be captured, or null.</summary>
    public string? CaptureProblem => plan?.Problem;

    /// <summary>The share of a step that <see cref="Take"/> spends in forward and backward passes, as measured on its second step.</summary>
    public double PassShare => plan?.PassShare ?? 1;

    /// <summary>Seconds that the device worked on the last step that <see cref="Take"/> took, without the drawing of its inputs.</summary>
    public double StepSeconds => plan?.Seconds ?? 0;

    /// <summary>
    /// Takes a whole step: all micro-batches forwards and backwards, and the update. Nothing is waited for before everything is in the device's
    /// queue, so this is for devices that work asynchronously; what is done is what <see cref="Accumulate"/> and <see cref="Update"/> do.
    /// </summary>
    /// <param name="images">x_0 of the whole batch.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="microBatches">How many micro-batches make the step.</param>
    /// <param name="update">The numbers of the update.</param>
    /// <param name="features">Another network's features of each image, where the model is aligned with them.</param>
    /// <param name="meanwhile">
    /// What the host does while the device works, e.g. reading the next step's batch and calling <see cref="Prepare"/> with it; it may overwrite
    /// <paramref name="images"/>, <paramref name="labels"/> and <paramref name="features"/>. Or null.
    /// </param>
    /// <returns>Losses and gradient norm.</returns>
    /// <exception cref="NotFiniteLossException">Loss or norm are not finite. Where the norm is not, parameters are as they were.</exception>
    public StepOutcome Take(
        ReadOnlySpan<float> images,
        ReadOnlySpan<int> labels,
        DropPattern pattern,
        long step,
        int microBatches,
        in AdamWSettings update,
        ReadOnlySpan<float> features = default,
        Action? meanwhile = null)
    {
        try
        {
            StepShape shape = new(labels.Length, microBatches, pattern, Captures);
            if (plan?.Shape != shape)
            {
                Release();
                plan = new StepPlan(model, optimizer, settings, sampler, tape, shape, Drop);
            }

            plan.Enqueue(images, labels, features, step, update);
            meanwhile?.Invoke();
            return plan.Read(step);
        }
        catch
        {
            Drop();
            Release();
            throw;
        }
    }

    /// <summary>
    /// Draws the inputs of a step that <see cref="Take"/> will take with the same shapes, into the device's queue behind the step that is under way. What
    /// is drawn is what <see cref="Take"/> would draw.
    /// </summary>
    /// <param name="images">x_0 of the whole batch.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="features">Another network's features of each image, where the model is aligned with them; else nothing.</param>
    /// <param name="step">The step of the run, from 0.</param>
    /// <exception cref="InvalidOperationException">No step of these shapes has been taken.</exception>
    public void Prepare(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, ReadOnlySpan<float> features, long step)
    {
        if (plan?.Shape.Batch != labels.Length)
        {
            throw new InvalidOperationException($"a step of {labels.Length} images cannot be prepared before one has been taken");
        }

        plan.Prepare(images, labels, features, step);
    }

    /// <summary>
    /// How long the device takes for the forward and backward passes of a step, run as <see cref="Take"/> runs them: replayed where the device captures
    /// them. Nothing is updated. What the device kept for the step before is given up first, and what it kept for these passes afterwards, so that no two
    /// kinds of steps are held at once.
    /// </summary>
    /// <param name="images">x_0 of the whole batch.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="microBatches">How many micro-batches make the step.</param>
    /// <param name="leastTime">How long to go on at least.</param>
    /// <param name="features">Another network's features of each image, where the model is aligned with them.</param>
    /// <param name="cancellation">Cancelled, the pass at hand is the last.</param>
    /// <returns>The median in seconds of the device's work.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public double TimePasses(
        ReadOnlySpan<float> images,
        ReadOnlySpan<int> labels,
        DropPattern pattern,
        long step,
        int microBatches,
        TimeSpan leastTime,
        ReadOnlySpan<float> features = default,
        CancellationToken cancellation = default)
    {
        Release();
        try
        {
            using StepPlan passes = new(model, optimizer, settings, sampler, tape, new StepShape(labels.Length, microBatches, pattern, Captures), Drop, updates: false);
            List<double> seconds = [];
            long start = Stopwatch.GetTimestamp();
            for (int run = -WarmPasses; run < LeastTimedPasses || Stopwatch.GetElapsedTime(start) < leastTime; run++)
            {
                cancellation.ThrowIfCancellationRequested();
                passes.Enqueue(images, labels, features, step, default);
                model.Device.Synchronize();
                if (run >= 0)
                {
                    seconds.Add(passes.Seconds);
                }
            }

            return MedianTime.Of(seconds);
        }
        finally
        {
            Drop();
            model.Device.Trim();
        }
    }

    /// <summary>Gives up what the device keeps for the step at hand, e.g. its graph and the memory of it; the next step begins anew.</summary>
    public void Release()
    {
        plan?.Dispose();
        plan = null;
    }

    /// <summary>Runs one micro-batch forwards and backwards; gradients are added to those of the micro-batches before.</summary>
    /// <param name="images">x_0, batch times the size of an image.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="microBatch">Which micro-batch, from 0.</param>
    /// <param name="microBatches">How many micro-batches make the step: each loss counts for its share.</param>
    /// <param name="features">Another network's features of each image, where the model is aligned with them.</param>
    /// <returns>The losses of the micro-batch.</returns>
    /// <exception cref="NotFiniteLossException">The loss is not a finite number. After this or any failure the step's gradients are dropped.</exception>
    public LossValues Accumulate(
        ReadOnlySpan<float> images,
        ReadOnlySpan<int> labels,
        DropPattern pattern,
        long step,
        int microBatch = 0,
        int microBatches = 1,
        ReadOnlySpan<float> features = default)
    {
        try
        {
            return RunBothWays(images, labels, features, pattern, step, microBatch, microBatches);
        }
        catch
        {
            Drop();
            throw;
        }
    }

    /// <summary>Applies the gathered gradients.</summary>
    /// <param name="update">The numbers of this update.</param>
    /// <param name="step">The step of the run, for the error message.</param>
    /// <returns>The global norm of the gradients before clipping.</returns>
    /// <exception cref="NotFiniteLossException">The norm is not finite; parameters are as they were.</exception>
    public float Update(in AdamWSettings update, long step)
    {
        try
        {
            optimizer.MeasureNorm();
            float norm = Number(optimizer.Norm, step, "gradient norm");
            optimizer.Update(update);
            return norm;
        }
        catch
        {
            Drop();
            throw;
        }
    }

    /// <summary>Drops gathered gradients, e.g. of a step that was only timed.</summary>
    public void Forget() => optimizer.ForgetGradients();

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        tape.Dispose();
    }

    private LossValues RunBothWays(
        ReadOnlySpan<float> images, ReadOnlySpan<int> labels, ReadOnlySpan<float> features, DropPattern pattern, long step, int microBatch, int microBatches)
    {
        using StepInputs inputs = sampler.Draw(images, labels, pattern, settings, step, microBatch, features);
        using StepLoss loss = inputs.Loss(tape, model, settings.PathType);
        var values = new LossValues(Number(loss.Denoising, step, "loss"), loss.Projection.IsEmpty ? null : Number(loss.Projection, step, "projection loss"));
        using LossWeights weights = LossWeights.Of(model, settings, microBatches);
        loss.Backward(tape, weights);
        return values;
    }

    private float Number(Tensor tensor, long step, string name)
    {
        tensor.CopyTo<float>(number);
        return float.IsFinite(number[0]) || !model.Device.Executes ? number[0] : throw new NotFiniteLossException(step, name, number[0]);
    }

    /// <summary>After a failure nothing of the step may be left: not what is recorded, nor half of its gradients.</summary>
    private void Drop()
    {
        tape.Reset();
        optimizer.ForgetGradients();
    }
}
