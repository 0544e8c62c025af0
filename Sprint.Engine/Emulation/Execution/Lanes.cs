using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Lane masks as vectors.</summary>
internal static class Lanes
{
    public const int Count = 32;

    public const uint All = uint.MaxValue;

    /// <summary>All-ones elements for the active lanes among those that a vector beginning at lane <paramref name="first"/> holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Mask<T>(uint active, int first)
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() == 4)
        {
            Vector512<uint> bits = Vector512.Create(1u, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
            return Vector512.Equals(Vector512.Create(active >> first) & bits, bits).As<uint, T>();
        }
        if (Unsafe.SizeOf<T>() == 8)
        {
            Vector512<ulong> bits = Vector512.Create(1ul, 2, 4, 8, 16, 32, 64, 128);
            return Vector512.Equals(Vector512.Create((ulong)(active >> first)) & bits, bits).As<ulong, T>();
        }
        Vector256<ushort> half = Vector256.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        Vector512<ushort> lanes = Vector512.Create(half, half);
        Vector512<ushort> spread = Vector512.Create(Vector256.Create((ushort)active), Vector256.Create((ushort)(active >> 16)));
        return Vector512.Equals(spread & lanes, lanes).As<ushort, T>();
    }

    /// <summary>Writes the active lanes of a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store<T>(uint active, T* destination, int first, Vector512<T> value)
        where T : unmanaged
        => Vector512.ConditionalSelect(Mask<T>(active, first), value, Vector512.LoadAligned(destination + first)).StoreAligned(destination + first);

    /// <summary>"lanes 0-3, 7" of a mask.</summary>
    public static string Describe(uint mask)
    {
        List<string> ranges = [];
        for (int lane = 0; lane < Count; lane++)
        {
            if ((mask >> lane & 1) == 0)
                continue;
            int last = lane;
            while (last < Count - 1 && (mask >> (last + 1) & 1) != 0)
                last++;
            ranges.Add(last > lane ? $"{lane}-{last}" : $"{lane}");
            lane = last;
        }
        return (ranges.Count == 1 && !ranges[0].Contains('-') ? "lane " : "lanes ") + string.Join(", ", ranges);
    }
}
