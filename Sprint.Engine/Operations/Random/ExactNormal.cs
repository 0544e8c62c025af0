using System.Runtime.CompilerServices;

namespace Sprint.Engine.Operations;

/// <summary>
/// Standard normal numbers by Box and Muller with the same bits on every device: logarithm, sine and cosine are written out in IEEE
/// additions, products, quotients, roots and fused multiply-adds, operation by operation as in kernels/common/normal.cuh.
/// Errors of logarithm, sine and cosine stay within 2 units in the last place.
/// </summary>
public static class ExactNormal
{
    private const float UnitOfUniform = 1f / (1 << 24);

    /// <summary>Two words as two independent standard normal numbers.</summary>
    /// <param name="radiusWord">Gives the radius, from a uniform number in (0, 1].</param>
    /// <param name="angleWord">Gives the angle.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (float First, float Second) Pair(uint radiusWord, uint angleWord)
    {
        float radius = MathF.Sqrt(-2f * Logarithm(((radiusWord >> 8) + 1) * UnitOfUniform));
        (float cosine, float sine) = CosineSine((angleWord >> 8) * UnitOfUniform);
        return (radius * cosine, radius * sine);
    }

    /// <summary>ln(x). With x = 2^e m and s = (m - 1)/(m + 1): e ln 2 + 2 s (1 + s^2/3 + s^4/5 + ...).</summary>
    /// <param name="x">A normal number in (0, 1].</param>
    internal static float Logarithm(float x)
    {
        const int HalfRoot = 0x3f3504f3;
        int bits = BitConverter.SingleToInt32Bits(x) - HalfRoot;
        float exponent = bits >> 23;
        float m = BitConverter.Int32BitsToSingle((bits & 0x007fffff) + HalfRoot);
        float s = (m - 1f) / (m + 1f);
        float z = s * s;
        float series = MathF.FusedMultiplyAdd(z, 0.09090909f, 0.11111111f);
        series = MathF.FusedMultiplyAdd(z, series, 0.14285715f);
        series = MathF.FusedMultiplyAdd(z, series, 0.2f);
        series = MathF.FusedMultiplyAdd(z, series, 0.33333334f);
        float twice = s + s;
        float logarithm = MathF.FusedMultiplyAdd(twice * z, series, twice);
        return MathF.FusedMultiplyAdd(exponent, 0.693145752f, MathF.FusedMultiplyAdd(exponent, 1.42860677e-6f, logarithm));
    }

    /// <summary>Cosine and sine of 2 pi turn.</summary>
    /// <param name="turn">In [0, 1), a multiple of 2^-24: the quadrant and what is left of it are exact.</param>
    internal static (float Cosine, float Sine) CosineSine(float turn)
    {
        float quarters = turn * 4f;
        int quadrant = (int)(quarters + 0.5f);
        float angle = (quarters - quadrant) * 1.57079637f;
        float z = angle * angle;
        float sine = MathF.FusedMultiplyAdd(z, -1.95152959e-4f, 8.33216087e-3f);
        sine = MathF.FusedMultiplyAdd(z, sine, -0.166666546f);
        sine = MathF.FusedMultiplyAdd(z * angle, sine, angle);
        float cosine = MathF.FusedMultiplyAdd(z, 2.44331571e-5f, -1.38873162e-3f);
        cosine = MathF.FusedMultiplyAdd(z, cosine, 4.16666457e-2f);
        cosine = MathF.FusedMultiplyAdd(z * z, cosine, MathF.FusedMultiplyAdd(z, -0.5f, 1f));
        float first = (quadrant & 1) == 0 ? cosine : sine;
        float second = (quadrant & 1) == 0 ? sine : cosine;
        return (((quadrant + 1) & 2) == 0 ? first : -first, (quadrant & 2) == 0 ? second : -second);
    }
}
