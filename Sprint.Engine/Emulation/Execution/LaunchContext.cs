using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>What all blocks of a launch share.</summary>
internal sealed unsafe class LaunchContext
{
    public required KernelProgram Program { get; init; }

    public required EmulatedMemory Memory { get; init; }

    public required EmulationOptions Options { get; init; }

    public required LaunchIndex Grid { get; init; }

    public required LaunchIndex BlockSize { get; init; }

    public required int DynamicSharedBytes { get; init; }

    /// <summary>Static and dynamic shared bytes of a block.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>The kernel's arguments.</summary>
    public required byte* Parameters { get; init; }

    /// <summary>Bytes of local memory of a thread.</summary>
    public required int LocalBytes { get; init; }

    /// <summary>Mark of this launch in the shadows of the read-only path; 0 if they are not kept.</summary>
    public required byte ReadOnlyGeneration { get; init; }

    public bool CheckUninitialised => (Options.Checks & EmulationChecks.Uninitialised) != 0;

    public bool CheckRaces => (Options.Checks & EmulationChecks.SharedMemoryRaces) != 0;

    public bool CheckBarriers => (Options.Checks & EmulationChecks.BarrierDivergence) != 0;

    /// <summary>Address of the block with the given rank.</summary>
    public LaunchIndex BlockAt(long rank) => Grid.At((ulong)rank);
}
