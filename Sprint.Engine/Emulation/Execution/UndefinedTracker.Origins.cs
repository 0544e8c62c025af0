using System.Numerics;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Where undefined values come from, and the error of their use.</summary>
internal sealed unsafe partial class UndefinedTracker
{
    private readonly List<Origin> table = [default];
    private readonly Dictionary<Origin, ushort> numbers = [];

    /// <summary>A shuffle whose lanes have come: its result is undefined where it read a lane that does not take part, or what was undefined there.</summary>
    /// <param name="i">The shuffle.</param>
    /// <param name="sources">The lane that each active lane reads.</param>
    /// <param name="undefined">Lanes that read one that does not take part.</param>
    public void NoteShuffle(Instruction* i, int* sources, uint undefined)
    {
        if (steps[i - warp.Launch.Program.Code] is not { } step)
            return;
        ushort* origins = warp.Frame.Origins;
        Vector512<ushort> value = Of(origins, step.Sources[0]);
        ushort* results = stackalloc ushort[Lanes.Count];
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            results[lane] = (undefined >> lane & 1) != 0 ? NumberOf(i, lane, sources[lane]) : value[sources[lane]];
        }
        Set(origins, step.Targets.AsSpan(0, 1), warp.Active, Vector512.Load(results));
        Set(origins, step.Targets.AsSpan(1), warp.Active, Vector512<ushort>.Zero);
    }

    private ushort NumberOf(Instruction* i, int lane, int source)
    {
        uint members = ((uint*)(warp.Registers + i->F))[lane];
        Reason reason = (members >> source & 1) == 0 ? Reason.NotNamed
            : (warp.Valid >> source & 1) == 0 ? Reason.BeyondBlock
            : (warp.Exited >> source & 1) != 0 ? Reason.Ended : Reason.Absent;
        Origin origin = new((int)(i - warp.Launch.Program.Code), lane, source, reason, members);
        if (numbers.TryGetValue(origin, out ushort number))
            return number;
        // More than can be told apart count as the last.
        if (table.Count > ushort.MaxValue)
            return ushort.MaxValue;
        number = (ushort)table.Count;
        table.Add(origin);
        numbers.Add(origin, number);
        return number;
    }

    private void Check(UndefinedStep step, Instruction* i, ushort* origins, int register, uint lanes)
    {
        if (register < 0)
            return;
        Vector512<ushort> found = Vector512.LoadAligned(origins + register * Lanes.Count) & Lanes.Mask<ushort>(lanes, 0);
        if (found == Vector512<ushort>.Zero)
            return;
        int lane = BitOperations.TrailingZeroCount(~Vector512.Equals(found, Vector512<ushort>.Zero).ExtractMostSignificantBits());
        throw Fault(i, lane, found[lane], UseOf(step.Instruction!, register));
    }

    private static string UseOf(PtxInstruction i, int register) => i.Name switch
    {
        "bra" or "brx" => "branches on it",
        _ when register == UndefinedFlow.Number(i.Guard) => "guards an instruction with it",
        "st" when UndefinedFlow.Number(i.Operands[0].Register) != register => "stores it",
        "ld" or "ldu" or "st" or "cp" or "ldmatrix" or "prefetch" or "prefetchu" => "takes it for an address",
        "vote" or "match" or "redux" or "mma" or "wmma" => "gives it to other lanes",
        _ => "uses it",
    };

    private EmulationException Fault(Instruction* i, int lane, ushort number, string use)
    {
        Origin origin = table[number];
        string why = origin.Reason switch
        {
            Reason.NotNamed => $"which its member mask 0x{origin.Members:X8} does not name",
            Reason.BeyondBlock => "which is beyond the end of the block",
            Reason.Ended => "which has ended",
            _ => "which does not take part",
        };
        return warp.Fault(warp.Launch.Program.Code + origin.Code, origin.Lane, EmulationFault.WarpSynchronization,
            $"A shuffle of lane {origin.Lane} reads lane {origin.Source}, {why}: what it gets is undefined, and lane {lane} {use}, or what it has made of it, at {warp.Place(i)}");
    }

    /// <summary>Why a lane's value cannot be read.</summary>
    private enum Reason
    {
        NotNamed,
        BeyondBlock,
        Ended,
        Absent,
    }

    /// <summary>A lane's read of another by a shuffle.</summary>
    private readonly record struct Origin(int Code, int Lane, int Source, Reason Reason, uint Members);
}
