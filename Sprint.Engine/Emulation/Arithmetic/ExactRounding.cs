using System.Numerics;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>
/// Operations rounded once in any direction. 32-bit results go over a double that was rounded to odd, which loses nothing
/// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd"); 64-bit
/// results are exact integers until they are rounded.
/// </summary>
internal static class ExactRounding
{
    /// <summary>The float that a double rounded to odd stands for.</summary>
    public static float ToSingle(double x, RoundingMode mode)
    {
        float nearest = (float)x;
        if (mode == RoundingMode.Nearest || nearest == x || double.IsNaN(x))
            return Single32.Canonical(nearest);
        return mode switch
        {
            RoundingMode.Zero when x > 0 => nearest > x ? MathF.BitDecrement(nearest) : nearest,
            RoundingMode.Zero => nearest < x ? MathF.BitIncrement(nearest) : nearest,
            RoundingMode.Down => nearest > x ? MathF.BitDecrement(nearest) : nearest,
            RoundingMode.Up => nearest < x ? MathF.BitIncrement(nearest) : nearest,
            _ => Away(x, nearest),
        };
    }

    /// <summary>a + b rounded to odd.</summary>
    public static double AddToOdd(double a, double b)
    {
        double sum = a + b;
        if (!double.IsFinite(sum))
            return sum;
        double shadow = sum - a;
        double error = (a - (sum - shadow)) + (b - shadow);
        return ToOdd(sum, error);
    }

    /// <summary>a / b of floats rounded to odd.</summary>
    public static double DivideToOdd(float a, float b)
    {
        double quotient = (double)a / b;
        if (!double.IsFinite(quotient) || quotient == 0)
            return quotient;
        return ToOdd(quotient, Math.FusedMultiplyAdd(-quotient, b, a) * Math.Sign(b));
    }

    /// <summary>The square root of a float rounded to odd.</summary>
    public static double RootToOdd(float a)
    {
        double root = Math.Sqrt(a);
        return double.IsFinite(root) && root != 0 ? ToOdd(root, Math.FusedMultiplyAdd(-root, root, a)) : root;
    }

    public static float Add(float a, float b, RoundingMode mode)
        => ExactZero(a, b, mode) ? ZeroSum(a, b, mode) : ToSingle(AddToOdd(a, b), mode);

    public static float Multiply(float a, float b, RoundingMode mode) => ToSingle((double)a * b, mode);

    public static float MultiplyAdd(float a, float b, float c, RoundingMode mode)
    {
        double product = (double)a * b;
        return product == -c && float.IsFinite(c) ? (float)ZeroSumDouble(product, c, mode) : ToSingle(AddToOdd(product, c), mode);
    }

    public static double Add(double a, double b, RoundingMode mode) => MultiplyAdd(a, 1, b, mode);

    public static double MultiplyAdd(double a, double b, double c, RoundingMode mode)
    {
        double nearest = Math.FusedMultiplyAdd(a, b, c);
        if (mode == RoundingMode.Nearest || !double.IsFinite(a) || !double.IsFinite(b) || !double.IsFinite(c))
            return nearest;
        (BigInteger left, int leftExponent) = Exact(a);
        (BigInteger right, int rightExponent) = Exact(b);
        (BigInteger addend, int addendExponent) = Exact(c);
        BigInteger product = left * right;
        int exponent = leftExponent + rightExponent;
        int common = Math.Min(exponent, addendExponent);
        BigInteger sum = (product << (exponent - common)) + (addend << (addendExponent - common));
        if (sum.IsZero)
            return product.IsZero || addend.IsZero ? ZeroSumDouble(a * b, c, mode) : mode == RoundingMode.Down ? -0.0 : 0.0;
        return ToDouble(sum, common, false, mode);
    }

    /// <summary>a * b rounded, with the sign of a zero product right.</summary>
    public static double Multiply(double a, double b, RoundingMode mode)
    {
        double nearest = a * b;
        if (mode == RoundingMode.Nearest || !double.IsFinite(a) || !double.IsFinite(b) || a == 0 || b == 0)
            return nearest;
        (BigInteger left, int leftExponent) = Exact(a);
        (BigInteger right, int rightExponent) = Exact(b);
        return ToDouble(left * right, leftExponent + rightExponent, false, mode);
    }

    public static double Divide(double a, double b, RoundingMode mode)
    {
        double nearest = a / b;
        if (mode == RoundingMode.Nearest || !double.IsFinite(a) || !double.IsFinite(b) || a == 0 || b == 0)
            return nearest;
        (BigInteger left, int leftExponent) = Exact(a);
        (BigInteger right, int rightExponent) = Exact(b);
        int shift = Math.Max(0, 60 + (int)right.GetBitLength() - (int)left.GetBitLength());
        BigInteger quotient = BigInteger.DivRem(left << shift, right, out BigInteger rest);
        if (quotient.IsZero)
            return nearest;
        return ToDouble(quotient, leftExponent - rightExponent - shift, !rest.IsZero, mode);
    }

    public static double SquareRoot(double a, RoundingMode mode)
    {
        double nearest = Math.Sqrt(a);
        if (mode == RoundingMode.Nearest || !double.IsFinite(nearest) || a == 0)
            return nearest;
        (BigInteger mantissa, int exponent) = Exact(a);
        int shift = 120 + ((exponent & 1) != 0 ? 1 : 0);
        BigInteger scaled = mantissa << shift;
        BigInteger root = new(nearest * Math.ScaleB(1, -(exponent - shift) / 2));
        for (int k = 0; k < 3; k++)
            root = root + scaled / root >> 1;
        while (root * root > scaled)
            root--;
        while ((root + 1) * (root + 1) <= scaled)
            root++;
        return ToDouble(root, (exponent - shift) / 2, root * root != scaled, mode);
    }

    /// <summary>Mantissa times a power of two, plus a bit more if <paramref name="sticky"/>, rounded to double.</summary>
    public static double ToDouble(BigInteger mantissa, int exponent, bool sticky, RoundingMode mode)
        => Round(mantissa, exponent, sticky, mode, 53, -1074, 971);

    /// <summary>An integer rounded to float.</summary>
    public static float ToSingle(BigInteger value, RoundingMode mode) => (float)Round(value, 0, false, mode, 24, -149, 104);

    private static double Round(BigInteger mantissa, int exponent, bool sticky, RoundingMode mode, int precision, int minimumExponent, int maximumExponent)
    {
        if (mantissa.IsZero)
            return 0;
        bool negative = mantissa.Sign < 0;
        BigInteger magnitude = BigInteger.Abs(mantissa);
        int drop = Math.Max((int)magnitude.GetBitLength() - precision, minimumExponent - exponent);
        if (drop > 0)
        {
            BigInteger kept = magnitude >> drop;
            BigInteger rest = magnitude - (kept << drop);
            BigInteger half = BigInteger.One << (drop - 1);
            bool inexact = sticky || !rest.IsZero;
            int order = rest.CompareTo(half);
            bool up = mode switch
            {
                RoundingMode.Zero => false,
                RoundingMode.Down => negative && inexact,
                RoundingMode.Up => !negative && inexact,
                RoundingMode.NearestAway => order >= 0,
                _ => order > 0 || (order == 0 && (sticky || !kept.IsEven)),
            };
            magnitude = kept + (up ? 1 : 0);
            exponent += drop;
        }
        double result = Math.ScaleB((double)magnitude, exponent);
        if ((int)magnitude.GetBitLength() + exponent > maximumExponent + precision)
        {
            bool toLargest = mode == RoundingMode.Zero || (mode == RoundingMode.Down && !negative) || (mode == RoundingMode.Up && negative);
            result = toLargest ? Math.ScaleB((double)((1ul << precision) - 1), maximumExponent) : double.PositiveInfinity;
        }
        return negative ? -result : result;
    }

    private static (BigInteger Mantissa, int Exponent) Exact(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        int biased = (int)(bits >> 52) & 0x7FF;
        long mantissa = bits & 0xFFFFFFFFFFFFF;
        if (biased != 0)
            mantissa |= 1L << 52;
        return (bits < 0 ? -mantissa : mantissa, Math.Max(biased, 1) - 1075);
    }

    private static double ToOdd(double nearest, double error)
    {
        long bits = BitConverter.DoubleToInt64Bits(nearest);
        if (error == 0 || (bits & 1) != 0)
            return nearest;
        return error > 0 ? Math.BitIncrement(nearest) : Math.BitDecrement(nearest);
    }

    private static float Away(double x, float nearest)
    {
        float other = nearest > x ? MathF.BitDecrement(nearest) : MathF.BitIncrement(nearest);
        bool tie = Math.Abs(nearest - x) == Math.Abs(other - x);
        return tie && Math.Abs((double)other) > Math.Abs((double)nearest) ? other : nearest;
    }

    private static bool ExactZero(float a, float b, RoundingMode mode) => mode == RoundingMode.Down && a == -b && float.IsFinite(a);

    private static float ZeroSum(float a, float b, RoundingMode mode) => (float)ZeroSumDouble(a, b, mode);

    // x + -x is +0, but -0 when rounding down; zeros of one sign keep it.
    private static double ZeroSumDouble(double a, double b, RoundingMode mode)
    {
        double sum = a + b;
        bool sameSign = double.IsNegative(a) == double.IsNegative(b);
        return mode == RoundingMode.Down && sum == 0 && !sameSign ? -0.0 : sum;
    }
}
