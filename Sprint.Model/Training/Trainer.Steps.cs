using System.Diagnostics;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Data;

namespace Sprint.Model.Training;

/// <content>How steps are taken: stages begun, batches read, passes timed, costs added up.</content>
public sealed partial class Trainer
{
    private StageAccount BeginStage(StageConfiguration stage, DropPattern pattern, CancellationToken cancellation)
    {
        Resize(stage.BatchSize);
        prepared = null;
        DropPattern dense = DropPattern.None(configuration.Model.GridSide, configuration.Model.GridSide);
        if (state.Accounts.Count == state.Stage)
        {
            if (stage.ResetOptimizer && state.Stage > 0)
            {
                optimizer.ResetMoments();
                state.OptimizerStep = 0;
            }

            (double flops, long peak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, dense, configuration.Precision);
            state.Accounts.Add(new StageAccount { DenseFlopsPerStep = flops, DensePeakBytes = peak, DenseSeconds = 0 });
        }

        // Timed again when a run is resumed, as device and threads may be others.
        denseRatio = pattern.Kind == DropKind.None ? 1 : TimeDense(stage, pattern, dense, cancellation);
        StageAccount account = state.Accounts[state.Stage];
        device.Account.ResetPeaks();
        observer.StageStarted(state.Stage, stage, account);
        return account;
    }

    /// <summary>
    /// How many times as long forward and backward passes take here with every token kept, or null where that cannot be timed or the run is to stop. The
    /// gradients are dropped, so the run is as if it had not happened.
    /// </summary>
    private double? TimeDense(StageConfiguration stage, DropPattern pattern, DropPattern dense, CancellationToken cancellation)
    {
        if (!device.Executes)
        {
            return null;
        }

        observer.Busy("timing dense steps, to compare with");
        ReadBatch(state.Position);
        try
        {
            if (device.IsAsynchronous)
            {
                // What a device of its own takes depends little on how busy the machine is.
                double sparseSeconds = TimePasses(pattern);
                return TimePasses(dense) / sparseSeconds;
            }

            return DenseCost.TimeRatio(TimeProvider.System, () => Pass(pattern), () => Pass(dense));
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SprintException exception)
        {
            // The run itself needs no dense step: what is beyond this device's memory may fit it with tokens dropped.
            observer.Noticed($"dense steps cannot be timed here: {exception.Message}");
            return null;
        }
        finally
        {
            step.Forget();
            device.Trim();
        }

        void Pass(DropPattern kept)
        {
            cancellation.ThrowIfCancellationRequested();
            Accumulate(stage, kept);
            device.Synchronize();
            step.Forget();
        }

        double TimePasses(DropPattern kept) =>
            step.TimePasses(images, labels, kept, state.Step, stage.GradientAccumulationSteps, DenseCost.LeastTime / 2, features, cancellation);
    }

    private StepReport Step(StageConfiguration stage, DropPattern pattern, StageAccount account)
    {
        long start = Stopwatch.GetTimestamp();
        PassFlops before = PassFlops.Of(device.Account) - (prepared is { Next: not null } drawn ? drawn.Flops : default);
        DataPosition next = prepared?.Next ?? ReadBatch(state.Position);
        prepared = null;
        long passStart = Stopwatch.GetTimestamp();
        AdamWSettings update = stage.Update(state.StageStep, state.Step, state.OptimizerStep);
        StepOutcome outcome;
        double passSeconds;
        if (device.IsAsynchronous)
        {
            upcoming = next;
            Action? meanwhile = state.StageStep + 1 < stage.Steps ? prepareNext : null;
            outcome = step.Take(images, labels, pattern, state.Step, stage.GradientAccumulationSteps, update, features, meanwhile);
            passSeconds = step.PassShare * step.StepSeconds;
            if (step.CaptureProblem is { } problem && problem != captureProblem)
            {
                captureProblem = problem;
                observer.Noticed($"steps are launched piece by piece, as they cannot be captured as a CUDA graph: {problem}");
            }
        }
        else
        {
            LossValues loss = Accumulate(stage, pattern);
            passSeconds = Stopwatch.GetElapsedTime(passStart).TotalSeconds;
            outcome = new StepOutcome(loss, step.Update(update, state.Step));
        }

        state.Step++;
        state.StageStep++;
        state.OptimizerStep++;
        state.Position = next;
        state.Images += stage.BatchSize;
        PassFlops flops = PassFlops.Of(device.Account) - before - (prepared?.Flops ?? default);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        account.Add(flops, seconds, passSeconds, denseRatio, device.Account.PeakBytes);
        return new StepReport(
            state.Step,
            state.Stage,
            state.StageStep,
            outcome.Loss.Denoising,
            outcome.Loss.Projection,
            outcome.Norm,
            update.LearningRate,
            stage.BatchSize,
            seconds,
            flops.Total);
    }

    /// <summary>Runs the batch at hand forwards and backwards, in micro-batches.</summary>
    /// <returns>The mean losses.</returns>
    private LossValues Accumulate(StageConfiguration stage, DropPattern pattern)
    {
        int size = stage.MicroBatchSize;
        int image = size * (images.Length / labels.Length), feature = size * (features.Length / labels.Length);
        var sum = new LossValues(0, featureFile is null ? null : 0);
        for (int micro = 0; micro < stage.GradientAccumulationSteps; micro++)
        {
            LossValues loss = step.Accumulate(
                images.AsSpan(micro * image, image),
                labels.AsSpan(micro * size, size),
                pattern,
                state.Step,
                micro,
                stage.GradientAccumulationSteps,
                features.AsSpan(micro * feature, feature));
            sum = new LossValues(sum.Denoising + loss.Denoising, sum.Projection + loss.Projection);
        }

        return new LossValues(sum.Denoising / stage.GradientAccumulationSteps, sum.Projection / stage.GradientAccumulationSteps);
    }

    /// <summary>Reads the next step's batch and puts its inputs into the device's queue while the step at hand is still under way.</summary>
    private void PrepareNext()
    {
        var before = PassFlops.Of(device.Account);
        DataPosition? next = null;
        try
        {
            DataPosition behind = ReadBatch(upcoming);
            step.Prepare(images, labels, features, state.Step + 1);
            next = behind;
        }
        catch (SprintException)
        {
            // The step at hand is not to blame and counts: the next one reads its batch itself and says what is wrong.
        }

        prepared = new PreparedBatch(next, PassFlops.Of(device.Account) - before);
    }

    private DataPosition ReadBatch(DataPosition position)
    {
        DataPosition next = shuffler.Take(position, chosen);
        int image = images.Length / labels.Length;
        for (int i = 0; i < chosen.Length; i++)
        {
            // A batch may run on into the next epoch, whose images have that epoch's noise.
            noise?.Epoch = position.Epoch + ((position.Index + (long)i) / shuffler.Count);
            dataset.Read(chosen[i], images.AsSpan(i * image, image));
            labels[i] = dataset.Label(chosen[i]);
        }

        featureFile?.Read(chosen, features);
        return next;
    }

    private void Resize(int batch)
    {
        if (labels.Length != batch)
        {
            ModelConfiguration network = configuration.Model;
            labels = new int[batch];
            chosen = new int[batch];
            images = new float[batch * network.InChannels * network.ContextSize * network.ContextSize];
            features = featureFile is null ? [] : new float[batch * network.Tokens * network.DimProjection];
        }
    }

    /// <summary>A batch whose inputs were put into the device's queue before its step began.</summary>
    /// <param name="Next">Where the data go on behind it, or null where it could not be had.</param>
    /// <param name="Flops">What drawing its inputs counted: its own step's, and no step's where it could not be had.</param>
    private readonly record struct PreparedBatch(DataPosition? Next, PassFlops Flops);
}
