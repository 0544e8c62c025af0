using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>What happens when accesses are not ordered: stores of the same value are excused, everything else is an error.</summary>
internal sealed unsafe partial class GlobalRaceDetector
{
    /// <summary>Looks at each lane's access, where <see cref="TryAccess"/> found something.</summary>
    /// <exception cref="EmulationException">An access races with another.</exception>
    public void Inspect(Warp warp, Instruction* instruction, uint lanes, int bytes, AccessKind kind, MemoryAllocation allocation)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            long offset = (long)(warp.Addresses[lane] - allocation.Start);
            if (Conflict(allocation, offset, bytes) is var entry && entry != 0)
                throw Fault(warp, instruction, lane, bytes, kind, allocation, offset, entry, ConflictPlace);
        }
    }

    private EmulationException Fault(Warp warp, Instruction* instruction, int lane, int bytes, AccessKind kind, MemoryAllocation allocation, long offset, ulong entry, int place)
    {
        string why = RaceEntry.Block(entry) == Block
            ? "have no barrier between them"
            : "are not ordered: what a block writes is published to others by a fence (__threadfence) with an atomic or volatile write behind it, and seen by who reads that";
        return warp.Fault(instruction, lane, EmulationFault.GlobalMemoryRace,
            $"A race in global memory: {warp.DescribeAccess(kind, bytes, RaceEntry.Site(self))} at byte {offset} of {allocation.Describe()}{launch.DescribeArgument(allocation)}"
            + $" and {What(entry, place)} by {Who(warp, entry)} {why}");
    }

    /// <summary>The stores to a byte by other warps that are known.</summary>
    public List<string> DescribeStores(Warp warp, MemoryAllocation allocation, long offset)
    {
        RaceRecord record = RecordOf(allocation.Races!.Line(offset), (int)offset & RaceShadow.LineBytes - 1);
        List<string> stores = [];
        for (int place = 0; place < 6; place++)
        {
            ulong entry = record.Entries[place];
            bool stored = place < 2 || (place >= 4 && (entry & RaceEntry.Flag) != 0);
            if (entry != 0 && stored && !(RaceEntry.Block(entry) == Block && RaceEntry.Warp(entry) == warp.Index))
                stores.Add($"{What(entry, place)} by {Who(warp, entry)}");
        }
        return stores;
    }

    // What is noted of a byte in this launch.
    private RaceRecord RecordOf(RaceRecord* line, int at)
    {
        RaceRecord found = default;
        uint state = RaceShadow.Lock(line);
        int count = (int)(state >> 16 & 255);
        RaceRecord head = *line;
        head.State = state;
        for (int k = 0; k < Math.Max(count, 1) && line->Launch == launchNumber; k++)
        {
            RaceRecord record = count == 0 ? head : line->More[k];
            if (record.First <= at && at < record.End)
                found = record;
        }
        RaceShadow.Unlock(line, state);
        return found;
    }

    private static string What(ulong entry, int place) => place switch
    {
        < 2 => "a store",
        < 4 => "a load",
        _ => (entry & RaceEntry.Flag) != 0 ? "an atomic or volatile write" : "an atomic or volatile read",
    };

    // "threads (32,0,0) to (63,0,0) of the same block at kernel.cu:12".
    private string Who(Warp warp, ulong entry)
    {
        LaunchIndex size = launch.BlockSize;
        ulong first = (ulong)RaceEntry.Warp(entry) * 32;
        string threads = $"threads {size.At(first)} to {size.At(Math.Min(first + 32, size.Count) - 1)}";
        string block = RaceEntry.Block(entry) == Block ? "of the same block" : launch.Grid.Count <= RaceEntry.BlockMask ? $"of block {launch.BlockAt(RaceEntry.Block(entry))}" : "of another block";
        return $"{threads} {block}{warp.DescribeSite(RaceEntry.Site(entry))}";
    }
}
