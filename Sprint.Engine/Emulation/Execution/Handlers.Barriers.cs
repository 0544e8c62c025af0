using System.Numerics;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Barriers of the block, and fences.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>
    /// A barrier of the block. A: number, B: thread count or -1, C: predicate or -1, D and E: result and what it is (see
    /// <see cref="BarrierReduction"/>), F: bit 0 all lanes come together, bit 1 arrive without waiting.
    /// </summary>
    public static Instruction* Barrier(Warp warp, Instruction* i)
    {
        bool aligned = (i->F & 1) != 0;
        if (aligned && warp.PendingCount > 0 && !warp.Gather(i, warp.Live, out Instruction* next))
            return next;
        byte* r = warp.Registers;
        int first = Warp.LowestLane(warp.Active);
        uint number = ((uint*)(r + i->A))[first];
        uint expected = i->B >= 0 ? ((uint*)(r + i->B))[first] : 0;
        CheckUniform(warp, i, i->A, number);
        if (number >= BlockExecutor.BarrierCount)
            throw warp.Fault(i, first, EmulationFault.BarrierDivergence, $"Barrier {number} does not exist: a block has {BlockExecutor.BarrierCount}");
        if (expected % 32 != 0)
            throw warp.Fault(i, first, EmulationFault.BarrierDivergence, $"Barrier {number} is to wait for {expected} threads, which is no multiple of the warp's 32");
        if (aligned && warp.Exited != 0)
            CheckEnded(warp, i);
        warp.Worked |= warp.Active;
        uint lanes = warp.Active;
        uint predicate = i->C >= 0 ? *(uint*)(r + i->C) : 0;
        if ((i->F & 2) != 0)
        {
            warp.Block.Arrive(warp, i, lanes, (int)number, expected, predicate, aligned);
            return i + 1;
        }
        warp.Push(i, lanes, WaitKind.Barrier, number);
        warp.Block.Arrive(warp, i, lanes, (int)number, expected, predicate, aligned);
        return warp.SelectNext();
    }

    /// <summary>A memory fence; E: 1 if it is for other blocks too.</summary>
    public static Instruction* Fence(Warp warp, Instruction* i)
    {
        warp.Block.Clocks?.Fence(warp.Index, warp.Active, i->E != 0);
        Interlocked.MemoryBarrier();
        return i + 1;
    }

    // All threads of a warp come to an aligned barrier (PTX ISA, bar and barrier). Those that returned before they did anything are let off.
    private static void CheckEnded(Warp warp, Instruction* i)
    {
        uint ended = warp.Exited & warp.Worked;
        if (ended != 0 && warp.Launch.CheckBarriers)
        {
            throw warp.Fault(i, Warp.LowestLane(warp.Active), EmulationFault.BarrierDivergence,
                $"A barrier under divergence: {Lanes.Describe(ended)} of the warp ended without coming to it, after taking part in the block's work, while {Lanes.Describe(warp.Active)} wait");
        }
        warp.Block.PartialBarriers++;
    }

    private static void CheckUniform(Warp warp, Instruction* i, int slot, uint value)
    {
        uint* lanes = (uint*)(warp.Registers + slot);
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (lanes[lane] != value)
                throw warp.Fault(i, lane, EmulationFault.BarrierDivergence, $"Lanes of one warp name different barriers: {value} and {lanes[lane]}");
        }
    }
}
