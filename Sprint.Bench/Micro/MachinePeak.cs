using Sprint.Engine;

namespace Sprint.Bench.Micro;

/// <summary>What the machine reaches at most, measured.</summary>
/// <param name="Flops">Floating-point operations a second.</param>
/// <param name="Bytes">Bytes a second from and to memory.</param>
internal sealed record MachinePeak(double Flops, double Bytes)
{
    /// <summary>Measures.</summary>
    /// <param name="threads">Threads that work.</param>
    public static MachinePeak Measure(int threads) => new(PeakCommand.Measure(threads), PeakCommand.MeasureMemory(threads));

    /// <summary>The least time that an operation takes: the longer of its arithmetic and its traffic. Smaller operands stay in caches, and may be faster.</summary>
    /// <param name="counts">What it computes and moves.</param>
    public double LeastSeconds(AccountTotal counts) => Math.Max(counts.Flops / Flops, (counts.BytesRead + counts.BytesWritten) / Bytes);

    /// <summary>What bounds an operation.</summary>
    /// <param name="counts">What it computes and moves.</param>
    public string Bound(AccountTotal counts) => counts.Flops / Flops >= (counts.BytesRead + counts.BytesWritten) / Bytes ? "arithmetic" : "memory";
}
