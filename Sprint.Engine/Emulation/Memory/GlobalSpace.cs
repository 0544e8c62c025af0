using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>Device memory: global and constant variables and allocations.</summary>
internal readonly unsafe partial struct GlobalSpace : IMemorySpace
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* Range(Warp warp, Instruction* instruction, ulong address, int bytes, AccessKind kind)
    {
        MemoryAllocation? allocation = warp.Launch.Memory.Find(address);
        if (allocation is null || allocation.IsFreed || (address & (ulong)(bytes - 1)) != 0)
            return null;
        long offset = (long)(address - allocation.Start);
        int total = bytes * 32;
        if (offset > allocation.Size - total)
            return null;
        LaunchContext launch = warp.Launch;
        if (IsWatched(launch, allocation, kind) && !TryNoteRange(warp, instruction, allocation, offset, total, kind, Site(warp, instruction)))
            return null;
        if (MemoryAccess.Writes(kind))
        {
            if (allocation.IsReadOnly || !TryMarkWritten(launch, allocation, offset, total))
                return null;
        }
        else
        {
            if (!allocation.IsFullyInitialised && launch.CheckUninitialised && !SharedMemory.AllSet(allocation.Initialised + offset, total))
                return null;
            if (kind == AccessKind.ReadOnlyLoad && launch.ReadOnlyGeneration != 0 && !TryMarkReadOnly(launch, allocation, offset, total))
                return null;
        }
        warp.Counters?.CountGlobalRange(address, total);
        return allocation.Host + offset;
    }

    public static void Scatter(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind)
    {
        warp.Counters?.CountGlobal(warp.Addresses, active, bytes);
        if (warp.Launch.Sync is { } sync && kind is AccessKind.VolatileStore or AccessKind.UncachedStore)
            Publish(warp, sync, active, bytes);
        for (uint rest = active; rest != 0;)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            ulong address = warp.Addresses[first];
            MemoryAllocation? allocation = warp.Launch.Memory.Find(address);
            if (allocation is null || allocation.IsFreed
                || (long)(address - allocation.Start) > allocation.Size - bytes)
                throw OutOfBounds(warp, instruction, first, address, bytes, kind, allocation);
            rest &= ~Resolve(warp, instruction, rest, bytes, kind, allocation);
        }
    }

    public static byte* Shadow(Warp warp, int lane, ulong address)
    {
        MemoryAllocation allocation = warp.Launch.Memory.Find(address)!;
        allocation.IsFullyInitialised = false;
        return allocation.Initialised + (address - allocation.Start);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint Resolve(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind, MemoryAllocation allocation)
    {
        ulong start = allocation.Start;
        ulong limit = (ulong)(allocation.Size - bytes);
        ulong misaligned = (ulong)(bytes - 1);
        bool writes = MemoryAccess.Writes(kind);
        bool checkRead = MemoryAccess.Reads(kind) && !allocation.IsFullyInitialised && warp.Launch.CheckUninitialised;
        bool track = warp.Launch.ReadOnlyGeneration != 0;
        bool mark = writes && !allocation.IsFullyInitialised;
        if (writes && allocation.IsReadOnly)
        {
            throw warp.Fault(instruction, Warp.LowestLane(active), EmulationFault.ReadOnlyWrite,
                $"A {MemoryAccess.Describe(kind)} to {Describe(warp.Launch, allocation)}, which is constant");
        }
        uint resolved = 0;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong offset = warp.Addresses[lane] - start;
            if (offset > limit)
                continue;
            resolved |= 1u << lane;
            if ((offset & misaligned) != 0)
                throw MemoryAccess.Misaligned(warp, instruction, lane, "global", warp.Addresses[lane], bytes, kind);
            if (checkRead && !MemoryAccess.IsInitialised(allocation.Initialised + offset, bytes)
                && !Handlers.NoteUndefined(warp, instruction, lane, allocation.Initialised + offset, bytes))
                throw MemoryAccess.Uninitialised(warp, instruction, lane, "global", Place(warp.Launch, allocation, offset), bytes);
            if (mark)
                MemoryAccess.Mark(allocation.Initialised + offset, bytes, 1);
            if (track)
                TrackReadOnly(warp, instruction, lane, allocation, (long)offset, bytes, kind);
            warp.Host[lane] = allocation.Host + offset;
        }
        if (IsWatched(warp.Launch, allocation, kind))
            NoteLanes(warp, instruction, resolved, bytes, kind, allocation, Site(warp, instruction));
        return resolved;
    }

    private static string Place(LaunchContext launch, MemoryAllocation allocation, ulong offset) => $"byte {offset} of {Describe(launch, allocation)}";

    private static string Describe(LaunchContext launch, MemoryAllocation allocation) => allocation.Describe() + launch.DescribeArgument(allocation);

    private static void TrackReadOnly(Warp warp, Instruction* instruction, int lane, MemoryAllocation allocation, long offset, int bytes, AccessKind kind)
    {
        LaunchContext launch = warp.Launch;
        if (MemoryAccess.Writes(kind))
        {
            if (!TryMarkWritten(launch, allocation, offset, bytes))
            {
                throw warp.Fault(instruction, lane, EmulationFault.ReadOnlyWrite,
                    $"A {MemoryAccess.Describe(kind)} to {Place(launch, allocation, (ulong)offset)}, which this launch also reads through the read-only path (const __restrict__ or __ldg)");
            }
        }
        else if (kind == AccessKind.ReadOnlyLoad && !TryMarkReadOnly(launch, allocation, offset, bytes))
        {
            throw warp.Fault(instruction, lane, EmulationFault.ReadOnlyWrite,
                $"A load through the read-only path (const __restrict__ or __ldg) of {Place(launch, allocation, (ulong)offset)}, which this launch also writes");
        }
    }

    private static bool TryMarkWritten(LaunchContext launch, MemoryAllocation allocation, long offset, int bytes)
    {
        if (launch.ReadOnlyGeneration != 0 && allocation.LastWrite != null)
        {
            if (ContainsMark(allocation.LastReadOnlyRead + offset, bytes, launch.ReadOnlyGeneration))
                return false;
            NativeMemory.Fill(allocation.LastWrite + offset, (nuint)bytes, launch.ReadOnlyGeneration);
        }
        if (!allocation.IsFullyInitialised)
            NativeMemory.Fill(allocation.Initialised + offset, (nuint)bytes, 1);
        return true;
    }

    private static bool TryMarkReadOnly(LaunchContext launch, MemoryAllocation allocation, long offset, int bytes)
    {
        if (allocation.LastWrite == null)
            return true;
        if (ContainsMark(allocation.LastWrite + offset, bytes, launch.ReadOnlyGeneration))
            return false;
        NativeMemory.Fill(allocation.LastReadOnlyRead + offset, (nuint)bytes, launch.ReadOnlyGeneration);
        return true;
    }

    private static bool ContainsMark(byte* shadow, int bytes, byte mark) => new ReadOnlySpan<byte>(shadow, bytes).Contains(mark);

    private static EmulationException OutOfBounds(Warp warp, Instruction* instruction, int lane, ulong address, int bytes, AccessKind kind, MemoryAllocation? allocation)
    {
        string what = $"A {MemoryAccess.Describe(kind)} of {bytes} bytes of global memory at 0x{address:X}";
        if (allocation is { IsFreed: true })
            return warp.Fault(instruction, lane, EmulationFault.UseAfterFree, $"{what}, in {Describe(warp.Launch, allocation)}, which was freed");
        if (allocation is not null)
        {
            long beyond = (long)(address - allocation.Start) + bytes - allocation.Size;
            return warp.Fault(instruction, lane, EmulationFault.OutOfBounds, $"{what}, which ends {beyond} bytes behind {Describe(warp.Launch, allocation)}");
        }
        return warp.Fault(instruction, lane, EmulationFault.OutOfBounds, $"{what}, {Neighbour(warp.Launch, address)}");
    }

    private static string Neighbour(LaunchContext launch, ulong address)
    {
        EmulatedMemory memory = launch.Memory;
        if (address < 1 << 16)
            return "which is a null pointer or near one";
        MemoryAllocation? after = memory.Find(address + (1 << 16));
        if (after is not null && after.Start > address)
            return $"{after.Start - address} bytes before {Describe(launch, after)}";
        MemoryAllocation? before = memory.Find(address - (1 << 16));
        return before is null
            ? "where nothing is allocated"
            : $"{address - before.Start - (ulong)before.Size} bytes behind {Describe(launch, before)}";
    }
}
