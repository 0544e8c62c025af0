using System.Diagnostics;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Model.Training;

/// <summary>What a training step costs for a given drop pattern: counted on <c>dryrun</c>, or timed on the run's device.</summary>
public static class DenseCost
{
    private const int TimedSteps = 2;

    /// <summary>Counts a step's floating-point operations and the most bytes it holds.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stage">Batch and accumulation.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    public static (double Flops, long PeakBytes) Count(
        ModelConfiguration model, StageConfiguration stage, LossConfiguration loss, DropPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stage);
        using var device = new DryRunDevice();
        using var network = new SprintTransformer(device, model);
        using var optimizer = new AdamW(device, network.Parameters.All);
        using var step = new TrainingStep(network, optimizer, loss, 0);

        device.Account.ResetPeaks();
        var images = new float[stage.MicroBatchSize * model.InChannels * model.ContextSize * model.ContextSize];
        var labels = new int[stage.MicroBatchSize];
        for (int micro = 0; micro < stage.GradientAccumulationSteps; micro++)
        {
            step.Accumulate(images, labels, pattern, 0, micro, stage.GradientAccumulationSteps);
        }

        step.Update(stage.Update(0, 0, 0), 0);
        return (device.Account.Total().Flops, device.Account.PeakBytes);
    }

    /// <summary>
    /// Times forward and backward passes on the run's own device and adds no update; the gradients are dropped, so the run is
    /// as if it had not happened.
    /// </summary>
    /// <param name="step">The run's step.</param>
    /// <param name="images">A batch of images.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="stage">Accumulation.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="at">The step of the run, from 0, whose randomness is drawn.</param>
    /// <returns>The fastest of a few steps in seconds.</returns>
    public static double Time(TrainingStep step, float[] images, int[] labels, StageConfiguration stage, DropPattern pattern, long at)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(stage);
        double fastest = double.PositiveInfinity;
        for (int i = 0; i < TimedSteps + 1; i++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int micro = 0; micro < stage.GradientAccumulationSteps; micro++)
            {
                int size = stage.MicroBatchSize;
                int image = images.Length / labels.Length;
                step.Accumulate(
                    images.AsSpan(micro * size * image, size * image), labels.AsSpan(micro * size, size), pattern, at, micro, stage.GradientAccumulationSteps);
            }

            step.Forget();
            if (i > 0)
            {
                fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        return fastest;
    }
}
