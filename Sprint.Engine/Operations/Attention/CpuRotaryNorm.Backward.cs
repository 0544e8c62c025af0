using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <content>The gradient of the turned rows carried back to the rows in qkv and to the norms' weights.</content>
internal static unsafe partial class CpuRotaryNorm
{
    /// <summary>
    /// Carries the gradient of one group, which still lacks the scores' scale as a factor, back to its rows.
    /// </summary>
    /// <param name="problem">Sizes and tables.</param>
    /// <param name="ids">Each token's row in the tables, or null where that is its index.</param>
    /// <param name="firstToken">The group's first token.</param>
    /// <param name="queries">One side.</param>
    /// <param name="keys">The other side.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward(in CpuAttentionProblem problem, int* ids, int firstToken, in Side queries, in Side keys)
    {
        int count = Math.Min(Lanes, problem.Tokens - firstToken), headSize = problem.HeadSize;
        CpuHeadRows.ClearRows(queries.Partials, 0);
        CpuHeadRows.ClearRows(keys.Partials, 0);
        for (int tile = 0; tile < problem.Depth; tile++)
        {
            if (headSize - tile * Lanes >= Lanes)
                ProjectTile<CpuHeadRows.Whole>(problem, ids, firstToken, count, tile, queries, keys);
            else
                ProjectTile<CpuHeadRows.Partial>(problem, ids, firstToken, count, tile, queries, keys);
        }

        ThroughNorm(queries, problem.QkvStride, count, headSize);
        ThroughNorm(keys, problem.QkvStride, count, headSize);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ProjectTile<TChannels>(
        in CpuAttentionProblem problem, int* ids, int firstToken, int count, int tile, in Side queries, in Side keys)
        where TChannels : struct, CpuHeadRows.IChannels
    {
        int left = problem.HeadSize - tile * Lanes, half = problem.HeadSize / 2;
        float* cos = problem.CosTable + tile * CpuRotaryAngles.Pairs, sin = problem.SinTable + tile * CpuRotaryAngles.Pairs;
        float* query = queries.Rows + tile * Lanes, key = keys.Rows + tile * Lanes;
        float* queryTile = queries.Tiles + tile * TileSize, keyTile = keys.Tiles + tile * TileSize;
        float* queryRoots = queries.InverseRoots, keyRoots = keys.InverseRoots;
        float* queryPartials = queries.Partials, keyPartials = keys.Partials;
        float* querySums = queries.WeightGradient + tile * Lanes, keySums = keys.WeightGradient + tile * Lanes;
        Vector512<float> queryWeight = Vector512.Load(queries.Weight + tile * Lanes), keyWeight = Vector512.Load(keys.Weight + tile * Lanes);
        Vector512<float> querySum = Vector512.Load(querySums), keySum = Vector512.Load(keySums);
        Vector512<float> scale = Vector512.Create(problem.Scale);
        nint stride = problem.QkvStride;
        for (int row = 0; row < count; row++)
        {
            nint position = (nint)(ids != null ? ids[firstToken + row] : firstToken + row) * half;
            CpuRotaryAngles angles = CpuRotaryAngles.Load(cos + position, sin + position, left / 2);
            int lane = row * Lanes;
            querySum = ProjectRow(
                angles, TChannels.Load(query, left) * Vector512.Create(queryRoots[row]), queryTile + lane, queryPartials + lane, scale,
                queryWeight, querySum);
            keySum = ProjectRow(
                angles, TChannels.Load(key, left) * Vector512.Create(keyRoots[row]), keyTile + lane, keyPartials + lane, scale,
                keyWeight, keySum);
            query += stride;
            key += stride;
        }

        querySum.Store(querySums);
        keySum.Store(keySums);
    }

    // With xn the normalised row and g the gradient turned back: adds g xn to the weight's gradient, replaces g by g weight, adds
    // g weight xn to the row's partial sums.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ProjectRow(
        CpuRotaryAngles angles, Vector512<float> normed, float* gradient, float* partial, Vector512<float> scale, Vector512<float> weight,
        Vector512<float> weightSum)
    {
        Vector512<float> value = angles.TurnBack(Vector512.Load(gradient) * scale);
        weightSum = Vector512.FusedMultiplyAdd(value, normed, weightSum);
        value *= weight;
        value.Store(gradient);
        Vector512.FusedMultiplyAdd(value, normed, Vector512.Load(partial)).Store(partial);
        return weightSum;
    }

    // dx = (g weight - xn mean(g weight xn)) / root. Without a norm the mean counts nothing and the root is one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ThroughNorm(in Side side, nint stride, int count, int headSize)
    {
        Vector512<float> negated = Vector512.Create(side.HasNorm ? -1f / headSize : 0f);
        (VectorRows.Sum(side.Partials) * negated * Vector512.Load(side.InverseRoots)).Store(side.Partials);
        for (int left = headSize, offset = 0, tile = 0; left > 0; left -= Lanes, offset += Lanes, tile += TileSize)
        {
            if (left >= Lanes)
                NormTileBack<CpuHeadRows.Whole>(side.Tiles + tile, side.Rows + offset, side.GradientRows + offset, stride, count, left, side.InverseRoots, side.Partials);
            else
                NormTileBack<CpuHeadRows.Partial>(side.Tiles + tile, side.Rows + offset, side.GradientRows + offset, stride, count, left, side.InverseRoots, side.Partials);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NormTileBack<TChannels>(
        float* tile, float* rows, float* gradientRows, nint stride, int count, int left, float* inverseRoots, float* means)
        where TChannels : struct, CpuHeadRows.IChannels
    {
        for (int row = 0; row < count; row++)
        {
            Vector512<float> gradient = Vector512.Load(tile + row * Lanes);
            gradient = Vector512.FusedMultiplyAdd(TChannels.Load(rows, left), Vector512.Create(means[row]), gradient);
            TChannels.Store(gradient * Vector512.Create(inverseRoots[row]), gradientRows, left);
            rows += stride;
            gradientRows += stride;
        }
    }
}
