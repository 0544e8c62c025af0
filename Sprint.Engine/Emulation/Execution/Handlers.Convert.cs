using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Conversions, and operations whose result is wider than their operands.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>
    /// Converts each lane. The register of the source may be wider than its type (the upper bits are ignored) and the
    /// destination's wider than its own (the result is extended by its sign): C and F hold the registers' sizes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Convert<TConversion, TSource, TResult>(Warp warp, Instruction* i)
        where TConversion : struct, IConversion<TSource, TResult>
        where TSource : unmanaged
        where TResult : unmanaged, INumberBase<TResult>
    {
        byte* source = warp.Registers + i->A;
        byte* destination = warp.Registers + i->D;
        int sourceStride = i->C;
        int resultStride = i->F;
        TResult* results = stackalloc TResult[Lanes.Count];
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            results[lane] = TConversion.Apply(*(TSource*)(source + lane * sourceStride), i->E);
        }
        if (resultStride == sizeof(TResult) && resultStride > 1)
        {
            CopyLanes(warp.Active, (TResult*)destination, results);
            return i + 1;
        }
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            long value = long.CreateTruncating(results[lane]);
            if (resultStride == 2)
                ((ushort*)destination)[lane] = (ushort)value;
            else if (resultStride == 4)
                ((uint*)destination)[lane] = (uint)value;
            else
                ((long*)destination)[lane] = value;
        }
        return i + 1;
    }

    /// <summary>32-bit integers to 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Widen<TSign>(Warp warp, Instruction* i)
        where TSign : unmanaged, IBinaryInteger<TSign>
    {
        uint* a = (uint*)(warp.Registers + i->A);
        ulong* d = (ulong*)(warp.Registers + i->D);
        for (int k = Lanes.Count - 8; k >= 0; k -= 8)
            Lanes.Store(warp.Active, d, k, WidenEight<TSign>(a + k));
        return i + 1;
    }

    /// <summary>The low 32 bits of 64-bit integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Truncate(Warp warp, Instruction* i)
    {
        ulong* a = (ulong*)(warp.Registers + i->A);
        uint* d = (uint*)(warp.Registers + i->D);
        for (int k = 0; k < Lanes.Count; k += 16)
            Lanes.Store(warp.Active, d, k, Vector512.Narrow(Vector512.LoadAligned(a + k), Vector512.LoadAligned(a + k + 8)));
        return i + 1;
    }

    /// <summary>The full 64-bit product of 32-bit integers, plus register C where E is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* MultiplyWide<TSign>(Warp warp, Instruction* i)
        where TSign : unmanaged, IBinaryInteger<TSign>
    {
        byte* r = warp.Registers;
        uint* a = (uint*)(r + i->A), b = (uint*)(r + i->B);
        ulong* c = (ulong*)(r + i->C), d = (ulong*)(r + i->D);
        for (int k = 0; k < Lanes.Count; k += 8)
        {
            Vector512<ulong> product = WidenEight<TSign>(a + k) * WidenEight<TSign>(b + k);
            if (i->E != 0)
                product += Vector512.LoadAligned(c + k);
            if (warp.Active == Lanes.All)
                product.StoreAligned(d + k);
            else
                Lanes.Store(warp.Active, d, k, product);
        }
        return i + 1;
    }

    /// <summary>The full 32-bit product of 16-bit integers, plus register C where E is not 0.</summary>
    public static Instruction* MultiplyWide16<TSign>(Warp warp, Instruction* i)
        where TSign : unmanaged, IBinaryInteger<TSign>
    {
        byte* r = warp.Registers;
        TSign* a = (TSign*)(r + i->A), b = (TSign*)(r + i->B);
        uint* c = (uint*)(r + i->C), d = (uint*)(r + i->D);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint product = (uint)(int.CreateTruncating(a[lane]) * int.CreateTruncating(b[lane]));
            d[lane] = product + (i->E != 0 ? c[lane] : 0);
        }
        return i + 1;
    }

    /// <summary>Signed 32-bit integers to float, to nearest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* SignedToSingle(Warp warp, Instruction* i)
    {
        int* a = (int*)(warp.Registers + i->A);
        float* d = (float*)(warp.Registers + i->D);
        for (int k = 0; k < Lanes.Count; k += 16)
            Lanes.Store(warp.Active, d, k, Vector512.ConvertToSingle(Vector512.LoadAligned(a + k)));
        return i + 1;
    }

    /// <summary>bfloat16 or binary16 pairs of floats, to nearest: D is 32 bits, A goes above B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* PackBrainFloats(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint* a = (uint*)(r + i->A), b = (uint*)(r + i->B), d = (uint*)(r + i->D);
        for (int k = 0; k < Lanes.Count; k += 16)
        {
            Vector512<uint> packed = (RoundBrainFloat(Vector512.LoadAligned(a + k)) & Vector512.Create(0xFFFF0000u)) | RoundBrainFloat(Vector512.LoadAligned(b + k)) >> 16;
            Lanes.Store(warp.Active, d, k, packed);
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> RoundBrainFloat(Vector512<uint> bits)
    {
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + (bits >> 16 & Vector512<uint>.One);
        Vector512<uint> isNaN = Vector512.GreaterThan(bits & Vector512.Create(0x7FFFFFFFu), Vector512.Create(0x7F800000u));
        return Vector512.ConditionalSelect(isNaN, Vector512.Create(0x7FFF0000u), rounded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> WidenEight<TSign>(uint* source)
        where TSign : unmanaged, IBinaryInteger<TSign>
        => typeof(TSign) == typeof(int)
            ? Vector512.WidenLower(Vector256.LoadAligned((int*)source).ToVector512Unsafe()).AsUInt64()
            : Vector512.WidenLower(Vector256.LoadAligned(source).ToVector512Unsafe());
}
