using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Cpu;

/// <summary>
/// The micro-kernel of matrix products: a tile of C in registers, up to 8 rows by 3 vectors (24 accumulators, 3 vectors of B and a broadcast
/// of A fill 28 of the 32 registers), one multiply-add chain over k for each element. One source serves all tiles and vector widths:
/// rows, vectors and the way of reading A are type parameters, so what a smaller tile does not need is not compiled into it.
/// </summary>
internal static unsafe class MatrixTile
{
    /// <summary>Computes <c>C (+)= A B</c> for one tile.</summary>
    /// <typeparam name="TLanes">Operations on the vectors.</typeparam>
    /// <typeparam name="TVector">The vector type.</typeparam>
    /// <typeparam name="TRows">Rows of the tile, 1 to 8.</typeparam>
    /// <typeparam name="TVectors">Vectors in a row of the tile, 1 to 3.</typeparam>
    /// <typeparam name="TPacked">1 where A is packed, (k, row) with the tile's rows side by side; 0 where it is read from its own rows.</typeparam>
    /// <param name="depth">How many products are added for each element.</param>
    /// <param name="a">A's element (0, 0) of this tile.</param>
    /// <param name="aStride">From row to row of A where it is not packed.</param>
    /// <param name="b">B's element (0, 0) of this tile.</param>
    /// <param name="bStride">From row k to row k + 1 of B.</param>
    /// <param name="c">C's element (0, 0) of this tile.</param>
    /// <param name="cStride">From row to row of C.</param>
    /// <param name="add">Whether the sum is added to what C holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Multiply<TLanes, TVector, TRows, TVectors, TPacked>(
        long depth, float* a, long aStride, float* b, long bStride, float* c, long cStride, bool add)
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        where TRows : struct, ITileNumber
        where TVectors : struct, ITileNumber
        where TPacked : struct, ITileNumber
    {
        bool packed = TPacked.Value != 0;
        TVector c00 = default, c01 = default, c02 = default;
        TVector c10 = default, c11 = default, c12 = default;
        TVector c20 = default, c21 = default, c22 = default;
        TVector c30 = default, c31 = default, c32 = default;
        TVector c40 = default, c41 = default, c42 = default;
        TVector c50 = default, c51 = default, c52 = default;
        TVector c60 = default, c61 = default, c62 = default;
        TVector c70 = default, c71 = default, c72 = default;

        Prefetch<TLanes, TVector, TRows, TVectors>(c, cStride);

        // Row pointers of an A that is not packed; packed, its rows are at constant offsets from one pointer.
        float* a1 = a + aStride;
        float* a2 = a1 + aStride;
        float* a3 = a2 + aStride;
        float* a4 = a3 + aStride;
        float* a5 = a4 + aStride;
        float* a6 = a5 + aStride;
        float* a7 = a6 + aStride;
        long offset = 0;
        for (long k = depth; k != 0; k--)
        {
            TVector b0 = TLanes.Load(b);
            TVector b1 = TVectors.Value > 1 ? TLanes.Load(b + TLanes.Count) : default;
            TVector b2 = TVectors.Value > 2 ? TLanes.Load(b + (2 * TLanes.Count)) : default;
            b += bStride;

            TVector first = TLanes.Broadcast(packed ? a : a + offset);
            c00 = TLanes.MultiplyAdd(first, b0, c00);
            if (TVectors.Value > 1)
                c01 = TLanes.MultiplyAdd(first, b1, c01);
            if (TVectors.Value > 2)
                c02 = TLanes.MultiplyAdd(first, b2, c02);

            if (TRows.Value > 1)
            {
                TVector x = TLanes.Broadcast(packed ? a + 1 : a1 + offset);
                c10 = TLanes.MultiplyAdd(x, b0, c10);
                if (TVectors.Value > 1)
                    c11 = TLanes.MultiplyAdd(x, b1, c11);
                if (TVectors.Value > 2)
                    c12 = TLanes.MultiplyAdd(x, b2, c12);
            }

            if (TRows.Value > 2)
            {
                TVector x = TLanes.Broadcast(packed ? a + 2 : a2 + offset);
                c20 = TLanes.MultiplyAdd(x, b0, c20);
                if (TVectors.Value > 1)
                    c21 = TLanes.MultiplyAdd(x, b1, c21);
                if (TVectors.Value > 2)
                    c22 = TLanes.MultiplyAdd(x, b2, c22);
            }

            if (TRows.Value > 3)
            {
                TVector x = TLanes.Broadcast(packed ? a + 3 : a3 + offset);
                c30 = TLanes.MultiplyAdd(x, b0, c30);
                if (TVectors.Value > 1)
                    c31 = TLanes.MultiplyAdd(x, b1, c31);
                if (TVectors.Value > 2)
                    c32 = TLanes.MultiplyAdd(x, b2, c32);
            }

            if (TRows.Value > 4)
            {
                TVector x = TLanes.Broadcast(packed ? a + 4 : a4 + offset);
                c40 = TLanes.MultiplyAdd(x, b0, c40);
                if (TVectors.Value > 1)
                    c41 = TLanes.MultiplyAdd(x, b1, c41);
                if (TVectors.Value > 2)
                    c42 = TLanes.MultiplyAdd(x, b2, c42);
            }

            if (TRows.Value > 5)
            {
                TVector x = TLanes.Broadcast(packed ? a + 5 : a5 + offset);
                c50 = TLanes.MultiplyAdd(x, b0, c50);
                if (TVectors.Value > 1)
                    c51 = TLanes.MultiplyAdd(x, b1, c51);
                if (TVectors.Value > 2)
                    c52 = TLanes.MultiplyAdd(x, b2, c52);
            }

            if (TRows.Value > 6)
            {
                TVector x = TLanes.Broadcast(packed ? a + 6 : a6 + offset);
                c60 = TLanes.MultiplyAdd(x, b0, c60);
                if (TVectors.Value > 1)
                    c61 = TLanes.MultiplyAdd(x, b1, c61);
                if (TVectors.Value > 2)
                    c62 = TLanes.MultiplyAdd(x, b2, c62);
            }

            if (TRows.Value > 7)
            {
                TVector x = TLanes.Broadcast(packed ? a + 7 : a7 + offset);
                c70 = TLanes.MultiplyAdd(x, b0, c70);
                if (TVectors.Value > 1)
                    c71 = TLanes.MultiplyAdd(x, b1, c71);
                if (TVectors.Value > 2)
                    c72 = TLanes.MultiplyAdd(x, b2, c72);
            }

            if (packed)
                a += TRows.Value;
            else
                offset++;
        }

        if (add)
        {
            Finish<TLanes, TVector, TVectors, TileNumber1>(c, c00, c01, c02);
            if (TRows.Value > 1)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + cStride, c10, c11, c12);
            if (TRows.Value > 2)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + (2 * cStride), c20, c21, c22);
            if (TRows.Value > 3)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + (3 * cStride), c30, c31, c32);
            if (TRows.Value > 4)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + (4 * cStride), c40, c41, c42);
            if (TRows.Value > 5)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + (5 * cStride), c50, c51, c52);
            if (TRows.Value > 6)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + (6 * cStride), c60, c61, c62);
            if (TRows.Value > 7)
                Finish<TLanes, TVector, TVectors, TileNumber1>(c + (7 * cStride), c70, c71, c72);
        }
        else
        {
            Finish<TLanes, TVector, TVectors, TileNumber0>(c, c00, c01, c02);
            if (TRows.Value > 1)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + cStride, c10, c11, c12);
            if (TRows.Value > 2)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + (2 * cStride), c20, c21, c22);
            if (TRows.Value > 3)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + (3 * cStride), c30, c31, c32);
            if (TRows.Value > 4)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + (4 * cStride), c40, c41, c42);
            if (TRows.Value > 5)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + (5 * cStride), c50, c51, c52);
            if (TRows.Value > 6)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + (6 * cStride), c60, c61, c62);
            if (TRows.Value > 7)
                Finish<TLanes, TVector, TVectors, TileNumber0>(c + (7 * cStride), c70, c71, c72);
        }
    }

    // C comes from far away as a rule; asked for now, it is there when the sums are.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch<TLanes, TVector, TRows, TVectors>(float* c, long cStride)
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        where TRows : struct, ITileNumber
        where TVectors : struct, ITileNumber
    {
        if (!Sse.IsSupported)
            return;

        for (int row = 0; row < TRows.Value; row++, c += cStride)
        {
            for (int element = 0; element < TVectors.Value * TLanes.Count; element += 16)
                Sse.Prefetch0(c + element);
            Sse.Prefetch0(c + (TVectors.Value * TLanes.Count) - 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TLanes, TVector, TVectors, TAdd>(float* c, TVector v0, TVector v1, TVector v2)
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        where TVectors : struct, ITileNumber
        where TAdd : struct, ITileNumber
    {
        FinishVector<TLanes, TVector, TAdd>(c, v0);
        if (TVectors.Value > 1)
            FinishVector<TLanes, TVector, TAdd>(c + TLanes.Count, v1);
        if (TVectors.Value > 2)
            FinishVector<TLanes, TVector, TAdd>(c + (2 * TLanes.Count), v2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FinishVector<TLanes, TVector, TAdd>(float* c, TVector value)
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        where TAdd : struct, ITileNumber
        => TLanes.Store(TAdd.Value != 0 ? TLanes.Add(TLanes.Load(c), value) : value, c);
}
