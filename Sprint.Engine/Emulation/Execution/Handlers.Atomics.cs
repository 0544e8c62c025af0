using System.Numerics;
using System.Runtime.CompilerServices;
using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Atomic operations: lane after lane, indivisible towards blocks on other workers.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>D: the old value, A with Immediate and C: the address, B: operand, E: second operand, F: 1 if the old value is not asked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Atomic<TSpace, TOperator, T>(Warp warp, Instruction* i)
        where TSpace : struct, IMemorySpace
        where TOperator : struct, IAtomic<T>
        where T : unmanaged, IEquatable<T>
    {
        warp.Worked |= warp.Active;
        ComputeAddresses(warp, i, sizeof(T));
        TSpace.Scatter(warp, i, warp.Active, sizeof(T), AccessKind.Atomic);
        byte* r = warp.Registers;
        T* d = (T*)(r + i->D), b = (T*)(r + i->B), c = (T*)(r + i->E);
        bool alone = typeof(TSpace) == typeof(SharedSpace);
        SyncGraph? sync = alone ? null : warp.Launch.Sync;
        SyncWords? words = warp.Block.Clocks?.Words;
        if (sync is not null && !TOperator.MayLeave)
            GlobalSpace.Publish(warp, sync, warp.Active, sizeof(T));
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            T* memory = (T*)warp.Host[lane];
            T third = c[lane];
            if (typeof(TOperator) == typeof(AtomicAddSingle))
                third = Unsafe.BitCast<uint, T>(!alone && warp.Addresses[lane] >= MemoryWindows.Global ? 1u : 0u);
            T old;
            if (alone)
            {
                old = *memory;
                *memory = TOperator.Apply(old, b[lane], third);
            }
            else if (sync is not null && TOperator.MayLeave)
            {
                old = ExchangeOrLeave<TOperator, T>(warp, sync, lane, memory, b[lane], third);
            }
            else
            {
                old = Exchange<TOperator, T>(memory, b[lane], third);
            }
            if (words is not null)
                Synchronize<TSpace>(warp, words, lane, sizeof(T), i->F == 0, !TOperator.MayLeave || old.Equals(b[lane]));
            d[lane] = old;
        }
        if (i->F == 0)
        {
            int lowest = Warp.LowestLane(warp.Active);
            if (!alone)
                warp.Block.GlobalRaces?.Observe(warp.Index, warp.Addresses[lowest], sizeof(T));
            AcquireFromBlocks<TSpace>(warp, sizeof(T), (byte*)(d + lowest));
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Exchange<TOperator, T>(T* memory, T b, T c)
        where TOperator : struct, IAtomic<T>
        where T : unmanaged, IEquatable<T>
    {
        T old = *memory;
        while (true)
        {
            T wanted = TOperator.Apply(old, b, c);
            T seen = CompareExchange(memory, wanted, old);
            if (seen.Equals(old))
                return old;
            old = seen;
        }
    }

    // A compare-and-swap that fails writes nothing, so it publishes nothing.
    private static T ExchangeOrLeave<TOperator, T>(Warp warp, SyncGraph sync, int lane, T* memory, T b, T c)
        where TOperator : struct, IAtomic<T>
        where T : unmanaged, IEquatable<T>
    {
        while (true)
        {
            T old = *memory;
            if (!old.Equals(b))
                return old;
            Publication published = GlobalSpace.Publish(warp, sync, lane, sizeof(T));
            if (CompareExchange(memory, c, b).Equals(b))
                return b;
            published.Withdraw();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T CompareExchange<T>(T* memory, T wanted, T expected)
        where T : unmanaged
    {
        if (sizeof(T) == 8)
        {
            ulong seen = Interlocked.CompareExchange(ref *(ulong*)memory, Unsafe.BitCast<T, ulong>(wanted), Unsafe.BitCast<T, ulong>(expected));
            return Unsafe.BitCast<ulong, T>(seen);
        }
        if (sizeof(T) == 4)
        {
            uint seen = Interlocked.CompareExchange(ref *(uint*)memory, Unsafe.BitCast<T, uint>(wanted), Unsafe.BitCast<T, uint>(expected));
            return Unsafe.BitCast<uint, T>(seen);
        }
        ushort half = Interlocked.CompareExchange(ref *(ushort*)memory, Unsafe.BitCast<T, ushort>(wanted), Unsafe.BitCast<T, ushort>(expected));
        return Unsafe.BitCast<ushort, T>(half);
    }
}
