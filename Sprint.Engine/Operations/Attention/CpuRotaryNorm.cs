using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// What happens to the queries and keys of one head before their product, for a group of up to sixteen tokens at once:
/// y = rope(weight * x / sqrt(mean(x^2) + 1e-6)), the norm only where there is a weight. Both sides share the tokens' angles.
/// </summary>
internal static unsafe partial class CpuRotaryNorm
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;

    /// <summary>The queries, or the keys, of one group.</summary>
    internal readonly struct Side
    {
        /// <summary>The group's first row in qkv.</summary>
        internal required float* Rows { get; init; }

        /// <summary>Whether rows are normalised. Without, weight and inverse roots are ones and the same code gives the same bits.</summary>
        internal required bool HasNorm { get; init; }

        /// <summary>From <see cref="PadWeight"/>.</summary>
        internal required float* Weight { get; init; }

        /// <summary>1/sqrt(mean(x^2) + 1e-6) of the sixteen rows; written forward, read backward.</summary>
        internal required float* InverseRoots { get; init; }

        /// <summary>The group's tiles: written forward; backward the gradient of the turned rows, overwritten.</summary>
        internal required float* Tiles { get; init; }

        /// <summary>Backward: receives the gradient of the rows, strided as qkv.</summary>
        internal float* GradientRows { get; init; }

        /// <summary>Backward: the weight's gradient is added here; whole tiles wide, without meaning where there is no norm.</summary>
        internal float* WeightGradient { get; init; }

        /// <summary>Backward: a tile of scratch.</summary>
        internal float* Partials { get; init; }
    }

    /// <summary>Copies a norm's weight [headSize], or ones where there is none, padded to whole tiles.</summary>
    internal static void PadWeight(float* weight, int headSize, float* padded)
    {
        for (int channel = 0; channel < headSize; channel += Lanes)
        {
            int left = Math.Min(headSize - channel, Lanes);
            Vector512<float> value = weight == null ? Vector512<float>.One : VectorMemory.LoadPartial(weight + channel, left);
            value.Store(padded + channel);
        }
    }

    /// <summary>Normalises and turns the rows of one group into tiles; rows beyond the last token become zero.</summary>
    /// <param name="problem">Sizes and tables.</param>
    /// <param name="ids">Each token's row in the tables, or null where that is its index.</param>
    /// <param name="firstToken">The group's first token.</param>
    /// <param name="queries">One side.</param>
    /// <param name="keys">The other side.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward(in CpuAttentionProblem problem, int* ids, int firstToken, in Side queries, in Side keys)
    {
        int count = Math.Min(Lanes, problem.Tokens - firstToken), headSize = problem.HeadSize;
        InverseRoots(queries, problem.QkvStride, count, headSize);
        InverseRoots(keys, problem.QkvStride, count, headSize);
        for (int tile = 0; tile < problem.Depth; tile++)
        {
            if (headSize - tile * Lanes >= Lanes)
                TurnTile<CpuHeadRows.Whole>(problem, ids, firstToken, count, tile, queries, keys);
            else
                TurnTile<CpuHeadRows.Partial>(problem, ids, firstToken, count, tile, queries, keys);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnTile<TChannels>(
        in CpuAttentionProblem problem, int* ids, int firstToken, int count, int tile, in Side queries, in Side keys)
        where TChannels : struct, CpuHeadRows.IChannels
    {
        int left = problem.HeadSize - tile * Lanes, half = problem.HeadSize / 2;
        float* cos = problem.CosTable + tile * CpuRotaryAngles.Pairs, sin = problem.SinTable + tile * CpuRotaryAngles.Pairs;
        float* query = queries.Rows + tile * Lanes, key = keys.Rows + tile * Lanes;
        float* queryTile = queries.Tiles + tile * TileSize, keyTile = keys.Tiles + tile * TileSize;
        float* queryRoots = queries.InverseRoots, keyRoots = keys.InverseRoots;
        Vector512<float> queryWeight = Vector512.Load(queries.Weight + tile * Lanes), keyWeight = Vector512.Load(keys.Weight + tile * Lanes);
        nint stride = problem.QkvStride;
        for (int row = 0; row < count; row++)
        {
            nint position = (nint)(ids != null ? ids[firstToken + row] : firstToken + row) * half;
            CpuRotaryAngles angles = CpuRotaryAngles.Load(cos + position, sin + position, left / 2);
            angles.Turn(TChannels.Load(query, left) * Vector512.Create(queryRoots[row]) * queryWeight).Store(queryTile + row * Lanes);
            angles.Turn(TChannels.Load(key, left) * Vector512.Create(keyRoots[row]) * keyWeight).Store(keyTile + row * Lanes);
            query += stride;
            key += stride;
        }

        CpuHeadRows.ClearRows(queryTile, count);
        CpuHeadRows.ClearRows(keyTile, count);
    }

    // The first tile, soon to be overwritten, holds the rows' partial sums of squares.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InverseRoots(in Side side, nint rowStride, int count, int headSize)
    {
        if (!side.HasNorm)
        {
            Vector512<float>.One.Store(side.InverseRoots);
            return;
        }

        int whole = headSize & -Lanes, left = headSize - whole;
        float* rows = side.Rows, partials = side.Tiles;
        for (int row = 0; row < count; row++)
        {
            Vector512<float> sum = Vector512<float>.Zero;
            for (int channel = 0; channel < whole; channel += Lanes)
            {
                Vector512<float> x = Vector512.Load(rows + channel);
                sum = Vector512.FusedMultiplyAdd(x, x, sum);
            }

            if (left > 0)
            {
                Vector512<float> x = VectorMemory.LoadPartial(rows + whole, left);
                sum = Vector512.FusedMultiplyAdd(x, x, sum);
            }

            sum.Store(partials + row * Lanes);
            rows += rowStride;
        }

        CpuHeadRows.ClearRows(partials, count);
        Vector512<float> meanSquares = VectorRows.Sum(partials) * Vector512.Create(1f / headSize);
        VectorMath.ReciprocalSqrt(meanSquares + Vector512.Create(Operations.Attention.NormEpsilon)).Store(side.InverseRoots);
    }
}
