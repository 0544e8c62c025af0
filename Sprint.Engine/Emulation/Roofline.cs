namespace Sprint.Engine.Emulation;

/// <summary>One resource of a GPU that a launch keeps busy.</summary>
/// <param name="Name">The resource: memory, single, double, half, tensor, shared memory or issue.</param>
/// <param name="Seconds">How long the launch needs it at the published rate.</param>
public readonly record struct RooflineLimit(string Name, double Seconds);

/// <summary>
/// The least time that a launch takes on a GPU by published rates: that of the resource it needs longest, if everything else hides behind it. Latency,
/// occupancy, launch overhead and what caches save are not part of it. Source: Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009.
/// </summary>
/// <param name="Rates">The GPU.</param>
/// <param name="Limits">Every resource that the launch needs, longest first.</param>
/// <param name="Flops">Floating-point operations of all kinds.</param>
/// <param name="Bytes">Bytes moved to and from global memory, as whole sectors where they were counted.</param>
public sealed record Roofline(PublishedRates Rates, IReadOnlyList<RooflineLimit> Limits, long Flops, long Bytes)
{
    private const int SectorBytes = 32;
    private const int SchedulersPerMultiprocessor = 4;

    /// <summary>What the launch waits for; nothing for one that does nothing.</summary>
    public RooflineLimit Bound => Limits.Count == 0 ? new RooflineLimit("nothing", 0) : Limits[0];

    /// <summary>Operations a byte; infinite where none is moved.</summary>
    public double Intensity => Flops == 0 ? 0 : Flops / (double)Bytes;

    /// <summary>The roofline of a launch.</summary>
    /// <param name="launch">What was executed.</param>
    /// <param name="rates">The GPU.</param>
    public static Roofline Of(LaunchStatistics launch, PublishedRates rates)
    {
        ArgumentNullException.ThrowIfNull(launch);
        ArgumentNullException.ThrowIfNull(rates);
        long bytes = launch.GlobalSectors > 0 ? launch.GlobalSectors * SectorBytes : launch.Global.Read + launch.Global.Written;
        double clocks = rates.Multiprocessors * rates.Clock;
        RooflineLimit[] limits =
        [
            new("memory", bytes / rates.MemoryBytes),
            new("tensor", launch.TensorFlops / rates.TensorFlops),
            new("single", launch.SingleFlops / rates.SingleFlops),
            new("half", launch.HalfFlops / rates.HalfFlops),
            new("double", launch.DoubleFlops / rates.DoubleFlops),
            new("shared memory", launch.SharedWavefronts / clocks),
            new("issue", launch.WarpInstructions / (SchedulersPerMultiprocessor * clocks)),
        ];
        long flops = launch.SingleFlops + launch.DoubleFlops + launch.HalfFlops + launch.TensorFlops;
        return new Roofline(rates, [.. limits.Where(static limit => limit.Seconds > 0).OrderByDescending(static limit => limit.Seconds)], flops, bytes);
    }
}
