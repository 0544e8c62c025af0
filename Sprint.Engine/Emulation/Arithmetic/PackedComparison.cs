namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>
/// Compares two pairs of 16-bit numbers. The mode's low byte is the comparison: eq, ne, lt, le, gt, ge, then the same six where a NaN
/// makes them true, then whether both are numbers, then whether one is NaN. With <see cref="OneBit"/> a half is 1 where it holds, else all ones.
/// </summary>
internal readonly struct PackedComparison<TFormat> : IScalarMode<uint, uint>
    where TFormat : struct, IHalfFormat
{
    public const int OneBit = 256;

    public const int FlushBit = 512;

    public static uint Apply(uint a, uint b, uint c, int mode)
    {
        uint yes = (mode & OneBit) == 0 ? 0xFFFFu : TFormat.Narrow(1, RoundingMode.Nearest);
        uint low = Holds((ushort)a, (ushort)b, mode) ? yes : 0;
        uint high = Holds((ushort)(a >> 16), (ushort)(b >> 16), mode) ? yes : 0;
        return low | high << 16;
    }

    private static bool Holds(ushort a, ushort b, int mode)
    {
        int flush = (mode & FlushBit) != 0 ? RoundedMode.FlushBit : 0;
        float x = HalfMode<TFormat>.Source(a, flush), y = HalfMode<TFormat>.Source(b, flush);
        return (mode & 255) switch
        {
            0 => x == y,
            1 => x < y || x > y,
            2 => x < y,
            3 => x <= y,
            4 => x > y,
            5 => x >= y,
            6 => !(x < y || x > y),
            7 => x != y,
            8 => !(x >= y),
            9 => !(x > y),
            10 => !(x <= y),
            11 => !(x < y),
            12 => !float.IsNaN(x) && !float.IsNaN(y),
            _ => float.IsNaN(x) || float.IsNaN(y),
        };
    }
}
