using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>The rotary embedding of sixteen channels: cosines and signed sines per channel, so that a turn is x cos + swap(x) sin.</summary>
internal readonly struct CpuRotaryAngles
{
    /// <summary>Channel pairs of a tile.</summary>
    internal const int Pairs = VectorMath.Lanes / 2;

    private readonly Vector512<float> cos;
    private readonly Vector512<float> signedSin;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CpuRotaryAngles(Vector512<float> cos, Vector512<float> signedSin) => (this.cos, this.signedSin) = (cos, signedSin);

    /// <summary>Loads the angles of up to eight pairs from rows of the tables.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe CpuRotaryAngles Load(float* cos, float* sin, int left)
    {
        Vector512<float> evenNegated = Vector512.Create(0x0000_0000_8000_0000UL).AsSingle();
        return left >= Pairs
            ? new(Duplicate(Vector256.Load(cos)), Duplicate(Vector256.Load(sin)) ^ evenNegated)
            : new(
                Duplicate(VectorMemory.LoadPartial(cos, left).GetLower()),
                Duplicate(VectorMemory.LoadPartial(sin, left).GetLower()) ^ evenNegated);
    }

    /// <summary>Pairs (a, b) become (a cos - b sin, b cos + a sin).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vector512<float> Turn(Vector512<float> x) => Vector512.FusedMultiplyAdd(x, cos, SwapPairs(x) * signedSin);

    /// <summary>Pairs (a, b) become (a cos + b sin, b cos - a sin).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vector512<float> TurnBack(Vector512<float> x) => Vector512.FusedMultiplyAdd(x, cos, -(SwapPairs(x) * signedSin));

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
