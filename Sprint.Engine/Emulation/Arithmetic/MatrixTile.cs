using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>
/// A 16 x 8 result and the product that is added to it, four rows by four columns in a vector: the fragments of
/// <c>mma.sync</c> fall into that form with hardly a move. Vector 2r + h of the result holds rows 4r to 4r+3 and columns 4h to
/// 4h+3; vector 4q + r of the left operand holds those rows and steps 4q to 4q+3.
/// </summary>
internal static unsafe class MatrixTile
{
    /// <summary>Adds the product, step after step, each fused: the sum is rounded to float32 once a step.</summary>
    /// <param name="left">Four vectors for each four steps.</param>
    /// <param name="right">Rows of 8 columns, one a step.</param>
    /// <param name="quads">Steps divided by 4.</param>
    /// <param name="result">Eight vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyAdd(Vector512<float>* left, float* right, int quads, Vector512<float>* result)
    {
        Vector512<float> c0 = result[0], c1 = result[1], c2 = result[2], c3 = result[3], c4 = result[4], c5 = result[5], c6 = result[6], c7 = result[7];
        for (int quad = 0; quad < quads; quad++, left += 4)
        {
            Step<Element0>(left, ref right, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
            Step<Element1>(left, ref right, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
            Step<Element2>(left, ref right, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
            Step<Element3>(left, ref right, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
        }
        result[0] = c0;
        result[1] = c1;
        result[2] = c2;
        result[3] = c3;
        result[4] = c4;
        result[5] = c5;
        result[6] = c6;
        result[7] = c7;
    }

    /// <summary>Alternates the elements of two vectors: the lower two of each 128 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> InterleaveLow(Vector512<float> a, Vector512<float> b)
        => Avx512F.IsSupported ? Avx512F.UnpackLow(a, b) : Each(a, b, 0);

    /// <summary>Alternates the elements of two vectors: the upper two of each 128 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> InterleaveHigh(Vector512<float> a, Vector512<float> b)
        => Avx512F.IsSupported ? Avx512F.UnpackHigh(a, b) : Each(a, b, 2);

    /// <summary>Undoes the two interleavings: the elements with even places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Even(Vector512<float> low, Vector512<float> high)
        => Avx512F.IsSupported ? Avx512F.Shuffle(low, high, 0b10_00_10_00) : Pick(low, high, 0);

    /// <summary>Undoes the two interleavings: the elements with odd places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Odd(Vector512<float> low, Vector512<float> high)
        => Avx512F.IsSupported ? Avx512F.Shuffle(low, high, 0b11_01_11_01) : Pick(low, high, 1);

    /// <summary>Column t of 8 rows of 4 that lie in two vectors, then column t + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Columns(Vector512<uint> upper, Vector512<uint> lower, int t)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<uint> index = Vector512.Create(0u, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29) + Vector512.Create((uint)t);
            return Avx512F.PermuteVar16x32x2(upper, index, lower);
        }
        Vector512<uint> result = default;
        for (int k = 0; k < 16; k++)
        {
            int place = k % 8 * 4 + t + k / 8;
            result = result.WithElement(k, place < 16 ? upper[place] : lower[place - 16]);
        }
        return result;
    }

    /// <summary>binary16 in the lower halves of 32-bit elements, widened exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WidenHalves(Vector512<uint> halves)
    {
        Vector512<uint> magnitude = halves & Vector512.Create(0x7FFFu);
        // As a float the bits are 2^-112 times the number, subnormal ones too.
        Vector512<float> scaled = (magnitude << 13).AsSingle() * Vector512.Create(5.192296858534828e33f);
        Vector512<uint> special = Vector512.GreaterThan(magnitude, Vector512.Create(0x7BFFu)) & Vector512.Create(0x7F800000u);
        return (scaled.AsUInt32() | special | (halves & Vector512.Create(0x8000u)) << 16).AsSingle();
    }

    /// <summary>Transposes 8 x 8 elements of 16 bits.</summary>
    public static void Transpose(ushort** rows, ushort* result)
    {
        if (!Sse2.IsSupported)
        {
            for (int k = 0; k < 64; k++)
                result[k] = rows[k & 7][k >> 3];
            return;
        }
        Vector128<ushort>* a = stackalloc Vector128<ushort>[8], b = stackalloc Vector128<ushort>[8];
        for (int k = 0; k < 8; k++)
            a[k] = Vector128.Load(rows[k]);
        // Interleaving row k with row k + 4 three times is a transpose.
        for (int round = 0; round < 3; round++)
        {
            for (int k = 0; k < 4; k++)
            {
                b[2 * k] = Sse2.UnpackLow(a[k], a[k + 4]);
                b[2 * k + 1] = Sse2.UnpackHigh(a[k], a[k + 4]);
            }
            Vector128<ushort>* swap = a;
            a = b;
            b = swap;
        }
        for (int k = 0; k < 8; k++)
            a[k].Store(result + k * 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TElement>(Vector512<float>* left, ref float* right, ref Vector512<float> c0, ref Vector512<float> c1, ref Vector512<float> c2, ref Vector512<float> c3,
        ref Vector512<float> c4, ref Vector512<float> c5, ref Vector512<float> c6, ref Vector512<float> c7)
        where TElement : struct, IElement
    {
        Vector512<float> first = Repeat(right), second = Repeat(right + 4);
        right += 8;
        Vector512<float> a = TElement.Spread(left[0]);
        c0 = Vector512.FusedMultiplyAdd(a, first, c0);
        c1 = Vector512.FusedMultiplyAdd(a, second, c1);
        a = TElement.Spread(left[1]);
        c2 = Vector512.FusedMultiplyAdd(a, first, c2);
        c3 = Vector512.FusedMultiplyAdd(a, second, c3);
        a = TElement.Spread(left[2]);
        c4 = Vector512.FusedMultiplyAdd(a, first, c4);
        c5 = Vector512.FusedMultiplyAdd(a, second, c5);
        a = TElement.Spread(left[3]);
        c6 = Vector512.FusedMultiplyAdd(a, first, c6);
        c7 = Vector512.FusedMultiplyAdd(a, second, c7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Repeat(float* four)
    {
        if (Avx512F.IsSupported)
            return Avx512F.BroadcastVector128ToVector512(four);
        Vector256<float> pair = Vector256.Create(Vector128.Load(four), Vector128.Load(four));
        return Vector512.Create(pair, pair);
    }

    private static Vector512<float> Each(Vector512<float> a, Vector512<float> b, int first)
    {
        Vector512<float> result = default;
        for (int k = 0; k < 16; k++)
            result = result.WithElement(k, ((k & 1) == 0 ? a : b)[(k & ~3) + first + (k >> 1 & 1)]);
        return result;
    }

    private static Vector512<float> Pick(Vector512<float> low, Vector512<float> high, int odd)
    {
        Vector512<float> result = default;
        for (int k = 0; k < 16; k++)
            result = result.WithElement(k, ((k & 2) == 0 ? low : high)[(k & ~3) + (k & 1) * 2 + odd]);
        return result;
    }

    /// <summary>One of the four elements of each 128 bits, put in the place of all four.</summary>
    private interface IElement
    {
        static abstract Vector512<float> Spread(Vector512<float> a);
    }

    private readonly struct Element0 : IElement
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Spread(Vector512<float> a)
            => Vector512.Shuffle(a, Vector512.Create(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));
    }

    private readonly struct Element1 : IElement
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Spread(Vector512<float> a)
            => Vector512.Shuffle(a, Vector512.Create(1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13));
    }

    private readonly struct Element2 : IElement
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Spread(Vector512<float> a)
            => Vector512.Shuffle(a, Vector512.Create(2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10, 14, 14, 14, 14));
    }

    private readonly struct Element3 : IElement
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Spread(Vector512<float> a)
            => Vector512.Shuffle(a, Vector512.Create(3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15));
    }
}
