namespace Sprint.Engine.Emulation;

/// <summary>Classes of instructions that <see cref="LaunchStatistics"/> tells apart.</summary>
public enum InstructionKind
{
    /// <summary>Bookkeeping of the emulator; never counted.</summary>
    None,

    /// <summary>Integer arithmetic, logic and comparison.</summary>
    IntegerArithmetic,

    /// <summary>Arithmetic on 32-bit floating point.</summary>
    SingleArithmetic,

    /// <summary>Arithmetic on 64-bit floating point.</summary>
    DoubleArithmetic,

    /// <summary>Arithmetic on 16-bit floating point.</summary>
    HalfArithmetic,

    /// <summary>Approximate transcendental functions, reciprocals and roots.</summary>
    Special,

    /// <summary>Conversions between types.</summary>
    Conversion,

    /// <summary>Moves, selections and packing.</summary>
    Move,

    /// <summary>Loads.</summary>
    Load,

    /// <summary>Stores.</summary>
    Store,

    /// <summary>Atomic operations and reductions in memory.</summary>
    Atomic,

    /// <summary>Asynchronous copies.</summary>
    AsyncCopy,

    /// <summary>Branches, calls and returns.</summary>
    Control,

    /// <summary>Barriers and fences.</summary>
    Barrier,

    /// <summary>Shuffles, votes, matches and warp reductions.</summary>
    Warp,

    /// <summary>Matrix products on tensor cores and matrix loads for them.</summary>
    Tensor,
}
