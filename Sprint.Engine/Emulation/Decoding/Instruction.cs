using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// One decoded operation. <see cref="Handler"/> executes it for the active lanes of a warp and returns the operation to go
/// on with, or null when the warp stops for now. Operands are byte offsets into the frame, where each 32-bit register is
/// 32 lanes of 4 bytes side by side, a 64-bit one 32 of 8, a 16-bit one 32 of 2, and a predicate one bit per lane.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Instruction
{
    public delegate*<Warp, Instruction*, Instruction*> Handler;
    public int D;
    public int A;
    public int B;
    public int C;
    public int E;
    public int F;
    public long Immediate;
    public Instruction* Target;
    public int* List;
    public int Count;

    /// <summary>Registers of a load that may carry undefined bytes, noted behind them in <see cref="List"/>.</summary>
    public int Notes;

    /// <summary>Position of the basic block in the order in which groups of lanes run.</summary>
    public int Order;

    /// <summary>1 for the entry of a basic block.</summary>
    public int IsEntry;
}

/// <summary>What errors and counters need to know of one decoded operation.</summary>
internal readonly record struct InstructionInfo(
    Parsing.PtxInstruction? Source,
    string Function,
    InstructionCost Cost,
    int Block,
    int GuardSlot);

/// <summary>What one lane's execution of an operation counts for.</summary>
internal readonly record struct InstructionCost(
    InstructionKind Kind,
    int SingleFlops = 0,
    int DoubleFlops = 0,
    int HalfFlops = 0,
    long TensorFlopsPerWarp = 0,
    int BytesRead = 0,
    int BytesWritten = 0,
    Parsing.PtxSpace Space = Parsing.PtxSpace.Register);
