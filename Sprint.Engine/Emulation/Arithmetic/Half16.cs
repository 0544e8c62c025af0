using System.Runtime.CompilerServices;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>A 16-bit floating-point format.</summary>
internal interface IHalfFormat
{
    static abstract float Widen(ushort a);

    /// <summary>Rounds a value that was rounded to odd, once.</summary>
    static abstract ushort Narrow(double a, RoundingMode mode);
}

/// <summary>IEEE binary16.</summary>
internal readonly struct Binary16 : IHalfFormat
{
    public const ushort CanonicalNaN = 0x7FFF;

    public static float Widen(ushort a) => (float)BitConverter.UInt16BitsToHalf(a);

    public static ushort Narrow(double a, RoundingMode mode)
    {
        if (double.IsNaN(a))
            return CanonicalNaN;
        Half nearest = (Half)a;
        double value = (double)nearest;
        if (mode == RoundingMode.Nearest || value == a)
            return BitConverter.HalfToUInt16Bits(nearest);
        bool down = mode switch
        {
            RoundingMode.Zero => Math.Abs(value) > Math.Abs(a),
            RoundingMode.Down => value > a,
            _ => false,
        };
        bool up = mode == RoundingMode.Up && value < a;
        if (down)
            nearest = mode == RoundingMode.Zero && a < 0 ? Half.BitIncrement(nearest) : Half.BitDecrement(nearest);
        else if (up)
            nearest = Half.BitIncrement(nearest);
        return BitConverter.HalfToUInt16Bits(nearest);
    }
}

/// <summary>bfloat16: the upper half of a 32-bit number.</summary>
internal readonly struct BrainFloat16 : IHalfFormat
{
    public const ushort CanonicalNaN = 0x7FFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort a) => BitConverter.UInt32BitsToSingle((uint)a << 16);

    public static ushort Narrow(double a, RoundingMode mode)
    {
        float single = (float)a;
        if (single != a && !double.IsNaN(a))
        {
            // To odd, so that the second rounding sees that something was lost.
            if (float.IsInfinity(single) || Math.Abs((double)single) > Math.Abs(a))
                single = single > 0 ? MathF.BitDecrement(single) : MathF.BitIncrement(single);
            single = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(single) | 1);
        }
        return FromSingle(single, mode);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort FromSingle(float a, RoundingMode mode = RoundingMode.Nearest)
    {
        uint bits = BitConverter.SingleToUInt32Bits(a);
        if ((bits & 0x7FFFFFFF) > 0x7F800000)
            return CanonicalNaN;
        uint increment = mode switch
        {
            RoundingMode.Nearest => 0x7FFF + (bits >> 16 & 1),
            RoundingMode.Down => (bits & 0x80000000) != 0 ? 0xFFFFu : 0,
            RoundingMode.Up => (bits & 0x80000000) == 0 ? 0xFFFFu : 0,
            _ => 0,
        };
        return (ushort)(bits + increment >> 16);
    }
}

internal readonly struct HalfAdd<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode)
        => HalfMode<TFormat>.Finish(ExactRounding.AddToOdd(HalfMode<TFormat>.Source(a, mode), HalfMode<TFormat>.Source(b, mode)), mode);
}

internal readonly struct HalfSubtract<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode)
        => HalfMode<TFormat>.Finish(ExactRounding.AddToOdd(HalfMode<TFormat>.Source(a, mode), -HalfMode<TFormat>.Source(b, mode)), mode);
}

internal readonly struct HalfMultiply<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode)
        => HalfMode<TFormat>.Finish((double)HalfMode<TFormat>.Source(a, mode) * HalfMode<TFormat>.Source(b, mode), mode);
}

internal readonly struct HalfMultiplyAdd<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode)
    {
        double product = (double)HalfMode<TFormat>.Source(a, mode) * HalfMode<TFormat>.Source(b, mode);
        return HalfMode<TFormat>.Finish(ExactRounding.AddToOdd(product, HalfMode<TFormat>.Source(c, mode)), mode);
    }
}

internal readonly struct HalfMinimum<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode)
    {
        float left = HalfMode<TFormat>.Source(a, mode), right = HalfMode<TFormat>.Source(b, mode);
        return HalfMode<TFormat>.Finish((mode & HalfMode<TFormat>.NaNBit) != 0 ? MathF.Min(left, right) : float.MinNumber(left, right), mode);
    }
}

internal readonly struct HalfMaximum<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode)
    {
        float left = HalfMode<TFormat>.Source(a, mode), right = HalfMode<TFormat>.Source(b, mode);
        return HalfMode<TFormat>.Finish((mode & HalfMode<TFormat>.NaNBit) != 0 ? MathF.Max(left, right) : float.MaxNumber(left, right), mode);
    }
}

internal readonly struct HalfNegate<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode) => (ushort)(HalfMode<TFormat>.Flushed(a, mode) ^ 0x8000);
}

internal readonly struct HalfAbsolute<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode) => (ushort)(HalfMode<TFormat>.Flushed(a, mode) & 0x7FFF);
}

internal readonly struct HalfExponential2<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode) => HalfMode<TFormat>.Finish(Math.Pow(2, HalfMode<TFormat>.Source(a, mode)), mode);
}

internal readonly struct HalfHyperbolicTangent<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode) => HalfMode<TFormat>.Finish(Math.Tanh(HalfMode<TFormat>.Source(a, mode)), mode);
}

/// <summary>The operand, flushed where the mode says so.</summary>
internal readonly struct HalfFlush<TFormat> : IScalarMode<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, ushort b, ushort c, int mode) => HalfMode<TFormat>.Flushed(a, mode);
}

/// <summary>Both halves of packed registers.</summary>
internal readonly struct Packed<TOperator> : IScalarMode<uint, uint>
    where TOperator : struct, IScalarMode<ushort, ushort>
{
    public static uint Apply(uint a, uint b, uint c, int mode)
        => TOperator.Apply((ushort)a, (ushort)b, (ushort)c, mode)
            | (uint)TOperator.Apply((ushort)(a >> 16), (ushort)(b >> 16), (ushort)(c >> 16), mode) << 16;
}

/// <summary>What 16-bit instructions do beside their operation.</summary>
internal static class HalfMode<TFormat>
    where TFormat : struct, IHalfFormat
{
    public const int ReluBit = 32;
    public const int NaNBit = 64;

    private const float SmallestNormal = 6.103515625e-05f;

    public static float Source(ushort a, int mode)
    {
        float value = TFormat.Widen(a);
        return (mode & RoundedMode.FlushBit) != 0 && Math.Abs(value) < SmallestNormal ? float.CopySign(0, value) : value;
    }

    /// <summary>The bits, or a zero of their sign in place of a subnormal number.</summary>
    public static ushort Flushed(ushort a, int mode)
        => (mode & RoundedMode.FlushBit) != 0 && Math.Abs(TFormat.Widen(a)) < SmallestNormal ? (ushort)(a & 0x8000) : a;

    public static ushort Finish(double value, int mode)
    {
        if ((mode & RoundedMode.SaturateBit) != 0)
            value = !(value > 0) ? 0 : Math.Min(value, 1);
        // As the maximum with +0, so that -0 becomes +0 too.
        if ((mode & ReluBit) != 0 && double.IsNegative(value) && !double.IsNaN(value))
            value = 0;
        return Flushed(TFormat.Narrow(value, RoundedMode.Rounding(mode)), mode);
    }
}
