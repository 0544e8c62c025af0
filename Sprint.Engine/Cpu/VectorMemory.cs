using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Cpu;

/// <summary>Loads and stores of fewer than sixteen floats, and horizontal reductions whose order is fixed.</summary>
internal static unsafe class VectorMemory
{
    /// <summary>The first <paramref name="count"/> floats at the address (0 to 16), zeros behind them. Nothing beyond them is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> LoadPartial(float* source, int count)
    {
        if (Avx512F.IsSupported)
            return Avx512F.MaskLoad(source, FirstLanes(count), Vector512<float>.Zero);
        if (Avx.IsSupported)
        {
            Vector512<float> mask = FirstLanes(count);
            return Vector512.Create(Avx.MaskLoad(source, mask.GetLower()), Avx.MaskLoad(source + 8, mask.GetUpper()));
        }

        return LoadLanes(source, count);
    }

    /// <summary>Stores the first <paramref name="count"/> lanes (0 to 16); nothing beyond them is written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StorePartial(Vector512<float> value, float* destination, int count)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.MaskStore(destination, FirstLanes(count), value);
        }
        else if (Avx.IsSupported)
        {
            Vector512<float> mask = FirstLanes(count);
            Avx.MaskStore(destination, mask.GetLower(), value.GetLower());
            Avx.MaskStore(destination + 8, mask.GetUpper(), value.GetUpper());
        }
        else
        {
            StoreLanes(value, destination, count);
        }
    }

    /// <summary>
    /// Asks for one cache line of each of four rows that will be needed soon: rows too short for the hardware to see that they follow each other.
    /// Any address is allowed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void PrefetchRows(float* row, long stride)
    {
        if (!Sse.IsSupported)
            return;

        Sse.Prefetch0(row);
        Sse.Prefetch0(row + stride);
        Sse.Prefetch0(row + (2 * stride));
        Sse.Prefetch0(row + (3 * stride));
    }

    /// <summary>Asks for a block of rows that will be needed soon. Any address is allowed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Prefetch(float* block, long stride, int rows, int columns)
    {
        if (!Sse.IsSupported)
            return;

        for (; rows > 0; rows--, block += stride)
        {
            for (int column = 0; column < columns; column += 16)
                Sse.Prefetch0(block + column);
        }
    }

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> FirstLanes(int count) =>
        Vector512.LessThan(
            Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), Vector512.Create(count)).AsSingle();

    /// <summary>The sum of all lanes, by halves: lane i and lane i + 8, then i + 4, i + 2, i + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Sum(Vector512<float> value)
    {
        Vector256<float> eight = value.GetLower() + value.GetUpper();
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        four += Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        four += Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2));
        return four.ToScalar();
    }

    /// <summary>The largest lane; NaN where a lane is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Max(Vector512<float> value)
    {
        Vector256<float> eight = Vector256.Max(value.GetLower(), value.GetUpper());
        Vector128<float> four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)));
        return four.ToScalar();
    }

    private static Vector512<float> LoadLanes(float* source, int count)
    {
        Vector512<float> value = default;
        for (int lane = 0; lane < count; lane++)
            ((float*)&value)[lane] = source[lane];
        return value;
    }

    private static void StoreLanes(Vector512<float> value, float* destination, int count)
    {
        for (int lane = 0; lane < count; lane++)
            destination[lane] = ((float*)&value)[lane];
    }
}
