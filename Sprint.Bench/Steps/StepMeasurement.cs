using System.Diagnostics;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Bench.Steps;

/// <summary>What the steps of one drop ratio took.</summary>
/// <param name="pattern">Which tokens are kept.</param>
/// <param name="rounds">How many steps are measured.</param>
internal sealed class StepTimes(DropPattern pattern, int rounds)
{
    /// <summary>Which tokens are kept.</summary>
    public DropPattern Pattern { get; } = pattern;

    /// <summary>The ratio of tokens dropped.</summary>
    public double Ratio => 1 - ((double)Pattern.KeptTokens / Pattern.Tokens);

    /// <summary>Seconds of each step, in the order of measuring.</summary>
    public double[] Seconds { get; } = new double[rounds];

    /// <summary>The spread of the times.</summary>
    public Spread Time => Spread.Of(Seconds);

    /// <summary>Floating-point operations of a step, as the device counted them.</summary>
    public double Flops { get; set; }

    /// <summary>The most bytes that tensors held in a step.</summary>
    public long PeakBytes { get; set; }

    /// <summary>Bytes of managed memory that all measured steps allocated.</summary>
    public long ManagedBytes { get; set; }

    /// <summary>How many blocks of memory all measured steps asked of the system.</summary>
    public long SystemBlocks { get; set; }

    /// <summary>Time of a step over that of the dense step of the same round: what drifts slowly hits both.</summary>
    /// <param name="dense">The dense steps, measured in turn with these.</param>
    public Spread RatioTo(StepTimes dense) => Spread.Of([.. Seconds.Zip(dense.Seconds, static (own, other) => own / other)]);
}

/// <summary>Measures steps of several drop ratios in turn.</summary>
internal static class StepMeasurement
{
    /// <summary>Runs warm-up and measured rounds; a round is one step of each ratio, and each round begins with another one.</summary>
    /// <param name="runner">Runs the steps.</param>
    /// <param name="patterns">The patterns of the ratios.</param>
    /// <param name="rounds">Measured rounds, at least 1.</param>
    /// <param name="warmup">Rounds before.</param>
    /// <param name="stepDone">Called after each step.</param>
    /// <returns>A result for each pattern, in their order.</returns>
    public static IReadOnlyList<StepTimes> Run(StepRunner runner, IReadOnlyList<DropPattern> patterns, int rounds, int warmup, Action stepDone)
    {
        StepTimes[] times = [.. patterns.Select(pattern => new StepTimes(pattern, rounds))];
        for (int round = -warmup; round < rounds; round++)
        {
            for (int turn = 0; turn < times.Length; turn++)
            {
                Step(runner, times[(turn + Math.Abs(round)) % times.Length], round);
                stepDone();
            }
        }

        return times;
    }

    private static void Step(StepRunner runner, StepTimes times, int round)
    {
        Account account = runner.Device.Account;
        account.ResetPeaks();
        double flops = Counted(account);
        long managed = GC.GetAllocatedBytesForCurrentThread();
        long blocks = Blocks(runner.Device);
        long start = Stopwatch.GetTimestamp();
        runner.Run(times.Pattern);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (round < 0)
            return;
        times.Seconds[round] = seconds;
        times.ManagedBytes += GC.GetAllocatedBytesForCurrentThread() - managed;
        times.SystemBlocks += Blocks(runner.Device) - blocks;
        times.Flops = Counted(account) - flops;
        times.PeakBytes = account.PeakBytes;
    }

    private static double Counted(Account account) =>
        account.TotalOf(ComputePass.Forward).Flops + account.TotalOf(ComputePass.Backward).Flops + account.TotalOf(ComputePass.Optimizer).Flops;

    private static long Blocks(Device device) => device switch
    {
        CpuDevice cpu => cpu.SystemAllocations,
        CudaDevice cuda => cuda.SystemAllocations,
        _ => 0,
    };
}
