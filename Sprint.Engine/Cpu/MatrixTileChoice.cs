using System.Runtime.CompilerServices;

namespace Sprint.Engine.Cpu;

/// <summary>Finds the micro-kernel compiled for a tile's size.</summary>
/// <typeparam name="TLanes">Operations on the vectors.</typeparam>
/// <typeparam name="TVector">The vector type.</typeparam>
internal static unsafe class MatrixTileChoice<TLanes, TVector>
    where TLanes : struct, IVectorLanes<TVector>
    where TVector : struct
{
    /// <summary>Computes one tile; see <see cref="MatrixTile"/>.</summary>
    /// <param name="rows">Rows of the tile: 8, 6, 4, 2 or 1.</param>
    /// <param name="vectors">Vectors in a row of the tile, 1 to 3.</param>
    /// <param name="packed">Whether A is packed.</param>
    /// <param name="depth">How many products are added for each element.</param>
    /// <param name="a">A's element (0, 0) of this tile.</param>
    /// <param name="aStride">From row to row of A where it is not packed.</param>
    /// <param name="b">B's element (0, 0) of this tile.</param>
    /// <param name="bStride">From row k to row k + 1 of B.</param>
    /// <param name="c">C's element (0, 0) of this tile.</param>
    /// <param name="cStride">From row to row of C.</param>
    /// <param name="add">Whether the sum is added to what C holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(
        int rows, int vectors, bool packed, long depth, float* a, long aStride, float* b, long bStride, float* c, long cStride, bool add)
    {
        if (packed)
            ChooseRows<TileNumber1>(rows, vectors, depth, a, aStride, b, bStride, c, cStride, add);
        else
            ChooseRows<TileNumber0>(rows, vectors, depth, a, aStride, b, bStride, c, cStride, add);
    }

    // Compiled in full from the first call: what a tile costs is little beside what unoptimised code around it would.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ChooseRows<TPacked>(
        int rows, int vectors, long depth, float* a, long aStride, float* b, long bStride, float* c, long cStride, bool add)
        where TPacked : struct, ITileNumber
    {
        switch (rows)
        {
            case 8:
                ChooseVectors<TileNumber8, TPacked>(vectors, depth, a, aStride, b, bStride, c, cStride, add);
                break;
            case 6:
                ChooseVectors<TileNumber6, TPacked>(vectors, depth, a, aStride, b, bStride, c, cStride, add);
                break;
            case 4:
                ChooseVectors<TileNumber4, TPacked>(vectors, depth, a, aStride, b, bStride, c, cStride, add);
                break;
            case 2:
                ChooseVectors<TileNumber2, TPacked>(vectors, depth, a, aStride, b, bStride, c, cStride, add);
                break;
            default:
                ChooseVectors<TileNumber1, TPacked>(vectors, depth, a, aStride, b, bStride, c, cStride, add);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ChooseVectors<TRows, TPacked>(
        int vectors, long depth, float* a, long aStride, float* b, long bStride, float* c, long cStride, bool add)
        where TRows : struct, ITileNumber
        where TPacked : struct, ITileNumber
    {
        switch (vectors)
        {
            case 3:
                MatrixTile.Multiply<TLanes, TVector, TRows, TileNumber3, TPacked>(depth, a, aStride, b, bStride, c, cStride, add);
                break;
            case 2:
                MatrixTile.Multiply<TLanes, TVector, TRows, TileNumber2, TPacked>(depth, a, aStride, b, bStride, c, cStride, add);
                break;
            default:
                MatrixTile.Multiply<TLanes, TVector, TRows, TileNumber1, TPacked>(depth, a, aStride, b, bStride, c, cStride, add);
                break;
        }
    }
}
