using Sprint.Engine;

namespace Sprint.Model.Training;

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

    /// <summary>Measured seconds that a step would take longer with every token kept; 0 where nothing is dropped.</summary>
    public double DenseExtraSecondsPerStep { get; set; }

    /// <summary>Whether dense steps could not be timed, e.g. for lack of memory; their time is then not known.</summary>
    public bool DenseTimeUnknown { get; set; }

    /// <summary>Floating-point operations that the stage's steps so far would have cost with every token kept.</summary>
    public double DenseFlops => Steps * DenseFlopsPerStep;

    /// <summary>Seconds that the stage's steps so far would have taken with every token kept; without meaning where <see cref="DenseTimeUnknown"/>.</summary>
    public double DenseSeconds => Seconds + (Steps * DenseExtraSecondsPerStep);

    /// <summary>All floating-point operations.</summary>
    public double Flops => ForwardFlops + BackwardFlops + OptimizerFlops;

    /// <summary>Moves a device's counts here and sets them to zero.</summary>
    internal void Collect(Account account)
    {
        ForwardFlops += account.Total(key => key.Pass == ComputePass.Forward).Flops;
        BackwardFlops += account.Total(key => key.Pass == ComputePass.Backward).Flops;
        OptimizerFlops += account.Total(key => key.Pass == ComputePass.Optimizer).Flops;
        PeakBytes = Math.Max(PeakBytes, account.PeakBytes);
        account.ResetOperations();
    }
}
