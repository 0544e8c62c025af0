using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Moves up to sixteen rows of one head between strided memory and a group of tiles, one tile of sixteen channels after the other.
/// In the tiles, channels beyond the head's size and rows beyond the last token are zero.
/// </summary>
internal static unsafe class CpuHeadRows
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;

    /// <summary>How a row's channels of one tile are reached; chosen once per tile, so that no loop over rows asks again.</summary>
    internal interface IChannels
    {
        /// <summary>Reads the channels that are left, at most sixteen.</summary>
        static abstract Vector512<float> Load(float* row, int left);

        /// <summary>Writes the channels that are left, at most sixteen.</summary>
        static abstract void Store(Vector512<float> value, float* row, int left);
    }

    /// <summary>All sixteen channels exist.</summary>
    internal readonly struct Whole : IChannels
    {
        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(float* row, int left) => Vector512.Load(row);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> value, float* row, int left) => value.Store(row);
    }

    /// <summary>The head ends inside the tile.</summary>
    internal readonly struct Partial : IChannels
    {
        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(float* row, int left) => VectorMemory.LoadPartial(row, left);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> value, float* row, int left) => VectorMemory.StorePartial(value, row, left);
    }

    /// <summary>Copies rows into a group of tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ToTiles(float* rows, nint rowStride, int count, int headSize, float* tiles)
    {
        for (int left = headSize; left > 0; left -= Lanes)
        {
            if (left >= Lanes)
                ToTile<Whole>(rows, rowStride, count, left, tiles);
            else
                ToTile<Partial>(rows, rowStride, count, left, tiles);
            rows += Lanes;
            tiles += TileSize;
        }
    }

    /// <summary>Writes rows from a group of tiles, each multiplied with its factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FromTiles(float* tiles, float* factors, float* rows, nint rowStride, int count, int headSize)
    {
        for (int left = headSize; left > 0; left -= Lanes)
        {
            if (left >= Lanes)
                FromTile<Whole>(tiles, factors, rows, rowStride, count, left);
            else
                FromTile<Partial>(tiles, factors, rows, rowStride, count, left);
            rows += Lanes;
            tiles += TileSize;
        }
    }

    /// <summary>Writes rows from a group of tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FromTiles(float* tiles, float* rows, nint rowStride, int count, int headSize)
    {
        for (int left = headSize; left > 0; left -= Lanes)
        {
            if (left >= Lanes)
                FromTile<Whole>(tiles, rows, rowStride, count, left);
            else
                FromTile<Partial>(tiles, rows, rowStride, count, left);
            rows += Lanes;
            tiles += TileSize;
        }
    }

    /// <summary>
    /// Copies the output's gradient into a group of tiles and gives, per row, the sum of gradient times output.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void GradientToTiles(
        float* gradient, float* output, nint rowStride, int count, int headSize, float* tiles, float* partials, float* deltas)
    {
        ClearRows(partials, 0);
        for (int left = headSize; left > 0; left -= Lanes)
        {
            if (left >= Lanes)
                GradientToTile<Whole>(gradient, output, rowStride, count, left, tiles, partials);
            else
                GradientToTile<Partial>(gradient, output, rowStride, count, left, tiles, partials);
            gradient += Lanes;
            output += Lanes;
            tiles += TileSize;
        }

        VectorRows.Sum(partials).Store(deltas);
    }

    /// <summary>Zeros the rows of a tile from <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ClearRows(float* tile, int first)
    {
        for (int row = first; row < Lanes; row++)
            Vector512<float>.Zero.Store(tile + row * Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ToTile<TChannels>(float* rows, nint rowStride, int count, int left, float* tile)
        where TChannels : struct, IChannels
    {
        for (int row = 0; row < count; row++)
        {
            TChannels.Load(rows, left).Store(tile + row * Lanes);
            rows += rowStride;
        }

        ClearRows(tile, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FromTile<TChannels>(float* tile, float* factors, float* rows, nint rowStride, int count, int left)
        where TChannels : struct, IChannels
    {
        for (int row = 0; row < count; row++)
        {
            TChannels.Store(Vector512.Load(tile + row * Lanes) * Vector512.Create(factors[row]), rows, left);
            rows += rowStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FromTile<TChannels>(float* tile, float* rows, nint rowStride, int count, int left)
        where TChannels : struct, IChannels
    {
        for (int row = 0; row < count; row++)
        {
            TChannels.Store(Vector512.Load(tile + row * Lanes), rows, left);
            rows += rowStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GradientToTile<TChannels>(
        float* gradient, float* output, nint rowStride, int count, int left, float* tile, float* partials)
        where TChannels : struct, IChannels
    {
        for (int row = 0; row < count; row++)
        {
            Vector512<float> value = TChannels.Load(gradient, left);
            float* partial = partials + row * Lanes;
            Vector512.FusedMultiplyAdd(value, TChannels.Load(output, left), Vector512.Load(partial)).Store(partial);
            value.Store(tile + row * Lanes);
            gradient += rowStride;
            output += rowStride;
        }

        ClearRows(tile, count);
    }
}
