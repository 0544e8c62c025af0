namespace Sprint.Engine.Emulation;

/// <summary>Checks that can be turned off; bounds, alignment, freed memory, masks and deadlocks are always checked.</summary>
[Flags]
public enum EmulationChecks
{
    /// <summary>Only what is always checked.</summary>
    None = 0,

    /// <summary>Reads of registers and memory that were never written.</summary>
    Uninitialised = 1,

    /// <summary>Shared-memory races between barriers.</summary>
    SharedMemoryRaces = 2,

    /// <summary>Warps of a block that meet at different <c>__syncthreads()</c>.</summary>
    BarrierDivergence = 4,

    /// <summary>Writes to data that the same launch reads through the read-only path (<c>ld.global.nc</c>).</summary>
    ReadOnlyPath = 8,

    /// <summary>Races in global memory, between blocks and within one.</summary>
    GlobalMemoryRaces = 16,

    /// <summary>Everything.</summary>
    All = Uninitialised | SharedMemoryRaces | BarrierDivergence | ReadOnlyPath | GlobalMemoryRaces,
}

/// <summary>How a launch is emulated. Results do not depend on <see cref="Workers"/>.</summary>
public sealed record EmulationOptions
{
    /// <summary>The defaults: all cores, all checks.</summary>
    public static EmulationOptions Default { get; } = new();

    /// <summary>Threads of the host that execute blocks; 0 for one a core.</summary>
    public int Workers { get; init; }

    /// <summary>Seed of the order in which blocks begin (0: that of the grid) and warps run, of where they give way, and of the order in which streams advance.</summary>
    public ulong ScheduleSeed { get; init; }

    /// <summary>Most instructions that one warp may execute before the launch is stopped as endless.</summary>
    public long InstructionBudget { get; init; } = 1_000_000_000;

    /// <summary>
    /// Given a kernel's name and its number of blocks, how many of them run, the last ones; null for all. With tensors whose far ends alone are
    /// written, a grid of millions of blocks is tried where its indices are largest.
    /// </summary>
    public Func<string, long, long>? LastBlocks { get; init; }

    /// <summary>What is checked beyond what always is.</summary>
    public EmulationChecks Checks { get; init; } = EmulationChecks.All;

    /// <summary>Whether sectors, bank conflicts and divergence are counted; instructions, FLOPs and bytes always are.</summary>
    public bool Counters { get; init; }

    /// <summary>Most bytes of shared memory a block may use; 163 KiB as on compute capability 8.0.</summary>
    public int MaximumSharedBytes { get; init; } = 163 * 1024;
}
