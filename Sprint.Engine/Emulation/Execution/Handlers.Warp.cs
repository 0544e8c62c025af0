using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Shuffle(Warp warp, Instruction* i)
    {
        if (!GatherMembers(warp, i, out Instruction* next))
            return next;
        byte* r = warp.Registers;
        uint active = warp.Active;
        uint* a = (uint*)(r + i->A), results = stackalloc uint[Lanes.Count];
        int* sources = stackalloc int[Lanes.Count];
        uint inRange = FindSources((ShuffleMode)i->E, (int*)(r + i->B), (int*)(r + i->C), sources);
        for (int lane = 0; lane < Lanes.Count; lane++)
            results[lane] = a[sources[lane]];
        uint absent = FindAbsent(active, (uint*)(r + i->F), sources);
        // What a lane holds that does not take part is unpredictable (PTX ISA, shfl.sync): all bits set are no number in any format.
        for (uint lanes = absent; lanes != 0; lanes &= lanes - 1)
            results[BitOperations.TrailingZeroCount(lanes)] = uint.MaxValue;
        CopyLanes(active, (uint*)(r + i->D), results);
        if (i->List[1] >= 0)
        {
            uint written = *(uint*)(r + i->List[2]), defined = absent;
            for (int lane = 0; lane < Lanes.Count; lane++)
                defined |= (written >> sources[lane] & 1) << lane;
            uint* mask = (uint*)(r + i->List[1]);
            *mask = *mask & ~active | defined & active;
        }
        if (i->List[0] >= 0)
        {
            uint* predicate = (uint*)(r + i->List[0]);
            *predicate = *predicate & ~active | inRange & active;
        }
        return absent != 0 || warp.FollowsUndefined ? warp.FollowShuffle(i, sources, absent) : i + 1;
    }

    // The lane that each lane reads, its own where the other is out of range; returns which are in range.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint FindSources(ShuffleMode mode, int* operands, int* clamps, int* sources)
    {
        Vector512<int> bits = Vector512.Create(31);
        uint inRange = 0;
        for (int k = 0; k < Lanes.Count; k += Vector512<int>.Count)
        {
            Vector512<int> lane = Vector512<int>.Indices + Vector512.Create(k);
            Vector512<int> operand = Vector512.LoadAligned(operands + k) & bits, clamp = Vector512.LoadAligned(clamps + k);
            Vector512<int> segment = clamp >> 8 & bits;
            Vector512<int> limit = (lane & segment) | (clamp & bits & ~segment);
            Vector512<int> source = mode switch
            {
                ShuffleMode.Up => lane - operand,
                ShuffleMode.Down => lane + operand,
                ShuffleMode.Butterfly => lane ^ operand,
                _ => (lane & segment) | (operand & ~segment),
            };
            Vector512<int> valid = mode == ShuffleMode.Up ? Vector512.GreaterThanOrEqual(source, limit) : Vector512.LessThanOrEqual(source, limit);
            inRange |= (uint)valid.ExtractMostSignificantBits() << k;
            Vector512.ConditionalSelect(valid, source, lane).Store(sources + k);
        }
        return inRange;
    }

    // The active lanes that read one which does not take part, or which their mask does not name.
    private static uint FindAbsent(uint active, uint* members, int* sources)
    {
        if (active == Lanes.All && EqualLanes(members, Lanes.All) == Lanes.All)
            return 0;
        uint absent = 0;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            absent |= (~(active & members[lane]) >> sources[lane] & 1) << lane;
        }
        return absent;
    }

    // The lanes in which a register has a value.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint EqualLanes(uint* register, uint value)
    {
        uint equal = 0;
        for (int k = 0; k < Lanes.Count; k += Vector512<uint>.Count)
            equal |= (uint)Vector512.Equals(Vector512.LoadAligned(register + k), Vector512.Create(value)).ExtractMostSignificantBits() << k;
        return equal;
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
        uint required = members[Warp.LowestLane(warp.Active)];
        // Mostly all lanes have the same mask, which names them.
        bool alike = (warp.Active & ~(EqualLanes(members, required) & required)) == 0;
        if (!alike)
            required = RequiredMembers(warp, i, members);
        if (!warp.Gather(i, required, out next))
            return false;
        if ((required & warp.Exited) != 0)
            CheckEndedMembers(warp, i, required & warp.Exited);
        warp.Exchanged |= warp.Active;
        if (!alike || (warp.Active & ~(EqualLanes(members, required) & required)) != 0)
            CheckMembers(warp, i, members);
        return true;
    }

    private static uint RequiredMembers(Warp warp, Instruction* i, uint* members)
    {
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
        return required;
    }

    private static void CheckMembers(Warp warp, Instruction* i, uint* members)
    {
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
