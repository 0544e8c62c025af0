using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>The vector widths for which the CPU back end has code of its own.</summary>
internal enum VectorInstructions
{
    /// <summary>Four float32 lanes.</summary>
    Vector128,

    /// <summary>Eight float32 lanes.</summary>
    Vector256,

    /// <summary>Sixteen float32 lanes.</summary>
    Vector512,
}

/// <summary>What this machine's processor is best at.</summary>
internal static class VectorInstructionsOfMachine
{
    /// <summary>The widest vectors that the hardware handles as such.</summary>
    public static VectorInstructions Widest =>
        Vector512.IsHardwareAccelerated ? VectorInstructions.Vector512
        : Vector256.IsHardwareAccelerated ? VectorInstructions.Vector256
        : VectorInstructions.Vector128;
}
