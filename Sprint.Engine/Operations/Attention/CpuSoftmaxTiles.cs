using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>The element-wise part of attention on tiles of scores: sixteen queries by sixteen keys each, tiles of a group side by side.</summary>
internal static unsafe class CpuSoftmaxTiles
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;
    private const float LogOf2 = 0.693147182f;
    private const float LogBase2OfE = 1.44269502f;

    /// <summary>
    /// Replaces up to sixteen rows of products q k^T by exp(scale * (product - largest)), not yet divided by their sum.
    /// </summary>
    /// <param name="scores">The group's tiles; zeros, or 2^-125 at most, behind the last key afterwards.</param>
    /// <param name="keys">Number of keys.</param>
    /// <param name="rows">Rows to do, 8 or 16.</param>
    /// <param name="scaleInBits">The scale times log2(e).</param>
    /// <param name="partials">A tile of scratch.</param>
    /// <param name="reciprocals">Receives one over each row's sum.</param>
    /// <param name="logSumExp">Receives ln(sum of exp(scale * product)) of each row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Exponentiate(
        float* scores, int keys, int rows, float scaleInBits, float* partials, float* reciprocals, float* logSumExp)
    {
        int tiles = CpuAttentionProblem.GroupsOf(keys);
        if (keys % Lanes != 0)
            HideTail(scores + (tiles - 1) * TileSize, keys % Lanes, rows);
        for (int row = 0; row < rows; row++)
        {
            float* score = scores + row * Lanes;
            Vector512<float> largest = Vector512.Load(score);
            for (int tile = 1; tile < tiles; tile++)
                largest = Vector512.MaxNative(largest, Vector512.Load(score + tile * TileSize));
            largest.Store(partials + row * Lanes);
        }

        Vector512<float> scale = Vector512.Create(scaleInBits);
        Vector512<float> offsets = VectorRows.Max(partials) * scale;
        (-offsets).Store(reciprocals);
        for (int row = 0; row < rows; row++)
        {
            float* score = scores + row * Lanes;
            Vector512<float> offset = Vector512.Create(reciprocals[row]);
            Vector512<float> sum = Vector512<float>.Zero;
            for (int tile = 0; tile < tiles; tile++)
            {
                Vector512<float> bits = Vector512.FusedMultiplyAdd(Vector512.Load(score + tile * TileSize), scale, offset);
                Vector512<float> weight = VectorMath.Exp2NonPositive(bits);
                weight.Store(score + tile * TileSize);
                sum += weight;
            }

            sum.Store(partials + row * Lanes);
        }

        Vector512<float> sums = VectorRows.Sum(partials);
        (Vector512<float>.One / sums).Store(reciprocals);
        Vector512.FusedMultiplyAdd(offsets, Vector512.Create(LogOf2), VectorMath.LogPositive(sums)).Store(logSumExp);
    }

    /// <summary>What <see cref="Differentiate"/> wants of the log-sum-exp: minus it, in bits.</summary>
    /// <param name="logSumExp">The rows' log-sum-exp.</param>
    /// <param name="count">Rows that exist; the rest becomes 0.</param>
    /// <param name="offsets">Receives sixteen offsets.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ToOffsets(float* logSumExp, int count, float* offsets) =>
        (VectorMemory.LoadPartial(logSumExp, count) * Vector512.Create(-LogBase2OfE)).Store(offsets);

    /// <summary>
    /// From products q k^T and dO v^T to the weights P = exp(scale * product - log-sum-exp) and, without the scale,
    /// the gradient of the scores, dS = P (dP - delta).
    /// </summary>
    /// <param name="scores">A group's tiles of q k^T; receives P.</param>
    /// <param name="gradients">A group's tiles of dO v^T; receives dS.</param>
    /// <param name="tiles">Tiles of keys.</param>
    /// <param name="rows">Rows to do, 8 or 16.</param>
    /// <param name="scaleInBits">The scale times log2(e).</param>
    /// <param name="offsets">From <see cref="ToOffsets"/>.</param>
    /// <param name="deltas">The rows' sum of dO * O.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Differentiate(
        float* scores, float* gradients, int tiles, int rows, float scaleInBits, float* offsets, float* deltas)
    {
        Vector512<float> scale = Vector512.Create(scaleInBits);
        for (int tile = 0; tile < tiles; tile++)
        {
            for (int row = 0; row < rows; row++)
            {
                float* score = scores + tile * TileSize + row * Lanes;
                float* gradient = gradients + tile * TileSize + row * Lanes;
                Vector512<float> bits = Vector512.FusedMultiplyAdd(Vector512.Load(score), scale, Vector512.Create(offsets[row]));
                Vector512<float> weight = VectorMath.Exp2NonPositive(bits);
                weight.Store(score);
                (weight * (Vector512.Load(gradient) - Vector512.Create(deltas[row]))).Store(gradient);
            }
        }
    }

    private static void HideTail(float* tile, int keys, int rows)
    {
        Vector512<float> exists = VectorMemory.FirstLanes(keys);
        Vector512<float> hidden = Vector512.Create(float.NegativeInfinity);
        for (int row = 0; row < rows; row++)
            Vector512.ConditionalSelect(exists, Vector512.Load(tile + row * Lanes), hidden).Store(tile + row * Lanes);
    }
}
