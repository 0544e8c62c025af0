using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// The rotary embedding of one group of tokens: tiles of cosines and of signed sines, one per channel, so that turning sixteen channels
/// is x cos + swap(x) sin. Made once per group for its queries and keys.
/// </summary>
internal static unsafe class CpuRotaryAngles
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;
    private const int Pairs = Lanes / 2;

    /// <summary>Fills a group's tiles of cosines, and behind them those of sines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Gather(in CpuAttentionProblem problem, int* ids, int firstToken, int count, float* angles)
    {
        float* cos = problem.CosTable, sin = problem.SinTable;
        int half = problem.HeadSize / 2;
        nint toSines = (nint)problem.Depth * TileSize;
        for (int left = half; left > 0; left -= Pairs)
        {
            for (int row = 0; row < count; row++)
            {
                nint start = (nint)(ids != null ? ids[firstToken + row] : firstToken + row) * half;
                float* target = angles + row * Lanes;
                Duplicate(LoadPairs(cos + start, left)).Store(target);
                (Duplicate(LoadPairs(sin + start, left)) ^ EvenNegated).Store(target + toSines);
            }

            cos += Pairs;
            sin += Pairs;
            angles += TileSize;
        }
    }

    /// <summary>Turns sixteen channels: pairs (a, b) become (a cos - b sin, b cos + a sin).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Turn(Vector512<float> x, Vector512<float> cos, Vector512<float> sin) =>
        Vector512.FusedMultiplyAdd(x, cos, SwapPairs(x) * sin);

    /// <summary>Turns sixteen channels back: pairs (a, b) become (a cos + b sin, b cos - a sin).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> TurnBack(Vector512<float> x, Vector512<float> cos, Vector512<float> sin) =>
        Vector512.FusedMultiplyAdd(x, cos, -(SwapPairs(x) * sin));

    private static Vector512<float> EvenNegated
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0x0000_0000_8000_0000UL).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LoadPairs(float* source, int left) =>
        left >= Pairs ? Vector256.Load(source) : VectorMemory.LoadPartial(source, left).GetLower();

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
