using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine;

/// <summary>The format of <see cref="ElementType.BFloat16"/>: the upper half of a binary32.</summary>
public static class BrainFloat
{
    /// <summary>Half the distance between neighbouring numbers, relative to the lower: what rounding changes at most.</summary>
    public const double UnitRoundoff = 1.0 / 256;

    /// <summary>The bits of the nearest number, ties to even; NaN stays NaN.</summary>
    /// <param name="value">A float32.</param>
    public static ushort Narrow(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? 0x7fff : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The bits of the nearest numbers, ties to even; NaN stays NaN.</summary>
    /// <param name="values">Numbers of float32.</param>
    /// <param name="bits">Receives as many.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Narrow(ReadOnlySpan<float> values, Span<ushort> bits)
    {
        if (values.Length != bits.Length)
        {
            throw new ArgumentException($"{values.Length} numbers do not fit {bits.Length}", nameof(bits));
        }

        ReadOnlySpan<uint> words = MemoryMarshal.Cast<float, uint>(values);
        int i = 0;
        for (; i <= words.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            Vector512.Narrow(Round(words[i..]), Round(words[(i + Vector512<uint>.Count)..])).CopyTo(bits[i..]);
        }

        for (; i < values.Length; i++)
        {
            bits[i] = Narrow(values[i]);
        }

        static Vector512<uint> Round(ReadOnlySpan<uint> words)
        {
            Vector512<uint> word = Vector512.Create(words);
            Vector512<uint> rounded = (word + Vector512.Create(0x7fffu) + ((word >> 16) & Vector512<uint>.One)) >> 16;
            return Vector512.ConditionalSelect(Vector512.IsNaN(word.AsSingle()).AsUInt32(), Vector512.Create(0x7fffu), rounded);
        }
    }

    /// <summary>The number that bits stand for.</summary>
    /// <param name="bits">The upper half of a float32.</param>
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest number, ties to even.</summary>
    /// <param name="value">A float32.</param>
    public static float Round(float value) => Widen(Narrow(value));
}
