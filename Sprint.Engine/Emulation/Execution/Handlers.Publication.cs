using System.Numerics;
using System.Runtime.CompilerServices;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>What atomic and volatile accesses tell the race detectors: publication to other blocks (<see cref="SyncGraph"/>) and to other threads of the block (<see cref="SyncWords"/>).</summary>
internal static unsafe partial class Handlers
{
    /// <summary>After a volatile read of the active lanes' addresses: what was published there is known from now on.</summary>
    private static void AcquireAll<TSpace>(Warp warp, int bytes, byte* host)
        where TSpace : struct, IMemorySpace
    {
        if (warp.Block.Clocks?.Words is { } words)
        {
            for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                if (GenericAddress<TSpace>(warp, lane) is var address && IsVisible(address))
                    words.Acquire(warp.Index, lane, address, bytes);
            }
        }
        AcquireFromBlocks<TSpace>(warp, bytes, host);
    }

    /// <summary>After a volatile write: what the lanes' fences have covered is known to the threads of the block that read it.</summary>
    private static void PublishAll<TSpace>(Warp warp, int bytes, AccessKind kind)
        where TSpace : struct, IMemorySpace
    {
        if (warp.Block.Clocks?.Words is not { } words)
            return;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong address = GenericAddress<TSpace>(warp, lane);
            if (kind == AccessKind.UncachedStore ? address >= MemoryWindows.Global : IsVisible(address))
                words.Publish(warp.Index, lane, address, bytes);
        }
    }

    /// <summary>After one lane's atomic operation, which has read and written or did only one of the two.</summary>
    private static void Synchronize<TSpace>(Warp warp, SyncWords words, int lane, int bytes, bool reads, bool writes)
        where TSpace : struct, IMemorySpace
    {
        ulong address = GenericAddress<TSpace>(warp, lane);
        if (!IsVisible(address))
            return;
        if (reads)
            words.Acquire(warp.Index, lane, address, bytes);
        if (writes)
            words.Publish(warp.Index, lane, address, bytes);
    }

    /// <summary>After an atomic or volatile read, of which the first lane got what is at <paramref name="first"/>: what other blocks have published there.</summary>
    private static void AcquireFromBlocks<TSpace>(Warp warp, int bytes, byte* first)
        where TSpace : struct, IMemorySpace
    {
        if (typeof(TSpace) == typeof(SharedSpace) || IsGlobal<TSpace>())
            warp.Block.Look(warp, IsGlobal<TSpace>(), warp.Addresses[Warp.LowestLane(warp.Active)], Value(first, bytes));
        if (!IsGlobal<TSpace>() || warp.Launch.Sync is not { } sync)
            return;
        ulong previous = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            ulong address = warp.Addresses[BitOperations.TrailingZeroCount(lanes)];
            if (address >= MemoryWindows.Global && address != previous)
                sync.Acquire(warp.Block.Clocks!, warp.Index, address, bytes);
            previous = address;
        }
    }

    private static ulong Value(byte* at, int bytes) => bytes switch
    {
        1 => *at,
        2 => *(ushort*)at,
        4 => *(uint*)at,
        _ => *(ulong*)at,
    };

    // A lane's address in the generic address space.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong GenericAddress<TSpace>(Warp warp, int lane)
        where TSpace : struct, IMemorySpace
        => typeof(TSpace) == typeof(SharedSpace) ? MemoryWindows.Shared + warp.Addresses[lane] : IsGlobal<TSpace>() ? warp.Addresses[lane] : 0;

    // Whether other threads see what is there.
    private static bool IsVisible(ulong address) => address >= MemoryWindows.Global || address - MemoryWindows.Shared < MemoryWindows.Size;
}
