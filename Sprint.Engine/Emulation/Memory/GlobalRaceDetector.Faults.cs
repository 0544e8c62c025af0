using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>What happens when accesses are not ordered: stores of the same value are excused, everything else is an error.</summary>
internal sealed unsafe partial class GlobalRaceDetector
{
    private readonly List<Overwrite> overwrites = [];
    private int storing;

    /// <summary>A plain store over another's plain store: what was there before, and who may still be about to store there.</summary>
    private readonly record struct Overwrite(ulong Entry, MemoryAllocation Allocation, long Offset, int Bytes, int Lane, UInt128 Old, GlobalRaceDetector? Storing, int Turn);

    /// <summary>Looks at each lane's access, where <see cref="TryAccess"/> found something.</summary>
    /// <exception cref="EmulationException">An access races with another.</exception>
    public void Inspect(Warp warp, Instruction* instruction, uint lanes, int bytes, AccessKind kind, MemoryAllocation allocation)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            long offset = (long)(warp.Addresses[lane] - allocation.Start);
            ulong entry = Conflict(allocation, offset, bytes);
            if (entry == 0)
                continue;
            if (ConflictPlace >= 2 || kind is not (AccessKind.Store or AccessKind.UncachedStore))
                throw Fault(warp, instruction, lane, bytes, kind, allocation, offset, entry, ConflictPlace);
            GlobalRaceDetector? other = launch.FindRaceDetector(RaceEntry.Block(entry));
            bool busy = other is not null && !ReferenceEquals(other, this) && (Volatile.Read(ref other.storing) & 1) != 0;
            int turn = busy ? Volatile.Read(ref other!.storing) : 0;
            overwrites.Add(new Overwrite(entry, allocation, offset, bytes, lane, Read(allocation, offset, bytes), busy ? other : null, turn));
        }
    }

    /// <summary>A plain store begins: its accesses are noted, its data is not there yet.</summary>
    public void BeginStore() => Volatile.Write(ref storing, storing | 1);

    /// <summary>The data of a plain store is there. Stores over another's that changed the value are errors.</summary>
    /// <exception cref="EmulationException">A store races with another.</exception>
    public void EndStore(Warp warp, Instruction* instruction)
    {
        if ((storing & 1) == 0)
            return;
        Volatile.Write(ref storing, storing + 1);
        if (overwrites.Count > 0)
            Settle(warp, instruction);
    }

    /// <summary>The worker ends: nobody waits for a store that a fault has cut short.</summary>
    public void Abandon() => Volatile.Write(ref storing, (storing + 1) & ~1);

    private void Settle(Warp warp, Instruction* instruction)
    {
        foreach (Overwrite overwrite in overwrites)
        {
            UInt128 value = Read(overwrite.Allocation, overwrite.Offset, overwrite.Bytes);
            if (value == overwrite.Old)
                continue;
            // The other's value was not there yet: it is when its store has ended. If it then differs from ours, the stores differ.
            SpinWait spin = default;
            while (overwrite.Storing is { } other && Volatile.Read(ref other.storing) == overwrite.Turn && spin.Count < 10_000)
                spin.SpinOnce();
            if (overwrite.Storing is null || Read(overwrite.Allocation, overwrite.Offset, overwrite.Bytes) != value)
                throw Fault(warp, instruction, overwrite.Lane, overwrite.Bytes, AccessKind.Store, overwrite.Allocation, overwrite.Offset, overwrite.Entry, 0);
        }
        overwrites.Clear();
    }

    private static UInt128 Read(MemoryAllocation allocation, long offset, int bytes)
    {
        UInt128 value = 0;
        Buffer.MemoryCopy(allocation.Host + offset, &value, sizeof(UInt128), bytes);
        return value;
    }

    private EmulationException Fault(Warp warp, Instruction* instruction, int lane, int bytes, AccessKind kind, MemoryAllocation allocation, long offset, ulong entry, int place)
    {
        string other = place switch
        {
            < 2 => "store",
            < 4 => "load",
            _ => (entry & RaceEntry.Flag) != 0 ? "atomic or volatile write" : "atomic or volatile read",
        };
        LaunchIndex size = launch.BlockSize;
        ulong first = (ulong)RaceEntry.Warp(entry) * 32;
        string threads = $"threads {size.At(first)} to {size.At(Math.Min(first + 32, size.Count) - 1)}";
        bool sameBlock = RaceEntry.Block(entry) == Block;
        string block = sameBlock ? "of the same block" : launch.Grid.Count <= RaceEntry.BlockMask ? $"of block {launch.BlockAt(RaceEntry.Block(entry))}" : "of another block";
        Instruction* site = launch.Program.SiteCode(RaceEntry.Site(entry));
        string where = site == null ? string.Empty : $" at {warp.Place(site)}";
        string why = sameBlock
            ? "have no barrier between them"
            : "are not ordered: what a block writes is published to others by a fence (__threadfence) with an atomic or volatile write behind it, and seen by who reads that";
        return warp.Fault(instruction, lane, EmulationFault.GlobalMemoryRace,
            $"A race in global memory: a {MemoryAccess.Describe(kind)} of {bytes} bytes at byte {offset} of {allocation.Describe()}{launch.DescribeArgument(allocation)}"
            + $" and {(place < 4 ? "a" : "an")} {other} by {threads} {block}{where} {why}");
    }
}
