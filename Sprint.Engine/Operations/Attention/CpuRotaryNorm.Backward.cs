using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <content>The gradient of the turned rows carried back to the rows in qkv and to the norm's weight.</content>
internal static unsafe partial class CpuRotaryNorm
{
    /// <summary>Carries the gradient of one group back.</summary>
    /// <param name="tiles">The gradient of the turned rows; overwritten.</param>
    /// <param name="scale">What that gradient still lacks as a factor.</param>
    /// <param name="rows">The group's first query or key in qkv.</param>
    /// <param name="gradientRows">Receives the gradient of the rows, strided as qkv.</param>
    /// <param name="rowStride">Floats from one token to the next in both.</param>
    /// <param name="count">Rows, 1 to 16.</param>
    /// <param name="headSize">Channels.</param>
    /// <param name="hasNorm">Whether rows were normalised.</param>
    /// <param name="weight">From <see cref="PadWeight"/>.</param>
    /// <param name="angles">From <see cref="CpuRotaryAngles.Gather"/>.</param>
    /// <param name="inverseRoots">From <see cref="Forward"/>.</param>
    /// <param name="partials">A tile of scratch.</param>
    /// <param name="weightGradient">Where there is a norm, the gradient of its weight is added here; whole tiles wide.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward(
        float* tiles, float scale, float* rows, float* gradientRows, nint rowStride, int count, int headSize, bool hasNorm, float* weight,
        float* angles, float* inverseRoots, float* partials, float* weightGradient)
    {
        nint toSines = (nint)CpuAttentionProblem.GroupsOf(headSize) * TileSize;
        CpuHeadRows.ClearRows(partials, 0);
        for (int left = headSize, offset = 0, tile = 0; left > 0; left -= Lanes, offset += Lanes, tile += TileSize)
        {
            TurnTileBack(tiles + tile, Vector512.Create(scale), angles + tile, toSines, count);
            if (hasNorm && left >= Lanes)
                ProjectTile<CpuHeadRows.Whole>(tiles + tile, rows + offset, rowStride, count, left, weight + offset, inverseRoots, partials, weightGradient + offset);
            else if (hasNorm)
                ProjectTile<CpuHeadRows.Partial>(tiles + tile, rows + offset, rowStride, count, left, weight + offset, inverseRoots, partials, weightGradient + offset);
        }

        // Without a norm the factors are zero and one: the tiles are the result.
        Vector512<float> inverses = Vector512.Load(inverseRoots);
        (VectorRows.Sum(partials) * Vector512.Create(-1f / headSize) * inverses).Store(partials);
        for (int left = headSize, offset = 0, tile = 0; left > 0; left -= Lanes, offset += Lanes, tile += TileSize)
        {
            if (left >= Lanes)
                NormTileBack<CpuHeadRows.Whole>(tiles + tile, rows + offset, gradientRows + offset, rowStride, count, left, inverseRoots, partials);
            else
                NormTileBack<CpuHeadRows.Partial>(tiles + tile, rows + offset, gradientRows + offset, rowStride, count, left, inverseRoots, partials);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnTileBack(float* tile, Vector512<float> scale, float* angles, nint toSines, int count)
    {
        for (int row = 0; row < count; row++)
        {
            float* angle = angles + row * Lanes, gradient = tile + row * Lanes;
            CpuRotaryAngles.TurnBack(Vector512.Load(gradient) * scale, Vector512.Load(angle), Vector512.Load(angle + toSines)).Store(gradient);
        }
    }

    // With xn the normalised row and g the gradient: adds g xn to the weight's gradient, replaces g by g weight, adds g weight xn to the
    // row's partial sums.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ProjectTile<TChannels>(
        float* tile, float* rows, nint rowStride, int count, int left, float* weight, float* inverseRoots, float* partials, float* weightGradient)
        where TChannels : struct, CpuHeadRows.IChannels
    {
        Vector512<float> weights = Vector512.Load(weight), sum = Vector512.Load(weightGradient);
        for (int row = 0; row < count; row++)
        {
            float* gradient = tile + row * Lanes, partial = partials + row * Lanes;
            Vector512<float> normed = TChannels.Load(rows, left) * Vector512.Create(inverseRoots[row]);
            Vector512<float> value = Vector512.Load(gradient);
            sum = Vector512.FusedMultiplyAdd(value, normed, sum);
            value *= weights;
            value.Store(gradient);
            Vector512.FusedMultiplyAdd(value, normed, Vector512.Load(partial)).Store(partial);
            rows += rowStride;
        }

        sum.Store(weightGradient);
    }

    // dx = (g weight - xn mean(g weight xn)) / root; the partials are minus that mean over the root.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NormTileBack<TChannels>(
        float* tile, float* rows, float* gradientRows, nint rowStride, int count, int left, float* inverseRoots, float* partials)
        where TChannels : struct, CpuHeadRows.IChannels
    {
        for (int row = 0; row < count; row++)
        {
            Vector512<float> gradient = Vector512.Load(tile + row * Lanes);
            gradient = Vector512.FusedMultiplyAdd(TChannels.Load(rows, left), Vector512.Create(partials[row]), gradient);
            TChannels.Store(gradient * Vector512.Create(inverseRoots[row]), gradientRows, left);
            rows += rowStride;
            gradientRows += rowStride;
        }
    }
}
