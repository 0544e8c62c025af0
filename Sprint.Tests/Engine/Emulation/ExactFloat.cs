using System.Numerics;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// A floating-point format of PTX and its arithmetic by definition: exact rational numbers, rounded once (IEEE 754). Values are bits.
/// </summary>
/// <param name="Name">The PTX type: f16, bf16, f32 or f64.</param>
/// <param name="Bits">Width.</param>
/// <param name="Precision">Bits of the significand, the hidden one included.</param>
/// <param name="Smallest">Exponent of the smallest subnormal number.</param>
internal sealed record ExactFloat(string Name, int Bits, int Precision, int Smallest)
{
    public static readonly ExactFloat F16 = new("f16", 16, 11, -24);

    public static readonly ExactFloat BF16 = new("bf16", 16, 8, -133);

    public static readonly ExactFloat F32 = new("f32", 32, 24, -149);

    public static readonly ExactFloat F64 = new("f64", 64, 53, -1074);

    public ulong Sign => 1ul << (Bits - 1);

    public ulong Infinity => Sign - (1ul << (Precision - 1));

    public ulong One => Infinity >> Precision << (Precision - 1);

    public ulong SmallestNormal => 1ul << (Precision - 1);

    /// <summary>The NaN that the hardware makes; of doubles, any.</summary>
    public ulong NaN => Sign - 1;

    public bool IsNaN(ulong x) => (x & ~Sign) > Infinity;

    public bool IsFinite(ulong x) => (x & ~Sign) < Infinity;

    public bool IsNegative(ulong x) => (x & Sign) != 0;

    public bool IsZero(ulong x) => (x & ~Sign) == 0;

    public ulong Flush(ulong x) => (x & ~Sign) < SmallestNormal ? x & Sign : x;

    public ulong Saturate(ulong x) => IsNaN(x) || IsNegative(x) ? 0 : Math.Min(x, One);

    /// <summary>The value of finite bits as an integer times a power of two.</summary>
    public (BigInteger Mantissa, int Exponent) Exact(ulong x)
    {
        ulong magnitude = x & ~Sign;
        int field = (int)(magnitude >> (Precision - 1));
        BigInteger mantissa = (magnitude & (SmallestNormal - 1)) + (field > 0 ? SmallestNormal : 0);
        return (IsNegative(x) ? -mantissa : mantissa, Smallest + Math.Max(field, 1) - 1);
    }

    /// <summary>The same value as a double, which holds those of all formats.</summary>
    public double Wide(ulong x)
    {
        if (IsNaN(x))
            return double.NaN;
        if (!IsFinite(x))
            return IsNegative(x) ? double.NegativeInfinity : double.PositiveInfinity;
        (BigInteger mantissa, int exponent) = Exact(x & ~Sign);
        double value = Math.ScaleB((double)mantissa, exponent);
        return IsNegative(x) ? -value : value;
    }

    /// <summary>Bits of numerator / denominator times a power of two, rounded as mode (rn, rz, rm, rp, rna) says; the numerator is not 0.</summary>
    public ulong Round(BigInteger numerator, BigInteger denominator, int exponent, string mode)
    {
        bool negative = numerator.Sign * denominator.Sign < 0;
        (numerator, denominator) = (BigInteger.Abs(numerator), BigInteger.Abs(denominator));
        // The last place that the result keeps: it may be one too low, then the quotient has a bit too many.
        int last = Math.Max(Smallest, (int)numerator.GetBitLength() - (int)denominator.GetBitLength() + exponent - Precision);
        BigInteger quotient;
        BigInteger rest;
        BigInteger unit;
        while (true)
        {
            BigInteger scaled = exponent >= last ? numerator << (exponent - last) : numerator;
            unit = exponent >= last ? denominator : denominator << (last - exponent);
            quotient = BigInteger.DivRem(scaled, unit, out rest);
            if ((int)quotient.GetBitLength() <= Precision)
                break;
            last++;
        }
        int half = (rest * 2).CompareTo(unit);
        bool up = mode switch
        {
            "rz" => false,
            "rm" => negative && !rest.IsZero,
            "rp" => !negative && !rest.IsZero,
            "rna" => half >= 0,
            _ => half > 0 || (half == 0 && !quotient.IsEven),
        };
        BigInteger bits = ((BigInteger)(last - Smallest) << (Precision - 1)) + quotient + (up ? 1 : 0);
        if (bits >= Infinity)
            bits = mode == "rz" || mode == (negative ? "rp" : "rm") ? Infinity - 1 : Infinity;
        return (ulong)bits | (negative ? Sign : 0);
    }

    /// <summary>Bits of a value that needs no rounding to be told: NaN, an infinity or a zero.</summary>
    public ulong Special(double x) => double.IsNaN(x) ? NaN : (double.IsNegative(x) ? Sign : 0) | (x == 0 ? 0 : Infinity);

    public ulong Add(ulong a, ulong b, string mode) => MultiplyAdd(a, One, b, mode);

    /// <summary>a * b + c, rounded once.</summary>
    public ulong MultiplyAdd(ulong a, ulong b, ulong c, string mode)
    {
        if (!IsFinite(a) || !IsFinite(b) || !IsFinite(c))
            return Special(IsFinite(a) && IsFinite(b) ? Wide(c) : Unit(a) * Unit(b) + (IsFinite(c) ? 0 : Wide(c)));
        ((BigInteger x, int e), (BigInteger y, int f), (BigInteger z, int g)) = (Exact(a), Exact(b), Exact(c));
        int common = Math.Min(e + f, g);
        BigInteger sum = (x * y << (e + f - common)) + (z << (g - common));
        if (!sum.IsZero)
            return Round(sum, 1, common, mode);
        // Zeros of one sign keep it; otherwise an exact zero is negative only when rounding down.
        bool negative = IsNegative(a) != IsNegative(b);
        return (negative == IsNegative(c) ? negative : mode == "rm") ? Sign : 0;
    }

    public ulong Multiply(ulong a, ulong b, string mode)
    {
        if (!IsFinite(a) || !IsFinite(b) || IsZero(a) || IsZero(b))
            return Special(Unit(a) * Unit(b));
        ((BigInteger x, int e), (BigInteger y, int f)) = (Exact(a), Exact(b));
        return Round(x * y, 1, e + f, mode);
    }

    public ulong Divide(ulong a, ulong b, string mode)
    {
        if (!IsFinite(a) || !IsFinite(b) || IsZero(a) || IsZero(b))
            return Special(Unit(a) / Unit(b));
        ((BigInteger x, int e), (BigInteger y, int f)) = (Exact(a), Exact(b));
        return Round(x, y, e - f, mode);
    }

    public ulong SquareRoot(ulong a, string mode)
    {
        if (!IsFinite(a) || IsZero(a) || IsNegative(a))
            return Special(Math.Sqrt(Unit(a)));
        (BigInteger mantissa, int exponent) = Exact(a);
        int shift = 2 * Precision + 10 + ((exponent & 1) == 0 ? 0 : 1);
        BigInteger square = mantissa << shift;
        BigInteger root = BigInteger.Zero;
        for (int bit = (int)square.GetBitLength() / 2; bit >= 0; bit--)
        {
            BigInteger candidate = root + (BigInteger.One << bit);
            if (candidate * candidate <= square)
                root = candidate;
        }
        // What is left over counts as half a place: a root is never halfway.
        return Round(root * 2 + (root * root == square ? 0 : 1), 1, (exponent - shift) / 2 - 1, mode);
    }

    /// <summary>A value of another format in this one.</summary>
    public ulong From(ExactFloat source, ulong x, string mode)
    {
        if (!source.IsFinite(x) || source.IsZero(x))
            return Special(source.Wide(x));
        (BigInteger mantissa, int exponent) = source.Exact(x);
        return Round(mantissa, 1, exponent, mode);
    }

    /// <summary>The smaller or greater operand; zeros are ordered by sign, and a NaN loses to a number unless it is to be kept.</summary>
    public ulong Extreme(ulong a, ulong b, bool greater, bool keepNaN)
    {
        if (IsNaN(a) || IsNaN(b))
            return keepNaN || (IsNaN(a) && IsNaN(b)) ? NaN : IsNaN(a) ? b : a;
        // Sign and magnitude as an integer in order.
        long Key(ulong x) => IsNegative(x) ? -(long)(x & ~Sign) - 1 : (long)x;
        return Key(a) > Key(b) == greater ? a : b;
    }

    // Stands for the operand where only its class and sign matter.
    private double Unit(ulong x) => IsFinite(x) && !IsZero(x) ? IsNegative(x) ? -1 : 1 : Wide(x);
}
