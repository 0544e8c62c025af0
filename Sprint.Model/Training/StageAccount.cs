using Sprint.Engine;

namespace Sprint.Model.Training;

/// <summary>Floating-point operations by pass: a reading of a device's account, or what ran between two of them.</summary>
internal readonly record struct PassFlops(long Forward, long Backward, long Optimizer)
{
    public long Total => Forward + Backward + Optimizer;

    public static PassFlops operator -(PassFlops left, PassFlops right) =>
        new(left.Forward - right.Forward, left.Backward - right.Backward, left.Optimizer - right.Optimizer);

    public static PassFlops Of(Account account) => new(
        account.TotalOf(ComputePass.Forward).Flops, account.TotalOf(ComputePass.Backward).Flops, account.TotalOf(ComputePass.Optimizer).Flops);
}

/// <summary>What a stage has cost so far; saved with checkpoints so that a resumed run accounts for all of it.</summary>
public sealed record StageAccount
{
    /// <summary>Optimizer steps done.</summary>
    public long Steps { get; set; }

    /// <summary>Floating-point operations of the forward passes.</summary>
    public double ForwardFlops { get; set; }

    /// <summary>Floating-point operations of the backward passes.</summary>
    public double BackwardFlops { get; set; }

    /// <summary>Floating-point operations of norm, optimizer and moving average.</summary>
    public double OptimizerFlops { get; set; }

    /// <summary>Seconds spent in steps; pictures and checkpoints are not counted.</summary>
    public double Seconds { get; set; }

    /// <summary>The most bytes held at once.</summary>
    public long PeakBytes { get; set; }

    /// <summary>Floating-point operations that one step would cost with every token kept, counted on <c>dryrun</c>.</summary>
    public double DenseFlopsPerStep { get; set; }

    /// <summary>The most bytes that a step would hold with every token kept, counted on <c>dryrun</c>.</summary>
    public long DensePeakBytes { get; set; }

    /// <summary>
    /// Seconds that the stage's steps so far would have taken with every token kept; null where dense steps could not be timed for
    /// one of them, e.g. for lack of memory. Each step counts by the ratio that held where it ran, so a run may go on elsewhere.
    /// </summary>
    public double? DenseSeconds { get; set; }

    /// <summary>Floating-point operations that the stage's steps so far would have cost with every token kept.</summary>
    public double DenseFlops => Steps * DenseFlopsPerStep;

    /// <summary>All floating-point operations.</summary>
    public double Flops => ForwardFlops + BackwardFlops + OptimizerFlops;

    /// <summary>Adds a step.</summary>
    /// <param name="flops">What it computed.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="passSeconds">How long of this its forward and backward passes took; the rest does not depend on the tokens kept.</param>
    /// <param name="denseRatio">How many times as long the passes take with every token kept, or null where that is not known.</param>
    /// <param name="peakBytes">The most bytes held in it.</param>
    internal void Add(in PassFlops flops, double seconds, double passSeconds, double? denseRatio, long peakBytes)
    {
        Steps++;
        ForwardFlops += flops.Forward;
        BackwardFlops += flops.Backward;
        OptimizerFlops += flops.Optimizer;
        Seconds += seconds;
        DenseSeconds += seconds + ((denseRatio - 1) * passSeconds);
        PeakBytes = Math.Max(PeakBytes, peakBytes);
    }
}
