using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>Moves the rows of one head between strided memory and tiles; channels beyond the head's size and rows beyond the last token are zero.</summary>
internal static unsafe class CpuHeadRows
{
    private const int Lanes = VectorMath.Lanes;

    /// <summary>Sixteen channels of a row, or what is left of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Load(float* row, int tile, int headSize)
    {
        int left = headSize - tile * Lanes;
        return left >= Lanes ? Vector512.Load(row + tile * Lanes) : VectorMemory.LoadPartial(row + tile * Lanes, left);
    }

    /// <summary>Writes sixteen channels of a row, or what is left of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(Vector512<float> value, float* row, int tile, int headSize)
    {
        int left = headSize - tile * Lanes;
        if (left >= Lanes)
            value.Store(row + tile * Lanes);
        else
            VectorMemory.StorePartial(value, row + tile * Lanes, left);
    }

    /// <summary>Copies up to sixteen rows into one group of tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ToTiles(float* rows, nint rowStride, int count, int headSize, float* tiles)
    {
        int depth = CpuAttentionProblem.GroupsOf(headSize);
        for (int row = 0; row < count; row++)
        {
            for (int tile = 0; tile < depth; tile++)
                Load(rows + row * rowStride, tile, headSize).Store(tiles + tile * VectorRows.TileSize + row * Lanes);
        }

        ClearRows(tiles, count, depth);
    }

    /// <summary>Writes the rows of one group of tiles, each multiplied with its factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FromTiles(float* tiles, float* factors, float* rows, nint rowStride, int count, int headSize)
    {
        int depth = CpuAttentionProblem.GroupsOf(headSize);
        for (int row = 0; row < count; row++)
        {
            Vector512<float> factor = Vector512.Create(factors[row]);
            for (int tile = 0; tile < depth; tile++)
            {
                Vector512<float> value = Vector512.Load(tiles + tile * VectorRows.TileSize + row * Lanes) * factor;
                Store(value, rows + row * rowStride, tile, headSize);
            }
        }
    }

    /// <summary>Writes the rows of one group of tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FromTiles(float* tiles, float* rows, nint rowStride, int count, int headSize)
    {
        int depth = CpuAttentionProblem.GroupsOf(headSize);
        for (int row = 0; row < count; row++)
        {
            for (int tile = 0; tile < depth; tile++)
                Store(Vector512.Load(tiles + tile * VectorRows.TileSize + row * Lanes), rows + row * rowStride, tile, headSize);
        }
    }

    /// <summary>Copies the output's gradient of up to sixteen rows into tiles and gives, per row, its product with the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void GradientToTiles(
        float* gradient, float* output, nint rowStride, int count, int headSize, float* tiles, float* partials, float* deltas)
    {
        int depth = CpuAttentionProblem.GroupsOf(headSize);
        for (int row = 0; row < count; row++)
        {
            Vector512<float> sum = Vector512<float>.Zero;
            for (int tile = 0; tile < depth; tile++)
            {
                Vector512<float> value = Load(gradient + row * rowStride, tile, headSize);
                sum = Vector512.FusedMultiplyAdd(value, Load(output + row * rowStride, tile, headSize), sum);
                value.Store(tiles + tile * VectorRows.TileSize + row * Lanes);
            }

            sum.Store(partials + row * Lanes);
        }

        ClearRows(tiles, count, depth);
        ClearRows(partials, count, 1);
        VectorRows.Sum(partials).Store(deltas);
    }

    /// <summary>Zeros the rows from <paramref name="count"/> on in a group of tiles.</summary>
    internal static void ClearRows(float* tiles, int count, int depth)
    {
        for (int row = count; row < Lanes; row++)
        {
            for (int tile = 0; tile < depth; tile++)
                Vector512<float>.Zero.Store(tiles + tile * VectorRows.TileSize + row * Lanes);
        }
    }
}
