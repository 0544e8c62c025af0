using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>Sources of asynchronous copies: a GPU reads them at any time until the wait.</summary>
internal readonly unsafe partial struct GlobalSpace
{
    /// <summary>Lanes' copies end: they count as read until now, and nobody may have stored there something else since they began.</summary>
    /// <exception cref="EmulationException">Somebody has, or a store there is not ordered with the end of the copy.</exception>
    public static void EndCopies(Warp warp, Instruction* wait, PendingCopies* copies, uint lanes)
    {
        LaunchContext launch = warp.Launch;
        if (!launch.CheckGlobalRaces)
            return;
        for (uint rest = lanes & ~Vector256.Equals(Vector256.Load(copies->Sizes), Vector256<byte>.Zero).ExtractMostSignificantBits(); rest != 0;)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            MemoryAllocation? allocation = launch.Memory.Find(copies->Sources[first]);
            if (allocation is null || allocation.IsFreed)
                return;
            uint inside = LanesInside(copies, rest, allocation);
            rest &= ~inside;
            if (allocation.RaceNumber != launch.RaceNumber)
                continue;
            for (uint others = inside; others != 0; others &= others - 1)
                CompareSource(warp, wait, copies, BitOperations.TrailingZeroCount(others), allocation);
            NoteSources(warp, wait, copies, inside, allocation);
        }
    }

    private static uint LanesInside(PendingCopies* copies, uint lanes, MemoryAllocation allocation)
    {
        Vector512<ulong> start = Vector512.Create(allocation.Start), size = Vector512.Create((ulong)allocation.Size);
        uint inside = 0;
        for (int k = 0; k < Lanes.Count; k += 8)
            inside |= (uint)Vector512.LessThan(Vector512.Load(copies->Sources + k) - start, size).ExtractMostSignificantBits() << k;
        return inside & lanes;
    }

    private static bool AreNeighbours(PendingCopies* copies)
    {
        Vector512<ulong> expected = Vector512.Create(copies->Sources[0]) + (Vector512<ulong>.Indices * Vector512.Create((ulong)copies->Bytes));
        Vector512<ulong> mismatch = default;
        for (int k = 0; k < Lanes.Count; k += 8)
            mismatch |= Vector512.Load(copies->Sources + k) ^ (expected + Vector512.Create((ulong)(k * copies->Bytes)));
        return mismatch == Vector512<ulong>.Zero;
    }

    private static void NoteSources(Warp warp, Instruction* wait, PendingCopies* copies, uint lanes, MemoryAllocation allocation)
    {
        KernelProgram program = warp.Launch.Program;
        uint site = program.Sites.EndOf((int)(copies->Copy - program.Code), (int)(wait - program.Code));
        Unsafe.CopyBlock(warp.Addresses, copies->Sources, Lanes.Count * sizeof(ulong));
        uint whole = lanes & Vector256.Equals(Vector256.Load(copies->Sizes), Vector256.Create((byte)copies->Bytes)).ExtractMostSignificantBits();
        long offset = (long)(copies->Sources[0] - allocation.Start);
        if (whole == Lanes.All && AreNeighbours(copies) && TryNoteRange(warp, wait, allocation, offset, copies->Bytes * Lanes.Count, AccessKind.Load, site))
            return;
        if (whole != 0)
            NoteLanes(warp, wait, whole, copies->Bytes, AccessKind.Load, allocation, site);
        for (uint rest = lanes & ~whole; rest != 0; rest &= rest - 1)
            NoteLanes(warp, wait, rest & ~(rest - 1), copies->Sizes[BitOperations.TrailingZeroCount(rest)], AccessKind.Load, allocation, site);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CompareSource(Warp warp, Instruction* wait, PendingCopies* copies, int lane, MemoryAllocation allocation)
    {
        long offset = (long)(copies->Sources[lane] - allocation.Start);
        ReadOnlySpan<byte> now = new(allocation.Host + offset, copies->Sizes[lane]), then = new(copies->Data + lane * 2, copies->Sizes[lane]);
        if (!now.SequenceEqual(then))
            throw Overwritten(warp, wait, copies, lane, allocation, offset + now.CommonPrefixLength(then));
    }

    private static EmulationException Overwritten(Warp warp, Instruction* wait, PendingCopies* copies, int lane, MemoryAllocation allocation, long offset)
    {
        IEnumerable<string> own = warp.LaneRaces!.DescribeStore(warp, allocation.Start + (ulong)offset, copies->Clock) is { } store ? [store] : [];
        string[] stores = [.. own, .. warp.Block.GlobalRaces!.DescribeStores(warp, allocation, offset)];
        string by = stores.Length == 0 ? string.Empty : $"; what is known to have stored there: {string.Join(", ", stores)}";
        return warp.Fault(wait, lane, EmulationFault.GlobalMemoryRace,
            $"A race in global memory: byte {offset} of {allocation.Describe()}{warp.Launch.DescribeArgument(allocation)} was overwritten before this wait, until which the asynchronous copy"
            + $" of {copies->Bytes} bytes at {warp.Place(copies->Copy)} may read it{by}");
    }
}
