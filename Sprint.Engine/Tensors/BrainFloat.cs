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

    /// <summary>The number that bits stand for.</summary>
    /// <param name="bits">The upper half of a float32.</param>
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest number, ties to even.</summary>
    /// <param name="value">A float32.</param>
    public static float Round(float value) => Widen(Narrow(value));
}
