using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>What a conversion does beside changing the type, packed into one number.</summary>
internal static class ConversionMode
{
    public const int FlushBit = 8;
    public const int SaturateBit = 16;
    public const int ReluBit = 32;

    /// <summary>Clamped to [0, 1] where the mode says so, NaN to +0.</summary>
    public static double Saturated(double a, int mode) => (mode & SaturateBit) == 0 ? a : a > 0 ? Math.Min(a, 1) : 0;

    /// <summary>Rounds to an integer in the given direction.</summary>
    public static double RoundToInteger(double a, int mode) => RoundedMode.Rounding(mode) switch
    {
        RoundingMode.Nearest => Math.Round(a, MidpointRounding.ToEven),
        RoundingMode.Zero => Math.Truncate(a),
        RoundingMode.Down => Math.Floor(a),
        RoundingMode.Up => Math.Ceiling(a),
        _ => Math.Round(a, MidpointRounding.AwayFromZero),
    };
}

/// <summary>A conversion of one value; the mode holds rounding and flags.</summary>
internal interface IConversion<TSource, TResult>
{
    static abstract TResult Apply(TSource a, int mode);
}

/// <summary>Between integer types, wrapping or saturating.</summary>
internal readonly struct IntegerToInteger<TSource, TResult> : IConversion<TSource, TResult>
    where TSource : unmanaged, IBinaryInteger<TSource>
    where TResult : unmanaged, IBinaryInteger<TResult>
{
    public static TResult Apply(TSource a, int mode)
        => (mode & ConversionMode.SaturateBit) != 0 ? TResult.CreateSaturating(a) : TResult.CreateTruncating(a);
}

/// <summary>
/// From floating point to integers: out of range clamps; NaN gives the top bit alone, but 0 where neither the source nor the result has 64 bits
/// (PTX ISA, <c>cvt</c>, integer rounding modifiers).
/// </summary>
internal readonly struct SingleToInteger<TResult> : IConversion<float, TResult>
    where TResult : unmanaged, IBinaryInteger<TResult>
{
    public static TResult Apply(float a, int mode)
        => float.IsNaN(a) && Unsafe.SizeOf<TResult>() < 8
            ? TResult.Zero
            : DoubleToInteger<TResult>.Apply((mode & ConversionMode.FlushBit) != 0 ? Single32.Flush(a) : a, mode);
}

internal readonly struct DoubleToInteger<TResult> : IConversion<double, TResult>
    where TResult : unmanaged, IBinaryInteger<TResult>
{
    public static TResult Apply(double a, int mode)
    {
        if (double.IsNaN(a))
            return TResult.CreateTruncating(1ul << 8 * Unsafe.SizeOf<TResult>() - 1);
        return TResult.CreateSaturating(ConversionMode.RoundToInteger(a, mode));
    }
}

internal readonly struct HalfToInteger<TFormat, TResult> : IConversion<ushort, TResult>
    where TFormat : struct, IHalfFormat
    where TResult : unmanaged, IBinaryInteger<TResult>
{
    public static TResult Apply(ushort a, int mode) => SingleToInteger<TResult>.Apply(TFormat.Widen(a), mode & ~ConversionMode.FlushBit);
}

internal readonly struct IntegerToSingle<TSource> : IConversion<TSource, float>
    where TSource : unmanaged, IBinaryInteger<TSource>
{
    public static float Apply(TSource a, int mode)
    {
        // Up to 32 bits fit a double, which is then rounded once.
        float result = Unsafe.SizeOf<TSource>() <= 4
            ? ExactRounding.ToSingle(double.CreateTruncating(a), RoundedMode.Rounding(mode))
            : ExactRounding.ToSingle(BigInteger.CreateTruncating(a), RoundedMode.Rounding(mode));
        return (mode & ConversionMode.SaturateBit) != 0 ? Single32.Saturate(result) : result;
    }
}

internal readonly struct IntegerToDouble<TSource> : IConversion<TSource, double>
    where TSource : unmanaged, IBinaryInteger<TSource>
{
    public static double Apply(TSource a, int mode)
        => ConversionMode.Saturated(
            Unsafe.SizeOf<TSource>() <= 4
                ? double.CreateTruncating(a)
                : ExactRounding.ToDouble(BigInteger.CreateTruncating(a), 0, false, RoundedMode.Rounding(mode)),
            mode);
}

internal readonly struct IntegerToHalf<TFormat, TSource> : IConversion<TSource, ushort>
    where TFormat : struct, IHalfFormat
    where TSource : unmanaged, IBinaryInteger<TSource>
{
    public static ushort Apply(TSource a, int mode)
    {
        double exact = double.CreateTruncating(a);
        // More than 53 bits are far beyond binary16 and far longer than bfloat16: to odd keeps what matters.
        if (Unsafe.SizeOf<TSource>() == 8)
        {
            exact = ExactRounding.ToDouble(BigInteger.CreateTruncating(a), 0, false, RoundingMode.Zero);
            if (BigInteger.CreateTruncating(a) != new BigInteger(exact))
                exact = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(exact) | 1);
        }
        return TFormat.Narrow(ConversionMode.Saturated(exact, mode), RoundedMode.Rounding(mode));
    }
}

/// <summary>To 32-bit floating point of the same type: rounds to an integer where bit 6 of the mode says so.</summary>
internal readonly struct SingleToSingle : IConversion<float, float>
{
    public const int IntegerBit = 64;

    public static float Apply(float a, int mode)
    {
        a = (mode & ConversionMode.FlushBit) != 0 ? Single32.Flush(a) : a;
        if ((mode & IntegerBit) != 0)
            a = (float)ConversionMode.RoundToInteger(a, mode);
        a = (mode & ConversionMode.SaturateBit) != 0 ? Single32.Saturate(a) : a;
        return Single32.Canonical(a);
    }
}

internal readonly struct DoubleToDouble : IConversion<double, double>
{
    public static double Apply(double a, int mode)
    {
        if ((mode & SingleToSingle.IntegerBit) != 0)
            a = ConversionMode.RoundToInteger(a, mode);
        return ConversionMode.Saturated(a, mode);
    }
}

internal readonly struct SingleToDouble : IConversion<float, double>
{
    public static double Apply(float a, int mode)
    {
        double value = (mode & ConversionMode.FlushBit) != 0 ? Single32.Flush(a) : a;
        return ConversionMode.Saturated(value, mode);
    }
}

internal readonly struct DoubleToSingle : IConversion<double, float>
{
    public static float Apply(double a, int mode) => RoundedMode.Result(ExactRounding.ToSingle(a, RoundedMode.Rounding(mode)), mode);
}

internal readonly struct HalfToSingle<TFormat> : IConversion<ushort, float>
    where TFormat : struct, IHalfFormat
{
    public static float Apply(ushort a, int mode) => RoundedMode.Result(Single32.Canonical(TFormat.Widen(a)), mode);
}

internal readonly struct HalfToDouble<TFormat> : IConversion<ushort, double>
    where TFormat : struct, IHalfFormat
{
    public static double Apply(ushort a, int mode) => ConversionMode.Saturated(TFormat.Widen(a), mode);
}

internal readonly struct SingleToHalf<TFormat> : IConversion<float, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(float a, int mode)
    {
        a = (mode & ConversionMode.FlushBit) != 0 ? Single32.Flush(a) : a;
        return HalfMode<TFormat>.Finish(a, mode & ~ConversionMode.FlushBit);
    }
}

internal readonly struct DoubleToHalf<TFormat> : IConversion<double, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(double a, int mode) => HalfMode<TFormat>.Finish(a, mode);
}

internal readonly struct HalfToHalf<TFormat> : IConversion<ushort, ushort>
    where TFormat : struct, IHalfFormat
{
    public static ushort Apply(ushort a, int mode)
    {
        double value = TFormat.Widen(a);
        if ((mode & SingleToSingle.IntegerBit) != 0)
            value = ConversionMode.RoundToInteger(value, mode);
        return HalfMode<TFormat>.Finish(value, mode & ~SingleToSingle.IntegerBit);
    }
}

/// <summary>To TF32: ten bits of mantissa, ties away from zero.</summary>
internal readonly struct SingleToTensorFloat : IConversion<float, float>
{
    public static float Apply(float a, int mode)
    {
        uint bits = BitConverter.SingleToUInt32Bits(a);
        if (float.IsNaN(a))
            return BitConverter.UInt32BitsToSingle(Single32.CanonicalNaN);
        if ((mode & ConversionMode.ReluBit) != 0 && (bits & 0x80000000) != 0)
            return 0;
        if (float.IsInfinity(a))
            return a;
        uint increment = RoundedMode.Rounding(mode) switch
        {
            RoundingMode.NearestAway => 0x1000u,
            RoundingMode.Nearest => 0xFFF + (bits >> 13 & 1),
            _ => 0,
        };
        return BitConverter.UInt32BitsToSingle(bits + increment & ~0x1FFFu);
    }
}

/// <summary>Two integers, saturated to a few bits each and packed, a above b; what is left above them is the low bits of c. The mode is the bits, negative for signed ones.</summary>
internal readonly struct PackSaturated : IScalarMode<int, int>
{
    public static int Apply(int a, int b, int c, int mode)
    {
        int bits = Math.Abs(mode);
        int least = mode < 0 ? -(1 << (bits - 1)) : 0, most = (1 << (mode < 0 ? bits - 1 : bits)) - 1;
        uint mask = (1u << bits) - 1;
        ulong packed = (uint)Math.Clamp(b, least, most) & mask | ((uint)Math.Clamp(a, least, most) & mask) << bits;
        return (int)(packed | (ulong)(uint)c << 2 * bits);
    }
}

/// <summary>Two floats packed into 16-bit halves: a above b.</summary>
internal readonly struct PackHalves<TFormat> : IScalarMode<float, uint>
    where TFormat : struct, IHalfFormat
{
    public static uint Apply(float a, float b, float c, int mode)
        => (uint)SingleToHalf<TFormat>.Apply(a, mode) << 16 | SingleToHalf<TFormat>.Apply(b, mode);
}
