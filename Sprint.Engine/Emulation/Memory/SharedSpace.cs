using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
        if (address > (ulong)shared.Size || (ulong)shared.Size - address < (ulong)total || (address & (ulong)(bytes - 1)) != 0)
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
        warp.Counters?.CountShared(warp.Addresses, active, bytes);
        ulong size = (ulong)shared.Size;
        bool check = MemoryAccess.Reads(kind) && warp.Launch.CheckUninitialised;
        bool writes = MemoryAccess.Writes(kind);
        RaceAccess access = Kind(kind);
        uint site = (uint)(instruction - warp.Launch.Program.Code);
        bool plainRead = access == RaceAccess.Read;
        ulong previous = ulong.MaxValue;
        byte* host = null;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong address = warp.Addresses[lane];
            if (plainRead && address == previous)
            {
                // A broadcast: the lane before was checked, and this one reads the same.
                shared.Races?.ShareRead((int)address, bytes);
                warp.Host[lane] = host;
                continue;
            }
            if (address > size || size - address < (ulong)bytes)
                throw OutOfBounds(warp, instruction, lane, address, bytes, kind);
            if ((address & (ulong)(bytes - 1)) != 0)
                throw MemoryAccess.Misaligned(warp, instruction, lane, "shared", address, bytes, kind);
            if (shared.Races is { } races && !(plainRead && races.TryRead(warp.Index, lane, (int)address, bytes, site))
                && races.Access(warp.Index, lane, (int)address, bytes, access, site) is { } conflict)
                throw Race(warp, instruction, lane, address, bytes, kind, conflict);
            bool undefined = check && !MemoryAccess.IsInitialised(shared.Initialised + address, bytes);
            if (undefined && !Handlers.NoteUndefined(warp, instruction, lane, shared.Initialised + address, bytes))
                throw MemoryAccess.Uninitialised(warp, instruction, lane, "shared", $"offset {address}", bytes);
            if (writes)
                MemoryAccess.Mark(shared.Initialised + address, bytes, 1);
            previous = undefined ? ulong.MaxValue : address;
            warp.Host[lane] = host = shared.Bytes + address;
        }
    }

    public static byte* Shadow(Warp warp, int lane, ulong address) => warp.Block.Shared.Initialised + address;

    public static EmulationException Race(Warp warp, Instruction* instruction, int lane, ulong address, int bytes, AccessKind kind, RaceConflict conflict)
    {
        LaunchIndex other = warp.Launch.BlockSize.At((ulong)conflict.Thread);
        string place = warp.Place(warp.Launch.Program.Code + conflict.Site);
        string what = $"A {MemoryAccess.Describe(kind)} of {bytes} bytes of shared memory at offset {address}";
        string detail = conflict.IsInFlight
            ? $"{what}, which the asynchronous copy of thread {other} at {place} is still going to write: wait for its group, then for the barrier"
            : $"A shared-memory race: {char.ToLowerInvariant(what[0])}{what[1..]} and a {(conflict.IsWrite ? "store" : "load")} by thread {other} at {place} have no barrier between them";
        return warp.Fault(instruction, lane, EmulationFault.SharedMemoryRace, detail);
    }

    public static RaceAccess Kind(AccessKind kind) => kind switch
    {
        AccessKind.Store => RaceAccess.Write,
        AccessKind.Load or AccessKind.ReadOnlyLoad => RaceAccess.Read,
        AccessKind.VolatileLoad => RaceAccess.AtomicRead,
        _ => RaceAccess.Atomic,
    };

    public static EmulationException OutOfBounds(Warp warp, Instruction* instruction, int lane, ulong address, int bytes, AccessKind kind)
        => warp.Fault(instruction, lane, EmulationFault.OutOfBounds,
            $"A {MemoryAccess.Describe(kind)} of {bytes} bytes of shared memory at offset {(long)address}, outside the block's {warp.Block.Shared.Size} bytes");
}
