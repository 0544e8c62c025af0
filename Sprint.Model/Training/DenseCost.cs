using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Model.Training;

/// <summary>What a training step costs for a given drop pattern: counted on <c>dryrun</c>, or timed on the run's device.</summary>
public static class DenseCost
{
    private const int LeastPairs = 3;

    /// <summary>For how long sparse and dense steps are timed at least.</summary>
    internal static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    /// <summary>Counts a step's floating-point operations and the most bytes it holds.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stage">Batch and accumulation.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="precision">In what the model computes.</param>
    public static (double Flops, long PeakBytes) Count(
        ModelConfiguration model, StageConfiguration stage, LossConfiguration loss, DropPattern pattern, Precision precision = Precision.Fp32)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stage);
        using var device = new DryRunDevice();
        using var network = new SprintTransformer(device, model, precision: precision);
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
    /// How much longer a dense step takes, as a ratio, so that it holds however busy the machine is while the run itself is timed.
    /// A sparse and a dense step are timed in turn, and the median of the pairs' ratios is taken: one pair that was disturbed, or
    /// still compiled, does not count, and a load that lasts slows both of a pair.
    /// </summary>
    /// <param name="clock">Tells the time.</param>
    /// <param name="sparse">Runs a step as the stage does and waits for its end.</param>
    /// <param name="dense">Runs the same step with every token kept and waits for its end.</param>
    /// <returns>Dense time over sparse time.</returns>
    internal static double TimeRatio(TimeProvider clock, Action sparse, Action dense)
    {
        sparse();
        dense();
        var ratios = new List<double>();
        long start = clock.GetTimestamp();
        do
        {
            double sparseSeconds = Seconds(sparse);
            ratios.Add(Seconds(dense) / sparseSeconds);
        }
        while (ratios.Count < LeastPairs || clock.GetElapsedTime(start) < LeastTime);
        ratios.Sort();
        return (ratios[(ratios.Count - 1) / 2] + ratios[ratios.Count / 2]) / 2;

        double Seconds(Action step)
        {
            long begin = clock.GetTimestamp();
            step();
            return clock.GetElapsedTime(begin).TotalSeconds;
        }
    }
}
