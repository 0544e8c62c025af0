using System.Numerics;
using System.Runtime.CompilerServices;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>What the detector of races is told of each access.</summary>
internal readonly unsafe partial struct GlobalSpace
{
    /// <summary>Whether races are looked for in an allocation: where the launch was expected to write, and from the first write on elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWatched(LaunchContext launch, MemoryAllocation allocation, AccessKind kind)
    {
        if (allocation.RaceNumber == launch.RaceNumber)
            return true;
        if (!MemoryAccess.Writes(kind) || !launch.CheckGlobalRaces)
            return false;
        allocation.TrackRaces(launch.RaceNumber);
        return true;
    }

    private static bool TryNoteRange(Warp warp, Instruction* instruction, MemoryAllocation allocation, long offset, int bytes, AccessKind kind, uint site)
    {
        if (warp.Launch.Sync is not null && kind >= AccessKind.VolatileStore)
            return false;
        GlobalRaceDetector races = warp.Block.GlobalRaces!;
        races.Set(warp.Index, kind, site);
        if (kind is AccessKind.Store or AccessKind.UncachedStore)
            races.BeginStore(warp, instruction, bytes / Lanes.Count);
        return races.TryAccess(allocation, offset, bytes) && warp.LaneRaces!.TryAccessRange(warp.Addresses[0], bytes / Lanes.Count, kind, site);
    }

    private static uint Site(Warp warp, Instruction* instruction) => warp.Launch.Program.Sites[(int)(instruction - warp.Launch.Program.Code)];

    // Neighbouring lanes' accesses are noted as one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NoteLanes(Warp warp, Instruction* instruction, uint lanes, int bytes, AccessKind kind, MemoryAllocation allocation, uint site)
    {
        GlobalRaceDetector races = warp.Block.GlobalRaces!;
        races.Set(warp.Index, kind, site);
        if (kind is AccessKind.Store or AccessKind.UncachedStore)
            races.BeginStore(warp, instruction, bytes);
        long start = 0, end = -1;
        bool clean = true;
        for (uint rest = lanes; rest != 0 && clean; rest &= rest - 1)
        {
            long offset = (long)(warp.Addresses[BitOperations.TrailingZeroCount(rest)] - allocation.Start);
            if (offset == end)
            {
                end += bytes;
                continue;
            }
            if (offset + bytes == end)
                continue;
            clean = end < 0 || races.TryAccess(allocation, start, (int)(end - start));
            start = offset;
            end = offset + bytes;
        }
        if (!clean || (end >= 0 && !races.TryAccess(allocation, start, (int)(end - start))))
            races.Inspect(warp, instruction, lanes, bytes, kind, allocation);
        warp.LaneRaces!.Access(warp, instruction, lanes, bytes, kind, allocation, site);
    }

    /// <summary>Lanes are about to write atomically: what their fences cover is published to who reads there.</summary>
    public static void Publish(Warp warp, SyncGraph sync, uint active, int bytes)
    {
        ulong previous = 0;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            if (warp.Addresses[lane] != previous)
                Publish(warp, sync, lane, bytes);
            previous = warp.Addresses[lane];
        }
    }

    /// <summary>One lane is about to write atomically.</summary>
    public static Publication Publish(Warp warp, SyncGraph sync, int lane, int bytes)
    {
        ulong address = warp.Addresses[lane];
        return address >= MemoryWindows.Global ? sync.Publish(warp.Block.Clocks!, warp.Index, warp.Block.GlobalRaces!.Block, address, bytes) : default;
    }
}
