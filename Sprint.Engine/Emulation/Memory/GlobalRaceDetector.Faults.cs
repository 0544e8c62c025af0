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
