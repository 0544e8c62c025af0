namespace Sprint.Engine.Emulation;

/// <summary>What the emulator found wrong with a module, a launch or a running kernel.</summary>
public enum EmulationFault
{
    /// <summary>The PTX text is malformed.</summary>
    Syntax,

    /// <summary>The PTX asks for something the emulator does not execute.</summary>
    Unsupported,

    /// <summary>The launch exceeds a limit of the device or its arguments do not fit the kernel's parameters.</summary>
    Launch,

    /// <summary>An access outside every allocation, or beyond the end of one.</summary>
    OutOfBounds,

    /// <summary>An address that is not a multiple of the access size.</summary>
    Misaligned,

    /// <summary>A read of memory or of a register that was never written.</summary>
    Uninitialised,

    /// <summary>A write to constant data or to data that the same launch reads through the read-only path.</summary>
    ReadOnlyWrite,

    /// <summary>An access to an allocation that was freed.</summary>
    UseAfterFree,

    /// <summary>Two threads touch the same shared memory without a barrier between, and one of them writes.</summary>
    SharedMemoryRace,

    /// <summary>Two threads touch the same global memory, one of them writes, and neither a barrier nor a publication orders them.</summary>
    GlobalMemoryRace,

    /// <summary>Threads of one warp or block wait at different barriers.</summary>
    BarrierDivergence,

    /// <summary>No thread of the block can go on.</summary>
    Deadlock,

    /// <summary>A shuffle, vote or warp barrier whose member mask does not fit the threads that execute it.</summary>
    WarpSynchronization,

    /// <summary>A warp executed more instructions than the launch allows.</summary>
    InstructionBudget,

    /// <summary>The kernel executed <c>trap</c>.</summary>
    Trap,

    /// <summary>A device-side assertion failed.</summary>
    Assertion,

    /// <summary>Device functions call each other too deeply.</summary>
    StackOverflow,
}
