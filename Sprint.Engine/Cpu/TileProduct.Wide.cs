using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <content>Eight rows by one to three vectors of 512 bits: 8, 16 or 24 accumulators of the 32 registers.</content>
internal static unsafe partial class TileProduct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunThree<TLeft>(
        float* a, nint aSkip, float* b, nint bColumn, nint bSkip, float* c, int inner, bool accumulate)
        where TLeft : struct, ILeftOperand
    {
        Vector512<float> c00 = Start(c, 0, 0, accumulate), c01 = Start(c, 0, 1, accumulate), c02 = Start(c, 0, 2, accumulate);
        Vector512<float> c10 = Start(c, 1, 0, accumulate), c11 = Start(c, 1, 1, accumulate), c12 = Start(c, 1, 2, accumulate);
        Vector512<float> c20 = Start(c, 2, 0, accumulate), c21 = Start(c, 2, 1, accumulate), c22 = Start(c, 2, 2, accumulate);
        Vector512<float> c30 = Start(c, 3, 0, accumulate), c31 = Start(c, 3, 1, accumulate), c32 = Start(c, 3, 2, accumulate);
        Vector512<float> c40 = Start(c, 4, 0, accumulate), c41 = Start(c, 4, 1, accumulate), c42 = Start(c, 4, 2, accumulate);
        Vector512<float> c50 = Start(c, 5, 0, accumulate), c51 = Start(c, 5, 1, accumulate), c52 = Start(c, 5, 2, accumulate);
        Vector512<float> c60 = Start(c, 6, 0, accumulate), c61 = Start(c, 6, 1, accumulate), c62 = Start(c, 6, 2, accumulate);
        Vector512<float> c70 = Start(c, 7, 0, accumulate), c71 = Start(c, 7, 1, accumulate), c72 = Start(c, 7, 2, accumulate);
        while (inner > 0)
        {
            int steps = Math.Min(inner, Lanes);
            inner -= steps;
            do
            {
                Vector512<float> b0 = Vector512.Load(b);
                Vector512<float> b1 = Vector512.Load(b + bColumn);
                Vector512<float> b2 = Vector512.Load(b + 2 * bColumn);
                Vector512<float> x0 = Vector512.Create(*a);
                c00 = Vector512.FusedMultiplyAdd(x0, b0, c00);
                c01 = Vector512.FusedMultiplyAdd(x0, b1, c01);
                c02 = Vector512.FusedMultiplyAdd(x0, b2, c02);
                Vector512<float> x1 = Vector512.Create(*(a + 1 * TLeft.Row));
                c10 = Vector512.FusedMultiplyAdd(x1, b0, c10);
                c11 = Vector512.FusedMultiplyAdd(x1, b1, c11);
                c12 = Vector512.FusedMultiplyAdd(x1, b2, c12);
                Vector512<float> x2 = Vector512.Create(*(a + 2 * TLeft.Row));
                c20 = Vector512.FusedMultiplyAdd(x2, b0, c20);
                c21 = Vector512.FusedMultiplyAdd(x2, b1, c21);
                c22 = Vector512.FusedMultiplyAdd(x2, b2, c22);
                Vector512<float> x3 = Vector512.Create(*(a + 3 * TLeft.Row));
                c30 = Vector512.FusedMultiplyAdd(x3, b0, c30);
                c31 = Vector512.FusedMultiplyAdd(x3, b1, c31);
                c32 = Vector512.FusedMultiplyAdd(x3, b2, c32);
                Vector512<float> x4 = Vector512.Create(*(a + 4 * TLeft.Row));
                c40 = Vector512.FusedMultiplyAdd(x4, b0, c40);
                c41 = Vector512.FusedMultiplyAdd(x4, b1, c41);
                c42 = Vector512.FusedMultiplyAdd(x4, b2, c42);
                Vector512<float> x5 = Vector512.Create(*(a + 5 * TLeft.Row));
                c50 = Vector512.FusedMultiplyAdd(x5, b0, c50);
                c51 = Vector512.FusedMultiplyAdd(x5, b1, c51);
                c52 = Vector512.FusedMultiplyAdd(x5, b2, c52);
                Vector512<float> x6 = Vector512.Create(*(a + 6 * TLeft.Row));
                c60 = Vector512.FusedMultiplyAdd(x6, b0, c60);
                c61 = Vector512.FusedMultiplyAdd(x6, b1, c61);
                c62 = Vector512.FusedMultiplyAdd(x6, b2, c62);
                Vector512<float> x7 = Vector512.Create(*(a + 7 * TLeft.Row));
                c70 = Vector512.FusedMultiplyAdd(x7, b0, c70);
                c71 = Vector512.FusedMultiplyAdd(x7, b1, c71);
                c72 = Vector512.FusedMultiplyAdd(x7, b2, c72);
                a += TLeft.Step;
                b += Lanes;
            }
            while (--steps > 0);

            a += aSkip;
            b += bSkip;
        }

        c00.Store(c + 0);
        c01.Store(c + 256);
        c02.Store(c + 512);
        c10.Store(c + 16);
        c11.Store(c + 272);
        c12.Store(c + 528);
        c20.Store(c + 32);
        c21.Store(c + 288);
        c22.Store(c + 544);
        c30.Store(c + 48);
        c31.Store(c + 304);
        c32.Store(c + 560);
        c40.Store(c + 64);
        c41.Store(c + 320);
        c42.Store(c + 576);
        c50.Store(c + 80);
        c51.Store(c + 336);
        c52.Store(c + 592);
        c60.Store(c + 96);
        c61.Store(c + 352);
        c62.Store(c + 608);
        c70.Store(c + 112);
        c71.Store(c + 368);
        c72.Store(c + 624);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTwo<TLeft>(
        float* a, nint aSkip, float* b, nint bColumn, nint bSkip, float* c, int inner, bool accumulate)
        where TLeft : struct, ILeftOperand
    {
        Vector512<float> c00 = Start(c, 0, 0, accumulate), c01 = Start(c, 0, 1, accumulate);
        Vector512<float> c10 = Start(c, 1, 0, accumulate), c11 = Start(c, 1, 1, accumulate);
        Vector512<float> c20 = Start(c, 2, 0, accumulate), c21 = Start(c, 2, 1, accumulate);
        Vector512<float> c30 = Start(c, 3, 0, accumulate), c31 = Start(c, 3, 1, accumulate);
        Vector512<float> c40 = Start(c, 4, 0, accumulate), c41 = Start(c, 4, 1, accumulate);
        Vector512<float> c50 = Start(c, 5, 0, accumulate), c51 = Start(c, 5, 1, accumulate);
        Vector512<float> c60 = Start(c, 6, 0, accumulate), c61 = Start(c, 6, 1, accumulate);
        Vector512<float> c70 = Start(c, 7, 0, accumulate), c71 = Start(c, 7, 1, accumulate);
        while (inner > 0)
        {
            int steps = Math.Min(inner, Lanes);
            inner -= steps;
            do
            {
                Vector512<float> b0 = Vector512.Load(b);
                Vector512<float> b1 = Vector512.Load(b + bColumn);
                Vector512<float> x0 = Vector512.Create(*a);
                c00 = Vector512.FusedMultiplyAdd(x0, b0, c00);
                c01 = Vector512.FusedMultiplyAdd(x0, b1, c01);
                Vector512<float> x1 = Vector512.Create(*(a + 1 * TLeft.Row));
                c10 = Vector512.FusedMultiplyAdd(x1, b0, c10);
                c11 = Vector512.FusedMultiplyAdd(x1, b1, c11);
                Vector512<float> x2 = Vector512.Create(*(a + 2 * TLeft.Row));
                c20 = Vector512.FusedMultiplyAdd(x2, b0, c20);
                c21 = Vector512.FusedMultiplyAdd(x2, b1, c21);
                Vector512<float> x3 = Vector512.Create(*(a + 3 * TLeft.Row));
                c30 = Vector512.FusedMultiplyAdd(x3, b0, c30);
                c31 = Vector512.FusedMultiplyAdd(x3, b1, c31);
                Vector512<float> x4 = Vector512.Create(*(a + 4 * TLeft.Row));
                c40 = Vector512.FusedMultiplyAdd(x4, b0, c40);
                c41 = Vector512.FusedMultiplyAdd(x4, b1, c41);
                Vector512<float> x5 = Vector512.Create(*(a + 5 * TLeft.Row));
                c50 = Vector512.FusedMultiplyAdd(x5, b0, c50);
                c51 = Vector512.FusedMultiplyAdd(x5, b1, c51);
                Vector512<float> x6 = Vector512.Create(*(a + 6 * TLeft.Row));
                c60 = Vector512.FusedMultiplyAdd(x6, b0, c60);
                c61 = Vector512.FusedMultiplyAdd(x6, b1, c61);
                Vector512<float> x7 = Vector512.Create(*(a + 7 * TLeft.Row));
                c70 = Vector512.FusedMultiplyAdd(x7, b0, c70);
                c71 = Vector512.FusedMultiplyAdd(x7, b1, c71);
                a += TLeft.Step;
                b += Lanes;
            }
            while (--steps > 0);

            a += aSkip;
            b += bSkip;
        }

        c00.Store(c + 0);
        c01.Store(c + 256);
        c10.Store(c + 16);
        c11.Store(c + 272);
        c20.Store(c + 32);
        c21.Store(c + 288);
        c30.Store(c + 48);
        c31.Store(c + 304);
        c40.Store(c + 64);
        c41.Store(c + 320);
        c50.Store(c + 80);
        c51.Store(c + 336);
        c60.Store(c + 96);
        c61.Store(c + 352);
        c70.Store(c + 112);
        c71.Store(c + 368);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunOne<TLeft>(
        float* a, nint aSkip, float* b, nint bSkip, float* c, int inner, bool accumulate)
        where TLeft : struct, ILeftOperand
    {
        Vector512<float> c00 = Start(c, 0, 0, accumulate);
        Vector512<float> c10 = Start(c, 1, 0, accumulate);
        Vector512<float> c20 = Start(c, 2, 0, accumulate);
        Vector512<float> c30 = Start(c, 3, 0, accumulate);
        Vector512<float> c40 = Start(c, 4, 0, accumulate);
        Vector512<float> c50 = Start(c, 5, 0, accumulate);
        Vector512<float> c60 = Start(c, 6, 0, accumulate);
        Vector512<float> c70 = Start(c, 7, 0, accumulate);
        while (inner > 0)
        {
            int steps = Math.Min(inner, Lanes);
            inner -= steps;
            do
            {
                Vector512<float> b0 = Vector512.Load(b);
                Vector512<float> x0 = Vector512.Create(*a);
                c00 = Vector512.FusedMultiplyAdd(x0, b0, c00);
                Vector512<float> x1 = Vector512.Create(*(a + 1 * TLeft.Row));
                c10 = Vector512.FusedMultiplyAdd(x1, b0, c10);
                Vector512<float> x2 = Vector512.Create(*(a + 2 * TLeft.Row));
                c20 = Vector512.FusedMultiplyAdd(x2, b0, c20);
                Vector512<float> x3 = Vector512.Create(*(a + 3 * TLeft.Row));
                c30 = Vector512.FusedMultiplyAdd(x3, b0, c30);
                Vector512<float> x4 = Vector512.Create(*(a + 4 * TLeft.Row));
                c40 = Vector512.FusedMultiplyAdd(x4, b0, c40);
                Vector512<float> x5 = Vector512.Create(*(a + 5 * TLeft.Row));
                c50 = Vector512.FusedMultiplyAdd(x5, b0, c50);
                Vector512<float> x6 = Vector512.Create(*(a + 6 * TLeft.Row));
                c60 = Vector512.FusedMultiplyAdd(x6, b0, c60);
                Vector512<float> x7 = Vector512.Create(*(a + 7 * TLeft.Row));
                c70 = Vector512.FusedMultiplyAdd(x7, b0, c70);
                a += TLeft.Step;
                b += Lanes;
            }
            while (--steps > 0);

            a += aSkip;
            b += bSkip;
        }

        c00.Store(c + 0);
        c10.Store(c + 16);
        c20.Store(c + 32);
        c30.Store(c + 48);
        c40.Store(c + 64);
        c50.Store(c + 80);
        c60.Store(c + 96);
        c70.Store(c + 112);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Start(float* c, int row, int column, bool accumulate) =>
        accumulate ? Vector512.Load(c + row * Lanes + column * TileSize) : Vector512<float>.Zero;
}
