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

/// <summary>
/// Measures steps of several drop ratios in turn, so that a load of the machine hits all of them. Where the device replays steps as a graph it keeps the memory
/// of that graph, and one ratio's would be held beside another's: there each ratio has its rounds at once, and the device's own time depends little on the host's load.
/// </summary>
internal static class StepMeasurement
{
    // Two steps load kernels and fetch memory, the third is captured.
    private const int StepsBeforeReplays = 3;

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
        if (runner.Replays)
        {
            foreach (StepTimes own in times)
            {
                for (int round = -Math.Max(warmup, StepsBeforeReplays); round < rounds; round++)
                {
                    Step(runner, own, round);
                    if (round >= -warmup)
                        stepDone();
                }

                runner.Release();
            }

            return times;
        }

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

        // A step that is replayed allocates nothing: what it holds is seen in the steps before, which are the same.
        times.PeakBytes = Math.Max(times.PeakBytes, account.PeakBytes);
        if (round < 0)
            return;
        times.Seconds[round] = seconds;
        times.ManagedBytes += GC.GetAllocatedBytesForCurrentThread() - managed;
        times.SystemBlocks += Blocks(runner.Device) - blocks;
        times.Flops = Counted(account) - flops;
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
