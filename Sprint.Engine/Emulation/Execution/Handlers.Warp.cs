using System.Numerics;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>How a shuffle finds its source lane.</summary>
internal enum ShuffleMode
{
    Up,
    Down,
    Butterfly,
    Index,
}

/// <summary>What a vote computes.</summary>
internal enum VoteMode
{
    All,
    Any,
    Uniform,
    Ballot,
}

/// <summary>What a warp reduction computes.</summary>
internal enum WarpReduction
{
    Add,
    MinimumSigned,
    MaximumSigned,
    MinimumUnsigned,
    MaximumUnsigned,
    And,
    Or,
    Xor,
}

/// <summary>
/// Exchange between lanes. Every lane named by a member mask (register F) that has not ended must come to the instruction; all lanes are read
/// before any is written. These handlers are never guarded: the decoder branches around them.
/// </summary>
internal static unsafe partial class Handlers
{
    /// <summary>D: result, List[0]: predicate or -1, List[1]: mask of where the result is defined or -1, List[2]: the value's such mask, A: value, B: lane operand, C: clamp and segment, E: mode.</summary>
    public static Instruction* Shuffle(Warp warp, Instruction* i)
    {
        if (!GatherMembers(warp, i, out Instruction* next))
            return next;
        byte* r = warp.Registers;
        uint* a = (uint*)(r + i->A), b = (uint*)(r + i->B), c = (uint*)(r + i->C), members = (uint*)(r + i->F);
        uint* results = stackalloc uint[Lanes.Count];
        uint inRange = 0;
        uint written = *(uint*)(r + i->List[2]);
        uint defined = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            int segment = (int)(c[lane] >> 8 & 31);
            int clamp = (int)(c[lane] & 31);
            int offset = (int)(b[lane] & 31);
            int limit = (lane & segment) | (clamp & ~segment);
            int source;
            bool valid;
            switch ((ShuffleMode)i->E)
            {
                case ShuffleMode.Up:
                    source = lane - offset;
                    valid = source >= limit;
                    break;
                case ShuffleMode.Down:
                    source = lane + offset;
                    valid = source <= limit;
                    break;
                case ShuffleMode.Butterfly:
                    source = lane ^ offset;
                    valid = source <= limit;
                    break;
                default:
                    source = (lane & segment) | (offset & ~segment);
                    valid = source <= limit;
                    break;
            }
            if (valid)
                inRange |= 1u << lane;
            else
                source = lane;
            if (((warp.Active & members[lane]) >> source & 1) == 0)
                throw BadSource(warp, i, lane, source, members[lane]);
            results[lane] = a[source];
            defined |= (written >> source & 1) << lane;
        }
        CopyLanes(warp.Active, (uint*)(r + i->D), results);
        if (i->List[1] >= 0)
        {
            uint* mask = (uint*)(r + i->List[1]);
            *mask = *mask & ~warp.Active | defined;
        }
        if (i->List[0] >= 0)
        {
            uint* predicate = (uint*)(r + i->List[0]);
            *predicate = *predicate & ~warp.Active | inRange;
        }
        return i + 1;
    }

    /// <summary>D: result, A: predicate, E: mode. Members with different masks vote apart.</summary>
    public static Instruction* Vote(Warp warp, Instruction* i)
    {
        if (!GatherMembers(warp, i, out Instruction* next))
            return next;
        byte* r = warp.Registers;
        uint predicate = *(uint*)(r + i->A);
        uint* members = (uint*)(r + i->F);
        uint holds = 0;
        uint* ballots = stackalloc uint[Lanes.Count];
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint group = members[lane] & warp.Active;
            uint ballot = predicate & group;
            ballots[lane] = ballot;
            bool result = (VoteMode)i->E switch
            {
                VoteMode.All => ballot == group,
                VoteMode.Any => ballot != 0,
                _ => ballot == group || ballot == 0,
            };
            holds |= result ? 1u << lane : 0;
        }
        if ((VoteMode)i->E == VoteMode.Ballot)
        {
            CopyLanes(warp.Active, (uint*)(r + i->D), ballots);
            return i + 1;
        }
        uint* d = (uint*)(r + i->D);
        *d = *d & ~warp.Active | holds;
        return i + 1;
    }

    /// <summary>D: mask of lanes with the same value, List[0]: predicate or -1, A: value, E: 1 for the form that wants all lanes equal.</summary>
    public static Instruction* Match<T>(Warp warp, Instruction* i)
        where T : unmanaged, IEquatable<T>
    {
        if (!GatherMembers(warp, i, out Instruction* next))
            return next;
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A);
        uint* members = (uint*)(r + i->F);
        uint* results = stackalloc uint[Lanes.Count];
        uint holds = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint group = members[lane] & warp.Active;
            uint same = 0;
            for (uint others = group; others != 0; others &= others - 1)
            {
                int other = BitOperations.TrailingZeroCount(others);
                same |= a[other].Equals(a[lane]) ? 1u << other : 0;
            }
            bool all = same == group;
            results[lane] = i->E == 0 ? same : all ? group : 0;
            holds |= all ? 1u << lane : 0;
        }
        CopyLanes(warp.Active, (uint*)(r + i->D), results);
        if (i->List[0] >= 0)
        {
            uint* predicate = (uint*)(r + i->List[0]);
            *predicate = *predicate & ~warp.Active | holds;
        }
        return i + 1;
    }

    /// <summary>D: the reduction over each lane's members, A: value, E: operation.</summary>
    public static Instruction* ReduceWarp(Warp warp, Instruction* i)
    {
        if (!GatherMembers(warp, i, out Instruction* next))
            return next;
        byte* r = warp.Registers;
        uint* a = (uint*)(r + i->A), members = (uint*)(r + i->F);
        uint* results = stackalloc uint[Lanes.Count];
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint group = members[lane] & warp.Active;
            uint value = a[BitOperations.TrailingZeroCount(group)];
            for (uint others = group & group - 1; others != 0; others &= others - 1)
                value = Combine((WarpReduction)i->E, value, a[BitOperations.TrailingZeroCount(others)]);
            results[lane] = value;
        }
        CopyLanes(warp.Active, (uint*)(r + i->D), results);
        return i + 1;
    }

    /// <summary>Waits for the member lanes and orders their accesses to memory.</summary>
    public static Instruction* SynchronizeWarp(Warp warp, Instruction* i)
    {
        if (!GatherMembers(warp, i, out Instruction* next))
            return next;
        if (warp.Block.Clocks is not { } clocks)
            return i + 1;
        uint* members = (uint*)(warp.Registers + i->F);
        for (uint rest = warp.Active; rest != 0;)
        {
            uint group = members[BitOperations.TrailingZeroCount(rest)] & warp.Active;
            clocks.JoinLanes(warp.Index, group, warp.Live | (warp.Exited & warp.Worked));
            rest &= ~group;
        }
        return i + 1;
    }

    /// <summary>D: the mask of active lanes.</summary>
    public static Instruction* ActiveMask(Warp warp, Instruction* i)
    {
        uint* d = (uint*)(warp.Registers + i->D);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            d[BitOperations.TrailingZeroCount(lanes)] = warp.Active;
        return i + 1;
    }

    private static bool GatherMembers(Warp warp, Instruction* i, out Instruction* next)
    {
        uint* members = (uint*)(warp.Registers + i->F);
        uint required = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint mask = members[lane];
            if ((mask >> lane & 1) == 0)
            {
                throw warp.Fault(i, lane, EmulationFault.WarpSynchronization,
                    $"Lane {lane} executes a warp-wide instruction whose member mask 0x{mask:X8} does not name it");
            }
            required |= mask;
        }
        if (!warp.Gather(i, required, out next))
            return false;
        if ((required & warp.Exited) != 0)
            CheckEndedMembers(warp, i, required & warp.Exited);
        warp.Exchanged |= warp.Active;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint group = members[lane] & warp.Active;
            for (uint others = group; others != 0; others &= others - 1)
            {
                int other = BitOperations.TrailingZeroCount(others);
                if ((members[other] & warp.Live) != (members[lane] & warp.Live))
                {
                    throw warp.Fault(i, lane, EmulationFault.WarpSynchronization,
                        $"Lane {lane} names lane {other} in its member mask 0x{members[lane]:X8}, but that lane's mask is 0x{members[other]:X8}");
                }
            }
        }
        return true;
    }

    // Members that end without coming to the instruction had a part in it (PTX ISA, shfl.sync: all of the mask that have not exited execute it). Those
    // that returned before they did anything are let off.
    private static void CheckEndedMembers(Warp warp, Instruction* i, uint members)
    {
        uint ended = members & (warp.Worked | warp.Exchanged);
        if (ended != 0 && warp.Launch.CheckBarriers)
        {
            throw warp.Fault(i, Warp.LowestLane(warp.Active), EmulationFault.WarpSynchronization,
                $"A member mask names {Lanes.Describe(ended)} of the warp, which ended without coming to the instruction, after taking part in the block's work, while {Lanes.Describe(warp.Active)} wait");
        }
        warp.Block.PartialMasks++;
    }

    private static EmulationException BadSource(Warp warp, Instruction* i, int lane, int source, uint members)
    {
        string why = (members >> source & 1) == 0
            ? $"which its member mask 0x{members:X8} does not name"
            : (warp.Valid >> source & 1) == 0 ? "which is beyond the end of the block" : (warp.Exited >> source & 1) != 0 ? "which has ended" : "which does not take part";
        return warp.Fault(i, lane, EmulationFault.WarpSynchronization, $"A shuffle of lane {lane} reads lane {source}, {why}");
    }

    private static uint Combine(WarpReduction operation, uint a, uint b) => operation switch
    {
        WarpReduction.Add => a + b,
        WarpReduction.MinimumSigned => (uint)Math.Min((int)a, (int)b),
        WarpReduction.MaximumSigned => (uint)Math.Max((int)a, (int)b),
        WarpReduction.MinimumUnsigned => Math.Min(a, b),
        WarpReduction.MaximumUnsigned => Math.Max(a, b),
        WarpReduction.And => a & b,
        WarpReduction.Or => a | b,
        _ => a ^ b,
    };
}
