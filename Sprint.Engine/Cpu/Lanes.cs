using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>Walks rows of float32 in vectors of 16 lanes; the last vector of a row may be partly filled.</summary>
internal static unsafe class Lanes
{
    /// <summary>Elements in a vector.</summary>
    internal const int Count = 16;

    /// <summary>Up to 16 elements, zeros behind the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Load(float* source, int remaining) =>
        remaining >= Count ? Vector512.Load(source) : VectorMemory.LoadPartial(source, remaining);

    /// <summary>Stores up to 16 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(Vector512<float> value, float* destination, int remaining)
    {
        if (remaining >= Count)
        {
            value.Store(destination);
        }
        else
        {
            VectorMemory.StorePartial(value, destination, remaining);
        }
    }

    /// <summary>The value in the lanes before the end, zero behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Clip(Vector512<float> value, int remaining) =>
        remaining >= Count ? value : value & VectorMemory.FirstLanes(remaining);

    /// <summary>The sum of the lanes, always in the same order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Sum(Vector512<float> value) => VectorMemory.Sum(value);

    /// <summary><c>destination (+)= value</c> for up to 16 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Contribute(Vector512<float> value, float* destination, int remaining, bool accumulate) =>
        Store(accumulate ? Load(destination, remaining) + value : value, destination, remaining);
}
