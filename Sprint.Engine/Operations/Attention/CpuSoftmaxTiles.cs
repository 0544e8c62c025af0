using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// The element-wise part of attention on tiles of transposed scores, a key per row and a query per lane: whatever is said of a query,
/// its largest score, its sum, its log-sum-exp, is a vector over sixteen queries and needs no reduction across lanes.
/// </summary>
internal static unsafe class CpuSoftmaxTiles
{
    private const int Lanes = VectorMath.Lanes;
    private const float LogOf2 = 0.693147182f;
    private const float LogBase2OfE = 1.44269502f;

    /// <summary>
    /// Replaces products k q^T of sixteen queries by exp(scale * (product - largest)), not yet divided by their sum.
    /// </summary>
    /// <param name="scores">The first key's scores.</param>
    /// <param name="tileStride">Floats from the tile of one key group to that of the next.</param>
    /// <param name="keys">Number of keys, at least 1.</param>
    /// <param name="scaleInBits">The scale times log2(e).</param>
    /// <param name="reciprocals">Receives one over each query's sum.</param>
    /// <returns>ln(sum of exp(scale * product)) of each query.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Vector512<float> Exponentiate(float* scores, nint tileStride, int keys, float scaleInBits, float* reciprocals)
    {
        Vector512<float> scale = Vector512.Create(scaleInBits);
        Vector512<float> offsets = Largest(scores, tileStride, keys) * -scale;
        Vector512<float> sums = Vector512<float>.Zero;
        for (int left = keys; left > 0; left -= Lanes)
        {
            // Four sums in turn, added up per tile: long sequences lose less to rounding than in one chain.
            Vector512<float> sum0 = Vector512<float>.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
            int rows = Math.Min(left, Lanes), row = 0;
            for (; row <= rows - 4; row += 4)
            {
                float* score = scores + row * Lanes;
                sum0 += ExponentiateRow(score, scale, offsets);
                sum1 += ExponentiateRow(score + Lanes, scale, offsets);
                sum2 += ExponentiateRow(score + 2 * Lanes, scale, offsets);
                sum3 += ExponentiateRow(score + 3 * Lanes, scale, offsets);
            }

            for (; row < rows; row++)
                sum0 += ExponentiateRow(scores + row * Lanes, scale, offsets);
            sums += (sum0 + sum1) + (sum2 + sum3);
            scores += tileStride;
        }

        (Vector512<float>.One / sums).Store(reciprocals);
        return Vector512.FusedMultiplyAdd(offsets, Vector512.Create(-LogOf2), VectorMath.LogPositive(sums));
    }

    /// <summary>What <see cref="Differentiate"/> wants of the log-sum-exp: minus it, in bits.</summary>
    /// <param name="logSumExp">The queries' log-sum-exp.</param>
    /// <param name="count">Queries that exist; the rest becomes 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Offsets(float* logSumExp, int count) =>
        VectorMemory.LoadPartial(logSumExp, count) * Vector512.Create(-LogBase2OfE);

    /// <summary>
    /// From products k q^T and v dO^T of sixteen queries to the weights P = exp(scale * product - log-sum-exp) and, without the scale,
    /// the gradient of the scores, dS = P (dP - delta).
    /// </summary>
    /// <param name="scores">The first key's products k q^T; receives P.</param>
    /// <param name="gradients">The first key's products v dO^T; receives dS.</param>
    /// <param name="tileStride">Floats from the tile of one key group to that of the next.</param>
    /// <param name="keys">Number of keys, at least 1.</param>
    /// <param name="scaleInBits">The scale times log2(e).</param>
    /// <param name="offsets">From <see cref="Offsets"/>.</param>
    /// <param name="deltas">The queries' sums of dO times O.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Differentiate(
        float* scores, float* gradients, nint tileStride, int keys, float scaleInBits, float* offsets, float* deltas)
    {
        Vector512<float> scale = Vector512.Create(scaleInBits), offset = Vector512.Load(offsets), delta = Vector512.Load(deltas);
        for (int left = keys; left > 0; left -= Lanes)
        {
            int rows = Math.Min(left, Lanes), row = 0;
            for (; row <= rows - 2; row += 2)
            {
                DifferentiateRow(scores + row * Lanes, gradients + row * Lanes, scale, offset, delta);
                DifferentiateRow(scores + (row + 1) * Lanes, gradients + (row + 1) * Lanes, scale, offset, delta);
            }

            if (row < rows)
                DifferentiateRow(scores + row * Lanes, gradients + row * Lanes, scale, offset, delta);
            scores += tileStride;
            gradients += tileStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Largest(float* scores, nint tileStride, int keys)
    {
        Vector512<float> even = Vector512.Load(scores), odd = even;
        for (int left = keys; left > 0; left -= Lanes)
        {
            int rows = Math.Min(left, Lanes), row = 0;
            for (; row <= rows - 4; row += 4)
            {
                float* score = scores + row * Lanes;
                even = Vector512.MaxNative(even, Vector512.Load(score));
                odd = Vector512.MaxNative(odd, Vector512.Load(score + Lanes));
                even = Vector512.MaxNative(even, Vector512.Load(score + 2 * Lanes));
                odd = Vector512.MaxNative(odd, Vector512.Load(score + 3 * Lanes));
            }

            for (; row < rows; row++)
                even = Vector512.MaxNative(even, Vector512.Load(scores + row * Lanes));
            scores += tileStride;
        }

        return Vector512.MaxNative(even, odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ExponentiateRow(float* score, Vector512<float> scale, Vector512<float> offsets)
    {
        Vector512<float> weight = VectorMath.Exp2NonPositive(Vector512.FusedMultiplyAdd(Vector512.Load(score), scale, offsets));
        weight.Store(score);
        return weight;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DifferentiateRow(
        float* score, float* gradient, Vector512<float> scale, Vector512<float> offset, Vector512<float> delta)
    {
        Vector512<float> weight = VectorMath.Exp2NonPositive(Vector512.FusedMultiplyAdd(Vector512.Load(score), scale, offset));
        weight.Store(score);
        (weight * (Vector512.Load(gradient) - delta)).Store(gradient);
    }
}
