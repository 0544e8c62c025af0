using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// What happens to the queries and keys of one head before their product, for up to sixteen tokens at once:
/// y = rope(weight * x / sqrt(mean(x^2) + 1e-6)), the norm only where there is a weight, and its backward pass.
/// </summary>
internal static unsafe class CpuRotaryNorm
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;

    /// <summary>Normalises and turns the rows of one group into tiles.</summary>
    /// <param name="problem">Sizes and tables.</param>
    /// <param name="rows">The group's first query or key in qkv.</param>
    /// <param name="ids">The positions of the group's tokens, or null where a token's position is its index.</param>
    /// <param name="firstToken">Index of the group's first token.</param>
    /// <param name="weight">Norm weight [headSize], or null.</param>
    /// <param name="tiles">Receives the group's tiles.</param>
    /// <param name="inverseRoots">Receives 1/sqrt(mean(x^2) + 1e-6) of the sixteen rows where there is a weight.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward(
        in CpuAttentionProblem problem, float* rows, int* ids, int firstToken, float* weight, float* tiles, float* inverseRoots)
    {
        int headSize = problem.HeadSize, depth = problem.Depth, count = Math.Min(Lanes, problem.Tokens - firstToken);
        nint stride = problem.QkvStride;
        CpuHeadRows.ClearRows(tiles, count, depth);
        if (weight != null)
            InverseRoots(rows, stride, count, headSize, tiles, inverseRoots);

        for (int row = 0; row < count; row++)
        {
            float* source = rows + row * stride;
            nint angles = PairOffset(problem, ids, firstToken, row);
            for (int tile = 0; tile < depth; tile++)
            {
                Vector512<float> x = CpuHeadRows.Load(source, tile, headSize);
                if (weight != null)
                    x = x * Vector512.Create(inverseRoots[row]) * CpuHeadRows.Load(weight, tile, headSize);
                LoadAngles(problem, angles, tile, out Vector512<float> cos, out Vector512<float> sin);
                Turn(x, cos, sin ^ EvenNegated).Store(tiles + tile * TileSize + row * Lanes);
            }
        }
    }

    /// <summary>Carries the gradient of one group's turned rows back to the rows in qkv.</summary>
    /// <param name="problem">Sizes and tables.</param>
    /// <param name="tiles">The gradient of the turned rows, not yet multiplied with the scores' scale; overwritten.</param>
    /// <param name="rows">The group's first query or key in qkv.</param>
    /// <param name="ids">The positions of the group's tokens, or null.</param>
    /// <param name="firstToken">Index of the group's first token.</param>
    /// <param name="weight">Norm weight [headSize], or null.</param>
    /// <param name="inverseRoots">What the forward pass gave.</param>
    /// <param name="partials">A tile of scratch.</param>
    /// <param name="gradientRows">Receives the gradient of the rows, strided as qkv.</param>
    /// <param name="weightGradient">Where there is a weight, its gradient is added here; a whole number of sixteens of channels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward(
        in CpuAttentionProblem problem, float* tiles, float* rows, int* ids, int firstToken, float* weight, float* inverseRoots,
        float* partials, float* gradientRows, float* weightGradient)
    {
        int headSize = problem.HeadSize, depth = problem.Depth, count = Math.Min(Lanes, problem.Tokens - firstToken);
        nint stride = problem.QkvStride;
        Vector512<float> scale = Vector512.Create(problem.Scale);
        for (int row = 0; row < count; row++)
        {
            nint angles = PairOffset(problem, ids, firstToken, row);
            Vector512<float> inverse = Vector512.Create(weight != null ? inverseRoots[row] : 1f);
            Vector512<float> product = Vector512<float>.Zero;
            for (int tile = 0; tile < depth; tile++)
            {
                float* stored = tiles + tile * TileSize + row * Lanes;
                LoadAngles(problem, angles, tile, out Vector512<float> cos, out Vector512<float> sin);
                Vector512<float> gradient = Turn(Vector512.Load(stored) * scale, cos, sin ^ OddNegated);
                if (weight == null)
                {
                    CpuHeadRows.Store(gradient, gradientRows + row * stride, tile, headSize);
                    continue;
                }

                Vector512<float> normed = CpuHeadRows.Load(rows + row * stride, tile, headSize) * inverse;
                float* sum = weightGradient + tile * Lanes;
                Vector512.FusedMultiplyAdd(gradient, normed, Vector512.Load(sum)).Store(sum);
                gradient *= CpuHeadRows.Load(weight, tile, headSize);
                product = Vector512.FusedMultiplyAdd(gradient, normed, product);
                gradient.Store(stored);
            }

            product.Store(partials + row * Lanes);
        }

        if (weight != null)
            ThroughNorm(tiles, rows, stride, count, headSize, inverseRoots, partials, gradientRows);
    }

    // dx = (g - xn mean(g xn)) / root with g the gradient times the weight and xn the normalised row.
    private static void ThroughNorm(
        float* tiles, float* rows, nint stride, int count, int headSize, float* inverseRoots, float* partials, float* gradientRows)
    {
        CpuHeadRows.ClearRows(partials, count, 1);
        Vector512<float> inverses = Vector512.Load(inverseRoots);
        Vector512<float> means = VectorRows.Sum(partials) * Vector512.Create(-1f / headSize) * inverses;
        means.Store(partials);
        int depth = CpuAttentionProblem.GroupsOf(headSize);
        for (int row = 0; row < count; row++)
        {
            Vector512<float> inverse = Vector512.Create(inverseRoots[row]);
            Vector512<float> mean = Vector512.Create(partials[row]);
            for (int tile = 0; tile < depth; tile++)
            {
                Vector512<float> gradient = Vector512.Load(tiles + tile * TileSize + row * Lanes);
                Vector512<float> x = CpuHeadRows.Load(rows + row * stride, tile, headSize);
                Vector512<float> result = Vector512.FusedMultiplyAdd(x, mean, gradient) * inverse;
                CpuHeadRows.Store(result, gradientRows + row * stride, tile, headSize);
            }
        }
    }

    // The first tile, soon to be overwritten, holds the rows' partial sums of squares.
    private static void InverseRoots(float* rows, nint stride, int count, int headSize, float* tile0, float* inverseRoots)
    {
        int depth = CpuAttentionProblem.GroupsOf(headSize);
        for (int row = 0; row < count; row++)
        {
            Vector512<float> sum = Vector512<float>.Zero;
            for (int tile = 0; tile < depth; tile++)
            {
                Vector512<float> x = CpuHeadRows.Load(rows + row * stride, tile, headSize);
                sum = Vector512.FusedMultiplyAdd(x, x, sum);
            }

            sum.Store(tile0 + row * Lanes);
        }

        Vector512<float> meanSquares = VectorRows.Sum(tile0) * Vector512.Create(1f / headSize);
        VectorMath.ReciprocalSqrt(meanSquares + Vector512.Create(CpuAttentionProblem.NormEpsilon)).Store(inverseRoots);
    }

    private static Vector512<float> EvenNegated
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0x0000_0000_8000_0000UL).AsSingle();
    }

    private static Vector512<float> OddNegated
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0x8000_0000_0000_0000UL).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint PairOffset(in CpuAttentionProblem problem, int* ids, int firstToken, int row) =>
        (nint)(ids != null ? ids[firstToken + row] : firstToken + row) * (problem.HeadSize / 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadAngles(in CpuAttentionProblem problem, nint offset, int tile, out Vector512<float> cos, out Vector512<float> sin)
    {
        cos = LoadPairs(problem.CosTable + offset + tile * 8, problem.HeadSize / 2 - tile * 8);
        sin = LoadPairs(problem.SinTable + offset + tile * 8, problem.HeadSize / 2 - tile * 8);
    }

    // (a, b) becomes (a cos + b sin0, b cos + a sin1): the caller chooses the signs of the two sines.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Turn(Vector512<float> x, Vector512<float> cos, Vector512<float> sin) =>
        Vector512.FusedMultiplyAdd(x, cos, SwapPairs(x) * sin);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LoadPairs(float* source, int left)
    {
        if (left >= 8)
            return Duplicate(Vector256.Load(source));
        return Duplicate(VectorMemory.LoadPartial(source, left).GetLower());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Duplicate(Vector256<float> pairs)
    {
        if (Vector512.IsHardwareAccelerated)
            return Vector512.Shuffle(pairs.ToVector512Unsafe(), Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
        return Vector512.Create(
            Vector256.Shuffle(pairs, Vector256.Create(0, 0, 1, 1, 2, 2, 3, 3)),
            Vector256.Shuffle(pairs, Vector256.Create(4, 4, 5, 5, 6, 6, 7, 7)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SwapPairs(Vector512<float> x)
    {
        if (Vector512.IsHardwareAccelerated)
            return Vector512.Shuffle(x, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
        Vector256<int> order = Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6);
        return Vector512.Create(Vector256.Shuffle(x.GetLower(), order), Vector256.Shuffle(x.GetUpper(), order));
    }
}
