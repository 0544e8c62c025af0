using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Elementary functions on sixteen single-precision lanes. Every lane goes through the same fused operations on every machine,
/// so results have the same bits whether the hardware has 512, 256 or 128-bit registers.
/// </summary>
internal static class VectorMath
{
    /// <summary>Lanes of a vector.</summary>
    internal const int Lanes = 16;

    // 1.5 * 2^23: adding it rounds to the nearest integer, which is then found in the low bits of the sum.
    private const float RoundingShift = 12582912f;

    private const float LogBase2OfE = 1.44269502f;

    // ln 2 in two parts; the first has 15 bits, so its product with any exponent is exact.
    private const float LogOf2High = 0.693145752f;
    private const float LogOf2Low = 1.42860677e-06f;

    // exp(x) overflows to infinity above the first and rounds to zero below the second.
    private const float ExpOverflow = 89f;
    private const float ExpUnderflow = -104f;

    // Below this the fast exponential's result would leave the normal range, so it is zero.
    private const float ExpFlush = -86.5f;

    // The least exponent that the fast power of two takes.
    private const float Exp2Flush = -125f;

    // 2 sqrt(2/pi), and that times 3 * 0.044715: the derivative of GELU's 2u.
    private const float GeluLinear = 1.59576917f;
    private const float GeluCubicSlope = 0.214064449f;

    // -2 sqrt(2/pi) / ln 2, and that times 0.044715: GELU's -2u as a power of two.
    private const float GeluPowerLinear = -2.30220819f;
    private const float GeluPowerCubic = -0.102943242f;

    // Beyond these GELU and SiLU are x or 0 to the last bit; clamping there keeps infinity times zero away.
    private const float GeluSaturation = 20f;
    private const float SiluSaturation = 200f;

    /// <summary>e^x within 1 ulp; overflow gives infinity, underflow goes gradually to zero, NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp(Vector512<float> x)
    {
        x = Clamp(x, ExpUnderflow, ExpOverflow);
        Vector512<float> mantissa = ReduceExp(x, out Vector512<int> exponent);

        // Two factors: one alone cannot hold 2^128 or 2^-150. The first product is exact, the second rounds once.
        Vector512<int> half = exponent >> 1;
        return mantissa * PowerOf2(half) * PowerOf2(exponent - half);
    }

    /// <summary>
    /// e^x within 1 ulp for x at most 0, as a softmax needs it: cheaper than <see cref="Exp"/>; zero below -86.5, minus infinity included.
    /// NaN stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> ExpNonPositive(Vector512<float> x)
    {
        Vector512<float> vanishes = Vector512.LessThan(x, Vector512.Create(ExpFlush));
        Vector512<float> mantissa = ReduceExp(x, out Vector512<int> exponent);
        Vector512<float> scaled = (mantissa.AsInt32() + (exponent << 23)).AsSingle();
        return Vector512.AndNot(scaled, vanishes);
    }

    /// <summary>
    /// 2^x within 1 ulp for x at most 0, as a softmax needs it in its inner loop. Below -125 the result stays at 2^-125: no weight that matters,
    /// and no comparison to be paid for. Exactly 1 at 0. NaN stays. Slightly positive x, from rounding, is fine.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp2NonPositive(Vector512<float> x) =>
        Exp2(Vector512.MaxNative(Vector512.Create(Exp2Flush), x));

    // 2^x within 2 ulp for x from -125 to 128, exact where x is an integer; infinity at 128.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp2(Vector512<float> x)
    {
        Vector512<float> shift = Vector512.Create(RoundingShift);
        Vector512<float> shifted = x + shift;
        Vector512<float> r = x - (shifted - shift);
        Vector512<float> series = Vector512.Create(0.000153532586f);
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.00133990031f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.00961843878f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.0555033199f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.240226477f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.693147182f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512<float>.One);

        // The low bits of the shifted value are the exponent; the shift pushes the others out.
        return (series.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();
    }

    /// <summary>ln x within 2 ulp for positive, normal x; anything else gives no meaningful result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> LogPositive(Vector512<float> x)
    {
        // x = 2^exponent (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
        Vector512<int> exponent = (x.AsInt32() - Vector512.Create(0x3F3504F3)) >> 23;
        Vector512<float> f = (x.AsInt32() - (exponent << 23)).AsSingle() - Vector512<float>.One;
        Vector512<float> whole = Vector512.ConvertToSingle(exponent);
        Vector512<float> series = Vector512.Create(0.0674775541f);
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(-0.116775043f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(0.118886791f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(-0.124053404f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(0.142194554f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(-0.166680053f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(0.200021237f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(-0.250000089f));
        series = Vector512.FusedMultiplyAdd(series, f, Vector512.Create(0.333333135f));
        Vector512<float> square = f * f;
        Vector512<float> tail = Vector512.FusedMultiplyAdd(series * f, square, whole * Vector512.Create(LogOf2Low));
        tail = Vector512.FusedMultiplyAdd(square, Vector512.Create(-0.5f), tail);
        return Vector512.FusedMultiplyAdd(whole, Vector512.Create(LogOf2High), f + tail);
    }

    /// <summary>tanh x within 2 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Tanh(Vector512<float> x)
    {
        Vector512<float> magnitude = Vector512.Abs(x);
        Vector512<float> square = x * x;
        Vector512<float> series = Vector512.Create(-0.00570497755f);
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(0.0206390787f));
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(-0.0537397116f));
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(0.133314416f));
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(-0.333332807f));
        Vector512<float> small = Vector512.FusedMultiplyAdd(series * square, x, x);

        Vector512<float> decay = ExpNonPositive(magnitude * -2f);
        Vector512<float> one = Vector512<float>.One;
        Vector512<float> large = one - (decay + decay) / (one + decay);
        Vector512<float> sign = x & Vector512.Create(-0f);
        return Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0.625f)), small, large) | sign;
    }

    /// <summary>1/(1 + e^-x) within 3 ulp, also where the result is subnormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Sigmoid(Vector512<float> x)
    {
        Vector512<float> one = Vector512<float>.One;
        Vector512<float> decay = Exp(-Vector512.Abs(x));
        Vector512<float> numerator = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), decay, one);
        return numerator / (one + decay);
    }

    /// <summary>
    /// GELU in its tanh form, x/2 (1 + tanh u) = x sigmoid(2u) = x / (1 + 2^-t) with t = 2u/ln 2 and u = sqrt(2/pi)(x + 0.044715 x^3).
    /// This form has no cancellation in the negative tail. Minus infinity gives -0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Gelu(Vector512<float> x)
    {
        x = Vector512.MaxNative(Vector512.Create(-GeluSaturation), x);

        // The power is exactly infinite at 128.
        Vector512<float> t = GeluExponent(x, x * x);
        Vector512<float> power = Exp2(Vector512.MinNative(Vector512.Create(128f), Vector512.MaxNative(Vector512.Create(Exp2Flush), t)));
        return x / (Vector512<float>.One + power);
    }

    /// <summary>d GELU / dx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> GeluDerivative(Vector512<float> x)
    {
        Vector512<float> limit = Vector512.Create(GeluSaturation);
        x = Vector512.MinNative(limit, Vector512.MaxNative(-limit, x));
        Vector512<float> square = x * x;
        Vector512<float> slope = Vector512.FusedMultiplyAdd(Vector512.Create(GeluCubicSlope), square, Vector512.Create(GeluLinear));
        Vector512<float> t = GeluExponent(x, square);
        Vector512<float> lowest = Vector512.Create(Exp2Flush);
        Vector512<float> magnitude = -Vector512.Abs(t);
        Vector512<float> decay = Vector512.AndNot(Exp2(Vector512.MaxNative(lowest, magnitude)), Vector512.LessThan(magnitude, lowest));
        return SwishDerivative(decay, Vector512.GreaterThan(t, Vector512<float>.Zero), x * slope);
    }

    /// <summary>SiLU, x sigmoid(x), within 4 ulp while the sigmoid is normal. Minus infinity gives -0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Silu(Vector512<float> x)
    {
        x = ClampBelow(x, -SiluSaturation);
        return x * Sigmoid(x);
    }

    /// <summary>d SiLU / dx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> SiluDerivative(Vector512<float> x)
    {
        x = Clamp(x, -SiluSaturation, SiluSaturation);
        return SwishDerivative(Exp(-Vector512.Abs(x)), Vector512.LessThan(x, Vector512<float>.Zero), x);
    }

    /// <summary>SiLU and its derivative, by one exponential.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Silu(Vector512<float> x, out Vector512<float> derivative)
    {
        Vector512<float> one = Vector512<float>.One;
        Vector512<float> value = ClampBelow(x, -SiluSaturation);
        x = Clamp(x, -SiluSaturation, SiluSaturation);
        Vector512<float> decay = Exp(-Vector512.Abs(x));
        Vector512<float> negative = Vector512.LessThan(x, Vector512<float>.Zero);
        derivative = SwishDerivative(decay, negative, x);
        return value * (Vector512.ConditionalSelect(negative, decay, one) / (one + decay));
    }

    /// <summary>1/sqrt(x) within 1.5 ulp: rounded twice, as square root and as quotient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> ReciprocalSqrt(Vector512<float> x) => Vector512<float>.One / Vector512.Sqrt(x);

    // s + slope s (1 - s), s a sigmoid whose argument has decay = e^-|argument|; s (1 - s) = decay/(1 + decay)^2 has no cancellation.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SwishDerivative(Vector512<float> decay, Vector512<float> negative, Vector512<float> slope)
    {
        Vector512<float> one = Vector512<float>.One;
        Vector512<float> reciprocal = one / (one + decay);
        Vector512<float> other = decay * reciprocal;
        return Vector512.FusedMultiplyAdd(slope, other * reciprocal, Vector512.ConditionalSelect(negative, other, reciprocal));
    }

    // -t: the power of two in GELU's denominator.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluExponent(Vector512<float> x, Vector512<float> square) =>
        x * Vector512.FusedMultiplyAdd(Vector512.Create(GeluPowerCubic), square, Vector512.Create(GeluPowerLinear));

    // x = exponent * ln 2 + r with |r| <= ln(2)/2; the result is e^r, in [0.707, 1.415].
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ReduceExp(Vector512<float> x, out Vector512<int> exponent)
    {
        Vector512<float> shift = Vector512.Create(RoundingShift);
        Vector512<float> shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(LogBase2OfE), shift);
        exponent = shifted.AsInt32() - shift.AsInt32();
        Vector512<float> whole = shifted - shift;
        Vector512<float> r = Vector512.FusedMultiplyAdd(whole, Vector512.Create(-LogOf2High), x);
        r = Vector512.FusedMultiplyAdd(whole, Vector512.Create(-LogOf2Low), r);

        Vector512<float> series = Vector512.Create(0.00138144288f);
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.00836879667f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.0416683964f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.166665196f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512.Create(0.49999994f));
        series = Vector512.FusedMultiplyAdd(series, r, Vector512<float>.One);
        return Vector512.FusedMultiplyAdd(series, r, Vector512<float>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOf2(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();

    // Comparisons rather than minimum and maximum, whose treatment of NaN differs between machines.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Clamp(Vector512<float> x, float low, float high)
    {
        Vector512<float> highest = Vector512.Create(high);
        return ClampBelow(Vector512.ConditionalSelect(Vector512.GreaterThan(x, highest), highest, x), low);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ClampBelow(Vector512<float> x, float low)
    {
        Vector512<float> lowest = Vector512.Create(low);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, lowest), lowest, x);
    }
}
