using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <content>
/// The same products for machines whose widest vector is 256 bits or less: four rows by one tile column, eight accumulators of the
/// sixteen registers. Each element is the same chain of fused multiply-adds.
/// </content>
internal static unsafe partial class TileProduct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunNarrow<TLeft>(
        float* a, nint aSkip, float* b, nint bColumn, nint bSkip, float* c, int width, int inner, bool accumulate)
        where TLeft : struct, ILeftOperand
    {
        for (int column = 0; column < width; column++)
        {
            RunQuarter<TLeft>(a, aSkip, b, bSkip, c, inner, accumulate);
            RunQuarter<TLeft>(a + 4 * TLeft.Row, aSkip, b, bSkip, c + 4 * Lanes, inner, accumulate);
            b += bColumn;
            c += TileSize;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunQuarter<TLeft>(float* a, nint aSkip, float* b, nint bSkip, float* c, int inner, bool accumulate)
        where TLeft : struct, ILeftOperand
    {
        Vector256<float> low0 = StartHalf(c, accumulate), high0 = StartHalf(c + 8, accumulate);
        Vector256<float> low1 = StartHalf(c + 16, accumulate), high1 = StartHalf(c + 24, accumulate);
        Vector256<float> low2 = StartHalf(c + 32, accumulate), high2 = StartHalf(c + 40, accumulate);
        Vector256<float> low3 = StartHalf(c + 48, accumulate), high3 = StartHalf(c + 56, accumulate);
        while (inner > 0)
        {
            int steps = Math.Min(inner, Lanes);
            inner -= steps;
            do
            {
                Vector256<float> low = Vector256.Load(b);
                Vector256<float> high = Vector256.Load(b + 8);
                Vector256<float> x0 = Vector256.Create(*a);
                low0 = Vector256.FusedMultiplyAdd(x0, low, low0);
                high0 = Vector256.FusedMultiplyAdd(x0, high, high0);
                Vector256<float> x1 = Vector256.Create(*(a + TLeft.Row));
                low1 = Vector256.FusedMultiplyAdd(x1, low, low1);
                high1 = Vector256.FusedMultiplyAdd(x1, high, high1);
                Vector256<float> x2 = Vector256.Create(*(a + 2 * TLeft.Row));
                low2 = Vector256.FusedMultiplyAdd(x2, low, low2);
                high2 = Vector256.FusedMultiplyAdd(x2, high, high2);
                Vector256<float> x3 = Vector256.Create(*(a + 3 * TLeft.Row));
                low3 = Vector256.FusedMultiplyAdd(x3, low, low3);
                high3 = Vector256.FusedMultiplyAdd(x3, high, high3);
                a += TLeft.Step;
                b += Lanes;
            }
            while (--steps > 0);

            a += aSkip;
            b += bSkip;
        }

        low0.Store(c);
        high0.Store(c + 8);
        low1.Store(c + 16);
        high1.Store(c + 24);
        low2.Store(c + 32);
        high2.Store(c + 40);
        low3.Store(c + 48);
        high3.Store(c + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> StartHalf(float* c, bool accumulate) => accumulate ? Vector256.Load(c) : Vector256<float>.Zero;
}
