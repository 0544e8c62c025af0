using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>What all blocks of a launch share.</summary>
internal sealed unsafe class LaunchContext
{
    public const uint NoRaces = uint.MaxValue;

    private readonly Lock gate = new();
    private volatile GlobalRaceDetector[] detectors = [];

    public required KernelProgram Program { get; init; }

    public required EmulatedMemory Memory { get; init; }

    public required EmulationOptions Options { get; init; }

    public required LaunchIndex Grid { get; init; }

    public required LaunchIndex BlockSize { get; init; }

    public required int DynamicSharedBytes { get; init; }

    /// <summary>Static and dynamic shared bytes of a block.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Which variable of shared memory lies where.</summary>
    public required SharedMap Shared { get; init; }

    /// <summary>The kernel's arguments.</summary>
    public required byte* Parameters { get; init; }

    /// <summary>Where the blocks of a cooperative launch meet: what <c>grid.sync()</c> counts in; 0 for other launches.</summary>
    public ulong GridWorkspace { get; init; }

    /// <summary>Bytes of local memory of a thread.</summary>
    public required int LocalBytes { get; init; }

    /// <summary>Mark of this launch in the shadows of the read-only path; 0 if they are not kept.</summary>
    public required byte ReadOnlyGeneration { get; init; }

    /// <summary>Number of this launch in the shadows of races, <see cref="NoRaces"/> if global memory is not watched.</summary>
    public required uint RaceNumber { get; init; }

    /// <summary>How blocks publish to each other; null if the kernel has no device-wide fence, so that none can.</summary>
    public required SyncGraph? Sync { get; init; }

    public bool CheckUninitialised => (Options.Checks & EmulationChecks.Uninitialised) != 0;

    public bool CheckRaces => (Options.Checks & EmulationChecks.SharedMemoryRaces) != 0;

    public bool CheckBarriers => (Options.Checks & EmulationChecks.BarrierDivergence) != 0;

    public bool CheckGlobalRaces => RaceNumber != NoRaces;

    /// <summary>Address of the block with the given rank.</summary>
    public LaunchIndex BlockAt(long rank) => Grid.At((ulong)rank);

    /// <summary>The detector of a worker that takes part.</summary>
    public GlobalRaceDetector CreateRaceDetector(WarpClocks clocks)
    {
        GlobalRaceDetector detector = new(this, clocks);
        lock (gate)
            detectors = [.. detectors, detector];
        return detector;
    }

    /// <summary>The detector of the worker that executes a block now, null if it has ended.</summary>
    public GlobalRaceDetector? FindRaceDetector(uint block)
    {
        foreach (GlobalRaceDetector detector in detectors)
        {
            if (detector.Block == block)
                return detector;
        }
        return null;
    }

    /// <summary>" (argument 2)", counted from 0, of the first argument that points into an allocation, or is a structure with such a pointer; or nothing.</summary>
    public string DescribeArgument(MemoryAllocation allocation)
    {
        (int Offset, int Bytes)[] layout = EmulatedKernel.LayOut(Program.Kernel.Syntax.Parameters, out _);
        int argument = Array.FindIndex(layout, place => PointsInto(place.Offset, place.Bytes, allocation));
        return argument >= 0 && allocation.Name is null ? $" (argument {argument})" : string.Empty;
    }

    // Pointers are aligned to their 8 bytes, in the parameter buffer as in structures.
    private bool PointsInto(int offset, int bytes, MemoryAllocation allocation)
    {
        for (int place = offset + 7 & ~7; place + 8 <= offset + bytes; place += 8)
        {
            if (ReferenceEquals(Memory.Find(*(ulong*)(Parameters + place)), allocation))
                return true;
        }
        return false;
    }
}
