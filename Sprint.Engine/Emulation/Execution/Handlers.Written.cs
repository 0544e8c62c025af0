using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Which lanes of a register hold a defined value: one bit a lane.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>Faults if the register whose mask is A is undefined in an active lane.</summary>
    public static Instruction* CheckWritten(Warp warp, Instruction* i)
    {
        uint missing = warp.Active & ~*(uint*)(warp.Registers + i->A);
        if (missing != 0 && warp.Launch.CheckUninitialised)
        {
            throw warp.Fault(i, Warp.LowestLane(missing), EmulationFault.Uninitialised,
                $"A use of register {warp.Frame.Function.Syntax.Registers[i->E].Name}, which was never written or was computed from one that was not");
        }
        return i + 1;
    }

    /// <summary>Marks the register whose mask is D as defined in the active lanes.</summary>
    public static Instruction* MarkWritten(Warp warp, Instruction* i)
    {
        *(uint*)(warp.Registers + i->D) |= warp.Active;
        return i + 1;
    }

    /// <summary>D is defined where all masks of List are.</summary>
    public static Instruction* PassOnWritten(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint defined = uint.MaxValue;
        for (int k = 0; k < i->Count; k++)
            defined &= *(uint*)(r + i->List[k]);
        return SetWritten(warp, i, defined);
    }

    /// <summary>D is defined where predicate C (its mask: E) and what it selects (masks A and B) are.</summary>
    public static Instruction* PassOnSelected(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint predicate = *(uint*)(r + i->C);
        return SetWritten(warp, i, *(uint*)(r + i->E) & (predicate & *(uint*)(r + i->A) | ~predicate & *(uint*)(r + i->B)));
    }

    /// <summary>D is defined where both predicates C and E are (masks A and B), or one of them that decides alone; F: -1 for or.</summary>
    public static Instruction* PassOnLogic(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint first = *(uint*)(r + i->A), second = *(uint*)(r + i->B);
        uint flip = (uint)~i->F;
        return SetWritten(warp, i, first & second | first & (*(uint*)(r + i->C) ^ flip) | second & (*(uint*)(r + i->E) ^ flip));
    }

    private static Instruction* SetWritten(Warp warp, Instruction* i, uint defined)
    {
        uint* d = (uint*)(warp.Registers + i->D);
        *d = *d & ~warp.Active | defined & warp.Active;
        return i + 1;
    }
}
