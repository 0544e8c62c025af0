using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>
/// Loads and stores. A: the address register (C: 1 if it has 32 bits), Immediate: the offset, Count: elements of the vector,
/// D or List: the data registers, F: the <see cref="AccessKind"/>.
/// </summary>
internal static unsafe partial class Handlers
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Load<TSpace, TMemory, TRegister>(Warp warp, Instruction* i)
        where TSpace : struct, IMemorySpace
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        int bytes = sizeof(TMemory) * i->Count;
        AccessKind kind = (AccessKind)i->F;
        if (ComputeAddresses(warp, i, bytes))
        {
            byte* host = TSpace.Range(warp, i, warp.Addresses[0], bytes, kind);
            if (host != null)
            {
                if (i->Count == 1)
                    LoadNeighbours<TMemory, TRegister>(warp.Registers + i->D, host);
                else
                    LoadVectors<TMemory, TRegister>(warp, i, host);
                if (kind == AccessKind.VolatileLoad)
                    AcquireAll<TSpace>(warp, bytes, host);
                return i + 1;
            }
        }
        TSpace.Scatter(warp, i, warp.Active, bytes, kind);
        if (i->Count == 1)
        {
            TRegister* d = (TRegister*)(warp.Registers + i->D);
            for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                d[lane] = TRegister.CreateTruncating(*(TMemory*)warp.Host[lane]);
            }
            if (kind == AccessKind.VolatileLoad)
                AcquireAll<TSpace>(warp, bytes, warp.Host[Warp.LowestLane(warp.Active)]);
            return i + 1;
        }
        for (int element = 0; element < i->Count; element++)
        {
            TRegister* d = (TRegister*)(warp.Registers + i->List[element]);
            for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                d[lane] = TRegister.CreateTruncating(((TMemory*)warp.Host[lane])[element]);
            }
        }
        if (kind == AccessKind.VolatileLoad)
            AcquireAll<TSpace>(warp, bytes, warp.Host[Warp.LowestLane(warp.Active)]);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Store<TSpace, TMemory, TRegister>(Warp warp, Instruction* i)
        where TSpace : struct, IMemorySpace
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        int bytes = sizeof(TMemory) * i->Count;
        AccessKind kind = (AccessKind)i->F;
        warp.Worked |= warp.Active;
        if (ComputeAddresses(warp, i, bytes))
        {
            byte* host = TSpace.Range(warp, i, warp.Addresses[0], bytes, kind);
            if (host != null)
            {
                for (int element = 0; element < i->Count; element++)
                    StoreNeighbours<TMemory, TRegister>(host, (TRegister*)(warp.Registers + DataRegister(i, element)), element, i->Count);
                EndStore<TSpace>(warp);
                if (kind >= AccessKind.VolatileStore)
                    PublishAll<TSpace>(warp, bytes, kind);
                return i + 1;
            }
        }
        TSpace.Scatter(warp, i, warp.Active, bytes, kind);
        for (int element = 0; element < i->Count; element++)
        {
            TRegister* d = (TRegister*)(warp.Registers + DataRegister(i, element));
            for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                ((TMemory*)warp.Host[lane])[element] = TMemory.CreateTruncating(d[lane]);
            }
        }
        EndStore<TSpace>(warp);
        if (kind >= AccessKind.VolatileStore)
            PublishAll<TSpace>(warp, bytes, kind);
        return i + 1;
    }

    /// <summary>Reads a kernel parameter, the same for all lanes: Immediate is its offset.</summary>
    public static Instruction* LoadParameter<TMemory, TRegister>(Warp warp, Instruction* i)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        for (int element = 0; element < i->Count; element++)
        {
            TRegister value = TRegister.CreateTruncating(((TMemory*)(warp.Launch.Parameters + i->Immediate))[element]);
            TRegister* d = (TRegister*)(warp.Registers + DataRegister(i, element));
            for (int k = 0; k < Lanes.Count; k += Vector512<TRegister>.Count)
                Lanes.Store(warp.Active, d, k, Vector512.Create(value));
        }
        return i + 1;
    }

    /// <summary>Reads a call parameter in the frame (A: where, E: bytes of a lane, Immediate: offset in it).</summary>
    public static Instruction* LoadArgument<TMemory, TRegister>(Warp warp, Instruction* i)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        byte* r = warp.Registers;
        for (int element = 0; element < i->Count; element++)
        {
            TRegister* d = (TRegister*)(r + DataRegister(i, element));
            for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                d[lane] = TRegister.CreateTruncating(((TMemory*)(r + i->A + lane * i->E + i->Immediate))[element]);
            }
        }
        return i + 1;
    }

    /// <summary>Writes a call parameter in the frame.</summary>
    public static Instruction* StoreArgument<TMemory, TRegister>(Warp warp, Instruction* i)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        byte* r = warp.Registers;
        for (int element = 0; element < i->Count; element++)
        {
            TRegister* d = (TRegister*)(r + DataRegister(i, element));
            for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                ((TMemory*)(r + i->A + lane * i->E + i->Immediate))[element] = TMemory.CreateTruncating(d[lane]);
            }
        }
        return i + 1;
    }

    /// <summary>The address of a local variable: the activation's base plus Immediate.</summary>
    public static Instruction* LocalAddress<T>(Warp warp, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* d = (T*)(warp.Registers + i->D);
        Vector512<T> value = Vector512.Create(T.CreateTruncating(warp.Frame.LocalBase + i->Immediate));
        for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
            Lanes.Store(warp.Active, d, k, value);
        return i + 1;
    }

    /// <summary>Computes all lanes' addresses; true if every lane is active and each address follows the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ComputeAddresses(Warp warp, Instruction* i, int bytes)
    {
        byte* a = warp.Registers + i->A;
        ulong* addresses = warp.Addresses;
        Vector512<ulong> offset = Vector512.Create((ulong)i->Immediate);
        Vector512<ulong> step = Vector512<ulong>.Indices * Vector512.Create((ulong)bytes);
        Vector512<ulong> mismatch = Vector512<ulong>.Zero;
        Vector512<ulong> expected = default;
        for (int k = 0; k < Lanes.Count; k += 8)
        {
            Vector512<ulong> address = i->C == 0
                ? Vector512.LoadAligned((ulong*)a + k)
                : Vector512.WidenLower(Vector256.LoadAligned((uint*)a + k).ToVector512());
            address += offset;
            address.StoreAligned(addresses + k);
            if (k == 0)
                expected = Vector512.Create(address.ToScalar()) + step;
            mismatch |= address ^ expected;
            expected += Vector512.Create((ulong)bytes * 8);
        }
        return warp.Active == Lanes.All && mismatch == Vector512<ulong>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EndStore<TSpace>(Warp warp)
        where TSpace : struct, IMemorySpace
    {
        if (IsGlobal<TSpace>() && warp.Block.GlobalRaces is { } races)
            races.EndStore();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsGlobal<TSpace>()
        where TSpace : struct, IMemorySpace
        => typeof(TSpace) == typeof(GlobalSpace) || typeof(TSpace) == typeof(GenericSpace);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int DataRegister(Instruction* i, int element) => i->Count == 1 ? i->D : i->List[element];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadNeighbours<TMemory, TRegister>(byte* destination, byte* host)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        if (sizeof(TMemory) == sizeof(TRegister))
        {
            for (int k = 0; k < 32 * sizeof(TMemory); k += 64)
                Vector512.Load(host + k).StoreAligned(destination + k);
            return;
        }
        for (int lane = 0; lane < Lanes.Count; lane++)
            ((TRegister*)destination)[lane] = TRegister.CreateTruncating(((TMemory*)host)[lane]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadVectors<TMemory, TRegister>(Warp warp, Instruction* i, byte* host)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        int count = i->Count;
        for (int element = 0; element < count; element++)
        {
            TRegister* d = (TRegister*)(warp.Registers + i->List[element]);
            TMemory* source = (TMemory*)host + element;
            for (int lane = 0; lane < Lanes.Count; lane++)
                d[lane] = TRegister.CreateTruncating(source[lane * count]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreNeighbours<TMemory, TRegister>(byte* host, TRegister* source, int element, int count)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        if (sizeof(TMemory) == sizeof(TRegister) && count == 1)
        {
            for (int k = 0; k < 32 * sizeof(TMemory); k += 64)
                Vector512.LoadAligned((byte*)source + k).Store(host + k);
            return;
        }
        TMemory* destination = (TMemory*)host + element;
        for (int lane = 0; lane < Lanes.Count; lane++)
            destination[lane * count] = TMemory.CreateTruncating(source[lane]);
    }
}
