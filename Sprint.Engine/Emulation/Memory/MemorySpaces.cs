using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>What an access does.</summary>
internal enum AccessKind
{
    Load,
    ReadOnlyLoad,
    VolatileLoad,
    Store,
    VolatileStore,
    Atomic,

    /// <summary>A store to global memory past the first-level cache.</summary>
    UncachedStore,
}

/// <summary>
/// A state space as handlers see it. Addresses are in <see cref="Warp.Addresses"/>; both methods check everything and record
/// the access.
/// </summary>
internal unsafe interface IMemorySpace
{
    /// <summary>Host bytes of 32 neighbouring accesses from <paramref name="address"/>, or null where lanes must be looked at one by one.</summary>
    static abstract byte* Range(Warp warp, Instruction* instruction, ulong address, int bytes, AccessKind kind);

    /// <summary>Writes the host address of every active lane's access to <see cref="Warp.Host"/>.</summary>
    static abstract void Scatter(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind);

    /// <summary>The shadow of an address that a lane has just written: 1 for each byte that is defined.</summary>
    static abstract byte* Shadow(Warp warp, int lane, ulong address);
}

/// <summary>Helpers of all spaces.</summary>
internal static unsafe class MemoryAccess
{
    public static bool Reads(AccessKind kind) => kind is not (AccessKind.Store or AccessKind.VolatileStore or AccessKind.UncachedStore);

    public static bool Writes(AccessKind kind) => kind >= AccessKind.Store;

    public static string Describe(AccessKind kind) => kind switch
    {
        AccessKind.Store or AccessKind.VolatileStore or AccessKind.UncachedStore => "store",
        AccessKind.Atomic => "read-modify-write (atomic)",
        _ => "load",
    };

    /// <summary>Whether bytes were all written.</summary>
    public static bool IsInitialised(byte* shadow, int bytes) => bytes switch
    {
        1 => *shadow != 0,
        2 => *(ushort*)shadow == 0x0101,
        4 => *(uint*)shadow == 0x01010101,
        8 => *(ulong*)shadow == 0x0101010101010101,
        _ => *(ulong*)shadow == 0x0101010101010101 && *(ulong*)(shadow + 8) == 0x0101010101010101,
    };

    public static void Mark(byte* shadow, int bytes, byte value)
    {
        switch (bytes)
        {
            case 1:
                *shadow = value;
                break;
            case 2:
                *(ushort*)shadow = (ushort)(value * 0x0101);
                break;
            case 4:
                *(uint*)shadow = value * 0x01010101u;
                break;
            case 8:
                *(ulong*)shadow = value * 0x0101010101010101ul;
                break;
            default:
                new Span<byte>(shadow, bytes).Fill(value);
                break;
        }
    }

    public static EmulationException Misaligned(Warp warp, Instruction* instruction, int lane, string space, ulong address, int bytes, AccessKind kind)
        => warp.Fault(instruction, lane, EmulationFault.Misaligned,
            $"A misaligned {Describe(kind)} of {bytes} bytes of {space} memory at 0x{address:X}, which is no multiple of {bytes}");

    public static EmulationException Uninitialised(Warp warp, Instruction* instruction, int lane, string space, string place, int bytes)
        => warp.Fault(instruction, lane, EmulationFault.Uninitialised,
            $"A read of {bytes} bytes of {space} memory that were never written, at {place}");
}

/// <summary>Thread-private memory: offsets in a stack that each thread has.</summary>
internal readonly unsafe struct LocalSpace : IMemorySpace
{
    public static byte* Range(Warp warp, Instruction* instruction, ulong address, int bytes, AccessKind kind) => null;

    public static void Scatter(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind)
    {
        ulong size = (ulong)warp.Launch.LocalBytes;
        byte* memory = warp.Block.Local + (long)warp.Index * 32 * (long)size;
        byte* shadow = warp.Block.LocalInitialised + (long)warp.Index * 32 * (long)size;
        bool check = warp.Launch.CheckUninitialised;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong offset = warp.Addresses[lane];
            if (offset > size || size - offset < (ulong)bytes)
            {
                throw warp.Fault(instruction, lane, EmulationFault.OutOfBounds,
                    $"A {MemoryAccess.Describe(kind)} of {bytes} bytes of local memory at offset {(long)offset}, outside the thread's {size} bytes");
            }
            if ((offset & (ulong)(bytes - 1)) != 0)
                throw MemoryAccess.Misaligned(warp, instruction, lane, "local", offset, bytes, kind);
            long place = lane * (long)size + (long)offset;
            if (MemoryAccess.Reads(kind))
            {
                if (check && !MemoryAccess.IsInitialised(shadow + place, bytes) && !Handlers.NoteUndefined(warp, instruction, lane, shadow + place, bytes))
                    throw MemoryAccess.Uninitialised(warp, instruction, lane, "local", $"offset {offset} of the thread's stack", bytes);
            }
            else
            {
                MemoryAccess.Mark(shadow + place, bytes, 1);
            }
            warp.Host[lane] = memory + place;
        }
    }

    public static byte* Shadow(Warp warp, int lane, ulong address)
        => warp.Block.LocalInitialised + (warp.Index * 32L + lane) * warp.Launch.LocalBytes + (long)address;
}

/// <summary>The kernel's arguments, where code addresses them through a register.</summary>
internal readonly unsafe struct ParameterSpace : IMemorySpace
{
    public static byte* Range(Warp warp, Instruction* instruction, ulong address, int bytes, AccessKind kind) => null;

    public static void Scatter(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind)
    {
        ulong size = (ulong)warp.Launch.Program.ParameterBytes;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong offset = warp.Addresses[lane];
            if (MemoryAccess.Writes(kind))
                throw warp.Fault(instruction, lane, EmulationFault.ReadOnlyWrite, "A store to the kernel's parameters, which are constant");
            if (offset > size || size - offset < (ulong)bytes)
            {
                throw warp.Fault(instruction, lane, EmulationFault.OutOfBounds,
                    $"A load of {bytes} bytes at offset {(long)offset} of the kernel's parameters, which have {size} bytes");
            }
            if ((offset & (ulong)(bytes - 1)) != 0)
                throw MemoryAccess.Misaligned(warp, instruction, lane, "parameter", offset, bytes, kind);
            warp.Host[lane] = warp.Launch.Parameters + offset;
        }
    }

    public static byte* Shadow(Warp warp, int lane, ulong address) => throw new InvalidOperationException("Parameters are not written.");
}

/// <summary>Generic addresses: each lane's window tells its space.</summary>
internal readonly unsafe struct GenericSpace : IMemorySpace
{
    public static byte* Range(Warp warp, Instruction* instruction, ulong address, int bytes, AccessKind kind)
    {
        if (address >= MemoryWindows.Global)
            return GlobalSpace.Range(warp, instruction, address, bytes, kind);
        return address - MemoryWindows.Shared < MemoryWindows.Size
            ? SharedSpace.Range(warp, instruction, address - MemoryWindows.Shared, bytes, Cached(kind))
            : null;
    }

    public static void Scatter(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind)
    {
        for (uint rest = active; rest != 0;)
        {
            ulong window = warp.Addresses[Warp.LowestLane(rest)] >> MemoryWindows.WindowShift;
            uint same = 0;
            for (uint lanes = rest; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                if (warp.Addresses[lane] >> MemoryWindows.WindowShift == window)
                    same |= 1u << lane;
            }
            rest &= ~same;
            Dispatch(warp, instruction, same, bytes, kind, window << MemoryWindows.WindowShift);
        }
    }

    // Past which caches a store goes means nothing outside global memory.
    private static AccessKind Cached(AccessKind kind) => kind == AccessKind.UncachedStore ? AccessKind.Store : kind;

    public static byte* Shadow(Warp warp, int lane, ulong address) => (address >> MemoryWindows.WindowShift << MemoryWindows.WindowShift) switch
    {
        MemoryWindows.Shared => SharedSpace.Shadow(warp, lane, address - MemoryWindows.Shared),
        MemoryWindows.Local => LocalSpace.Shadow(warp, lane, address - MemoryWindows.Local),
        _ => GlobalSpace.Shadow(warp, lane, address),
    };

    private static void Dispatch(Warp warp, Instruction* instruction, uint active, int bytes, AccessKind kind, ulong window)
    {
        if (window is not (MemoryWindows.Shared or MemoryWindows.Local or MemoryWindows.Parameter))
        {
            GlobalSpace.Scatter(warp, instruction, active, bytes, kind);
            return;
        }
        kind = Cached(kind);
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
            warp.Addresses[BitOperations.TrailingZeroCount(lanes)] -= window;
        if (window == MemoryWindows.Shared)
            SharedSpace.Scatter(warp, instruction, active, bytes, kind);
        else if (window == MemoryWindows.Local)
            LocalSpace.Scatter(warp, instruction, active, bytes, kind);
        else
            ParameterSpace.Scatter(warp, instruction, active, bytes, kind);
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
            warp.Addresses[BitOperations.TrailingZeroCount(lanes)] += window;
    }
}
