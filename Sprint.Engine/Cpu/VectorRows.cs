using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Row sums and transposition of a tile: sixteen rows of sixteen floats, contiguous. Summing sixteen rows together costs a third
/// of sixteen horizontal sums and gives the same bits.
/// </summary>
internal static unsafe class VectorRows
{
    /// <summary>Floats of a tile.</summary>
    internal const int TileSize = VectorMath.Lanes * VectorMath.Lanes;

    /// <summary>Lane i is the sum of row i, added in the order of <see cref="VectorMemory.Sum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Sum(float* tile)
    {
        if (!Avx512F.IsSupported)
        {
            return Vector512.Create(
                Vector256.Create(SumFour(tile), SumFour(tile + 64)), Vector256.Create(SumFour(tile + 128), SumFour(tile + 192)));
        }

        // Vector j holds what is left of rows j, 4 + j, 8 + j and 12 + j, four floats each.
        Vector512<float> v0 = FoldToQuarters(tile), v1 = FoldToQuarters(tile + 16);
        Vector512<float> v2 = FoldToQuarters(tile + 32), v3 = FoldToQuarters(tile + 48);
        Vector512<float> low = Avx512F.Shuffle(v0, v1, 0x44) + Avx512F.Shuffle(v0, v1, 0xEE);
        Vector512<float> high = Avx512F.Shuffle(v2, v3, 0x44) + Avx512F.Shuffle(v2, v3, 0xEE);
        return Avx512F.Shuffle(low, high, 0x88) + Avx512F.Shuffle(low, high, 0xDD);
    }

    /// <summary>Writes the transpose of a tile to another one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Transpose(float* source, float* destination)
    {
        if (Avx512F.IsSupported)
        {
            TransposeWide(source, destination);
        }
        else if (Avx.IsSupported)
        {
            for (int row = 0; row < 16; row += 8)
            {
                TransposeEight(source + row * 16, destination + row);
                TransposeEight(source + row * 16 + 8, destination + 128 + row);
            }
        }
        else
        {
            for (int row = 0; row < 16; row++)
            {
                for (int column = 0; column < 16; column++)
                    destination[column * 16 + row] = source[row * 16 + column];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> SumFour(float* rows) =>
        Vector128.Create(
            VectorMemory.Sum(Vector512.Load(rows)), VectorMemory.Sum(Vector512.Load(rows + 16)),
            VectorMemory.Sum(Vector512.Load(rows + 32)), VectorMemory.Sum(Vector512.Load(rows + 48)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FoldToQuarters(float* row)
    {
        Vector512<float> a = FoldToHalves(Vector512.Load(row), Vector512.Load(row + 64));
        Vector512<float> b = FoldToHalves(Vector512.Load(row + 128), Vector512.Load(row + 192));
        return Avx512F.Shuffle4x128(a, b, 0x88) + Avx512F.Shuffle4x128(a, b, 0xDD);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FoldToHalves(Vector512<float> a, Vector512<float> b) =>
        Avx512F.Shuffle4x128(a, b, 0x44) + Avx512F.Shuffle4x128(a, b, 0xEE);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeWide(float* source, float* destination)
    {
        // Each block of four rows becomes four vectors whose 128-bit quarter q holds column 4q + j of those rows.
        QuarterColumns(source, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        QuarterColumns(source + 64, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        QuarterColumns(source + 128, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
        QuarterColumns(source + 192, out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);
        StoreQuarters(a0, b0, c0, d0, destination);
        StoreQuarters(a1, b1, c1, d1, destination + 16);
        StoreQuarters(a2, b2, c2, d2, destination + 32);
        StoreQuarters(a3, b3, c3, d3, destination + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuarterColumns(
        float* source, out Vector512<float> j0, out Vector512<float> j1, out Vector512<float> j2, out Vector512<float> j3)
    {
        Vector512<float> r0 = Vector512.Load(source);
        Vector512<float> r1 = Vector512.Load(source + 16);
        Vector512<float> r2 = Vector512.Load(source + 32);
        Vector512<float> r3 = Vector512.Load(source + 48);
        Vector512<float> low01 = Avx512F.UnpackLow(r0, r1);
        Vector512<float> low23 = Avx512F.UnpackLow(r2, r3);
        Vector512<float> high01 = Avx512F.UnpackHigh(r0, r1);
        Vector512<float> high23 = Avx512F.UnpackHigh(r2, r3);
        j0 = Avx512F.Shuffle(low01, low23, 0x44);
        j1 = Avx512F.Shuffle(low01, low23, 0xEE);
        j2 = Avx512F.Shuffle(high01, high23, 0x44);
        j3 = Avx512F.Shuffle(high01, high23, 0xEE);
    }

    // A 4x4 transpose of quarters: quarter q of the inputs is row 4q of the destination.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreQuarters(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* destination)
    {
        Vector512<float> lowAB = Avx512F.Shuffle4x128(a, b, 0x44);
        Vector512<float> highAB = Avx512F.Shuffle4x128(a, b, 0xEE);
        Vector512<float> lowCD = Avx512F.Shuffle4x128(c, d, 0x44);
        Vector512<float> highCD = Avx512F.Shuffle4x128(c, d, 0xEE);
        Avx512F.Shuffle4x128(lowAB, lowCD, 0x88).Store(destination);
        Avx512F.Shuffle4x128(lowAB, lowCD, 0xDD).Store(destination + 64);
        Avx512F.Shuffle4x128(highAB, highCD, 0x88).Store(destination + 128);
        Avx512F.Shuffle4x128(highAB, highCD, 0xDD).Store(destination + 192);
    }

    // An 8x8 block; both have rows of sixteen floats.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeEight(float* source, float* destination)
    {
        for (int half = 0; half < 8; half += 4)
        {
            float* row = source + half;
            Vector256<float> r0 = Vector256.Create(Vector128.Load(row), Vector128.Load(row + 64));
            Vector256<float> r1 = Vector256.Create(Vector128.Load(row + 16), Vector128.Load(row + 80));
            Vector256<float> r2 = Vector256.Create(Vector128.Load(row + 32), Vector128.Load(row + 96));
            Vector256<float> r3 = Vector256.Create(Vector128.Load(row + 48), Vector128.Load(row + 112));
            Vector256<float> low01 = Avx.UnpackLow(r0, r1);
            Vector256<float> low23 = Avx.UnpackLow(r2, r3);
            Vector256<float> high01 = Avx.UnpackHigh(r0, r1);
            Vector256<float> high23 = Avx.UnpackHigh(r2, r3);
            float* column = destination + half * 16;
            Avx.Shuffle(low01, low23, 0x44).Store(column);
            Avx.Shuffle(low01, low23, 0xEE).Store(column + 16);
            Avx.Shuffle(high01, high23, 0x44).Store(column + 32);
            Avx.Shuffle(high01, high23, 0xEE).Store(column + 48);
        }
    }
}
