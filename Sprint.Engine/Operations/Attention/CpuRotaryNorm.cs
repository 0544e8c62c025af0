using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// What happens to the queries or keys of one head before their product, for a group of up to sixteen tokens:
/// y = rope(weight * x / sqrt(mean(x^2) + 1e-6)), the norm only where there is a weight.
/// </summary>
internal static unsafe partial class CpuRotaryNorm
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;

    /// <summary>Copies a norm's weight [headSize], or ones where there is none, padded with zeros to whole tiles.</summary>
    internal static void PadWeight(float* weight, int headSize, float* padded)
    {
        for (int channel = 0; channel < headSize; channel += Lanes)
        {
            int left = headSize - channel;
            Vector512<float> value = weight == null ? Vector512<float>.One : VectorMemory.LoadPartial(weight + channel, Math.Min(left, Lanes));
            value.Store(padded + channel);
        }
    }

    /// <summary>Normalises and turns the rows of one group into tiles.</summary>
    /// <param name="rows">The group's first query or key in qkv.</param>
    /// <param name="rowStride">Floats from one token to the next in qkv.</param>
    /// <param name="count">Rows, 1 to 16; the others become zero.</param>
    /// <param name="headSize">Channels.</param>
    /// <param name="hasNorm">Whether rows are normalised.</param>
    /// <param name="weight">From <see cref="PadWeight"/>.</param>
    /// <param name="angles">From <see cref="CpuRotaryAngles.Gather"/>.</param>
    /// <param name="tiles">Receives the group's tiles.</param>
    /// <param name="inverseRoots">Receives 1/sqrt(mean(x^2) + 1e-6) of the sixteen rows, ones without a norm.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward(
        float* rows, nint rowStride, int count, int headSize, bool hasNorm, float* weight, float* angles, float* tiles, float* inverseRoots)
    {
        nint toSines = (nint)CpuAttentionProblem.GroupsOf(headSize) * TileSize;
        if (hasNorm)
            InverseRoots(rows, rowStride, count, headSize, tiles, inverseRoots);
        else
            Vector512<float>.One.Store(inverseRoots);

        for (int left = headSize; left > 0; left -= Lanes)
        {
            if (left >= Lanes)
                TurnTile<CpuHeadRows.Whole>(rows, rowStride, count, left, Vector512.Load(weight), inverseRoots, angles, toSines, tiles);
            else
                TurnTile<CpuHeadRows.Partial>(rows, rowStride, count, left, Vector512.Load(weight), inverseRoots, angles, toSines, tiles);
            rows += Lanes;
            weight += Lanes;
            angles += TileSize;
            tiles += TileSize;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnTile<TChannels>(
        float* rows, nint rowStride, int count, int left, Vector512<float> weight, float* inverseRoots, float* angles, nint toSines, float* tile)
        where TChannels : struct, CpuHeadRows.IChannels
    {
        for (int row = 0; row < count; row++)
        {
            Vector512<float> x = TChannels.Load(rows, left) * Vector512.Create(inverseRoots[row]) * weight;
            float* angle = angles + row * Lanes;
            CpuRotaryAngles.Turn(x, Vector512.Load(angle), Vector512.Load(angle + toSines)).Store(tile + row * Lanes);
            rows += rowStride;
        }

        CpuHeadRows.ClearRows(tile, count);
    }

    // The first tile, soon to be overwritten, holds the rows' partial sums of squares.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InverseRoots(float* rows, nint rowStride, int count, int headSize, float* partials, float* inverseRoots)
    {
        int whole = headSize & -Lanes, left = headSize - whole;
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
        VectorMath.ReciprocalSqrt(meanSquares + Vector512.Create(CpuAttentionProblem.NormEpsilon)).Store(inverseRoots);
    }
}
