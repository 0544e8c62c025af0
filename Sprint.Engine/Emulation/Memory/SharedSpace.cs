using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>The block's shared memory.</summary>
internal readonly unsafe struct SharedSpace : IMemorySpace
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* Range(Warp warp, Instruction* instruction, ulong address, int bytes, AccessKind kind)
    {
        SharedMemory shared = warp.Block.Shared;
        int total = bytes * 32;
        if (!shared.Map.Find(address).Contains(address, total) || (address & (ulong)(bytes - 1)) != 0)
            return null;
        if (MemoryAccess.Reads(kind) && warp.Launch.CheckUninitialised && !SharedMemory.AllSet(shared.Initialised + address, total))
            return null;
        uint site = (uint)(instruction - warp.Launch.Program.Code);
        if (shared.Races is { } races && !races.TryAccessRange(warp.Index, (int)address, bytes, Kind(kind), site))
            return null;
        if (MemoryAccess.Writes(kind))
            NativeMemory.Fill(shared.Initialised + address, (nuint)total, 1);
        warp.Counters?.CountSharedRange(bytes);
        return shared.Bytes + address;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scatter(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind)
    {
        SharedMemory shared = warp.Block.Shared;
        warp.Counters?.CountShared(warp.Addresses, active, bytes, kind == AccessKind.Atomic);
        SharedRange range = default;
        bool check = MemoryAccess.Reads(kind) && warp.Launch.CheckUninitialised;
        bool writes = MemoryAccess.Writes(kind);
        RaceAccess access = Kind(kind);
        uint site = (uint)(instruction - warp.Launch.Program.Code);
        bool plainRead = access == RaceAccess.Read;
        if (plainRead && bytes == 4 && Avx2.IsSupported && TryReadWords(warp, shared, active, check, site))
            return;
        ulong previous = ulong.MaxValue;
        byte* host = null;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong address = warp.Addresses[lane];
            if (plainRead && address == previous)
            {
                // A broadcast of what is written before for the whole warp: the lane before was checked, and this one reads the same.
                shared.Races?.ShareRead((int)address, bytes);
                warp.Host[lane] = host;
                continue;
            }
            if (!range.Contains(address, bytes) && !(range = shared.Map.Find(address)).Contains(address, bytes))
                throw OutOfBounds(warp, instruction, lane, address, bytes, kind);
            if ((address & (ulong)(bytes - 1)) != 0)
                throw Misaligned(warp, instruction, lane, address, bytes, kind);
            bool isSettled = shared.Races is not { } races
                || (plainRead && (races.TryRead(warp.Index, lane, (int)address, bytes, site) || races.TryReadWide(warp.Index, lane, (int)address, bytes, site)));
            if (!isSettled && shared.Races!.Access(warp.Index, lane, (int)address, bytes, access, site) is { } conflict)
                throw Race(warp, instruction, lane, address, bytes, kind, conflict);
            bool undefined = check && !MemoryAccess.IsInitialised(shared.Initialised + address, bytes);
            if (undefined && !Handlers.NoteUndefined(warp, instruction, lane, shared.Initialised + address, bytes))
                throw MemoryAccess.Uninitialised(warp, instruction, lane, "shared", shared.Map.Describe(address), bytes);
            if (writes)
                MemoryAccess.Mark(shared.Initialised + address, bytes, 1);
            previous = undefined || !isSettled ? ulong.MaxValue : address;
            warp.Host[lane] = host = shared.Bytes + address;
        }
    }

    // Words that lanes read at any places, where nothing is wrong with any of them.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryReadWords(Warp warp, SharedMemory shared, uint active, bool check, uint site)
    {
        if (active == 0 || shared.Races is { HasWordGranules: false })
            return false;
        ulong first = warp.Addresses[BitOperations.TrailingZeroCount(active)];
        SharedRange range = shared.Map.Find(first);
        if (!range.Contains(first, 4))
            return false;
        uint* offsets = stackalloc uint[Lanes.Count];
        Vector512<ulong> any = Vector512.Create(first);
        Vector512<ulong> start = Vector512.Create(range.Start);
        Vector512<ulong> last = Vector512.Create(range.Length - 4);
        Vector512<ulong> wrong = default;
        for (int k = 0; k < Lanes.Count; k += 8)
        {
            Vector512<ulong> address = Vector512.ConditionalSelect(Lanes.Mask<ulong>(active, k), Vector512.LoadAligned(warp.Addresses + k), any);
            wrong |= Vector512.GreaterThan(address - start, last) | (address & Vector512.Create(3ul));
            Vector512.Narrow(address, address).GetLower().Store(offsets + k);
            (address + Vector512.Create((ulong)shared.Bytes)).Store((ulong*)warp.Host + k);
        }
        if (wrong != Vector512<ulong>.Zero)
            return false;
        for (int k = 0; check && k < Lanes.Count; k += 8)
        {
            Vector256<uint> written = Avx2.GatherVector256((uint*)shared.Initialised, Vector256.Load(offsets + k).AsInt32(), 1);
            if (!Vector256.EqualsAll(written, Vector256.Create(0x01010101u)))
                return false;
        }
        return shared.Races is not { } races || races.TryReadWords(warp.Index, active, offsets, site);
    }

    public static byte* Shadow(Warp warp, int lane, ulong address) => warp.Block.Shared.Initialised + address;

    public static EmulationException Race(Warp warp, Instruction* instruction, int lane, ulong address, int bytes, AccessKind kind, RaceConflict conflict)
    {
        LaunchIndex other = warp.Launch.BlockSize.At((ulong)conflict.Thread);
        string place = warp.Place(warp.Launch.Program.Code + conflict.Site);
        string what = $"A {MemoryAccess.Describe(kind)} of {bytes} bytes of shared memory at {warp.Block.Shared.Map.Describe(address)}";
        string detail = conflict.IsInFlight
            ? $"{what}, which the asynchronous copy of thread {other} at {place} is still going to write: wait for its group, then for the barrier"
            : $"A shared-memory race: {char.ToLowerInvariant(what[0])}{what[1..]} and a {(conflict.IsWrite ? "store" : "load")} by thread {other} at {place} have {(conflict.Thread >> 5 == warp.Index ? "neither barrier nor __syncwarp()" : "no barrier")} between them";
        return warp.Fault(instruction, lane, EmulationFault.SharedMemoryRace, detail);
    }

    public static RaceAccess Kind(AccessKind kind) => kind switch
    {
        AccessKind.Store => RaceAccess.Write,
        AccessKind.Load or AccessKind.ReadOnlyLoad => RaceAccess.Read,
        AccessKind.VolatileLoad => RaceAccess.AtomicRead,
        AccessKind.Atomic => RaceAccess.Atomic,
        _ => RaceAccess.AtomicWrite,
    };

    public static EmulationException OutOfBounds(Warp warp, Instruction* instruction, int lane, ulong address, int bytes, AccessKind kind)
        => warp.Fault(instruction, lane, EmulationFault.OutOfBounds,
            $"A {MemoryAccess.Describe(kind)} of {bytes} bytes of shared memory, {warp.Block.Shared.Map.DescribeOutside(address, bytes)}");

    public static EmulationException Misaligned(Warp warp, Instruction* instruction, int lane, ulong address, int bytes, AccessKind kind)
    {
        SharedMap map = warp.Block.Shared.Map;
        return warp.Fault(instruction, lane, EmulationFault.Misaligned,
            $"A misaligned {MemoryAccess.Describe(kind)} of {bytes} bytes of shared memory at 0x{map.WithoutGaps(address):X}, {map.Describe(address)}, which is no multiple of {bytes}");
    }
}
