using System.Runtime.Intrinsics;
using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

/// <summary>Elementary functions against double precision over the whole range of their argument.</summary>
[TestFixture]
public sealed class VectorMathTests
{
    private const double GeluScale = 0.79788456080286535588;

    [Test]
    public void Exp_is_within_one_ulp_over_its_whole_range() =>
        AssertClose(VectorMath.Exp, Math.Exp, Range(-105, 90, 2_000_003), ulps: 1);

    [Test]
    public void ExpNonPositive_is_within_one_ulp_down_to_its_flush_to_zero() =>
        AssertClose(VectorMath.ExpNonPositive, Math.Exp, Range(-86.499f, 0, 1_000_003), ulps: 1);

    [Test]
    public void ExpNonPositive_is_zero_below_its_flush()
    {
        Assert.That(Apply(VectorMath.ExpNonPositive, -86.51f), Is.Zero);
        Assert.That(Apply(VectorMath.ExpNonPositive, -1e30f), Is.Zero);
        Assert.That(Apply(VectorMath.ExpNonPositive, float.NegativeInfinity), Is.Zero);
        Assert.That(Apply(VectorMath.ExpNonPositive, 0), Is.EqualTo(1f));
        Assert.That(Apply(VectorMath.ExpNonPositive, float.NaN), Is.NaN);
    }

    [Test]
    public void Exp_is_right_at_its_limits()
    {
        Assert.That(Apply(VectorMath.Exp, float.PositiveInfinity), Is.EqualTo(float.PositiveInfinity));
        Assert.That(Apply(VectorMath.Exp, float.NegativeInfinity), Is.Zero);
        Assert.That(Apply(VectorMath.Exp, float.MaxValue), Is.EqualTo(float.PositiveInfinity));
        Assert.That(Apply(VectorMath.Exp, float.MinValue), Is.Zero);
        Assert.That(Apply(VectorMath.Exp, 88.72f), Is.EqualTo((float)Math.Exp(88.72f)).Within(1).Ulps);
        Assert.That(Apply(VectorMath.Exp, 88.73f), Is.EqualTo(float.PositiveInfinity));
        Assert.That(Apply(VectorMath.Exp, -103.9f), Is.EqualTo(float.Epsilon));
        Assert.That(Apply(VectorMath.Exp, 0), Is.EqualTo(1f));
        Assert.That(Apply(VectorMath.Exp, float.NaN), Is.NaN);
    }

    [Test]
    public void Exp2NonPositive_is_within_one_ulp_and_then_stays_at_its_smallest()
    {
        AssertClose(VectorMath.Exp2NonPositive, x => Math.Pow(2, x), Range(-125, 0.001f, 1_000_003), ulps: 1);
        Assert.That(Apply(VectorMath.Exp2NonPositive, 0), Is.EqualTo(1f));
        Assert.That(Apply(VectorMath.Exp2NonPositive, -126), Is.EqualTo((float)Math.Pow(2, -125)));
        Assert.That(Apply(VectorMath.Exp2NonPositive, float.NegativeInfinity), Is.EqualTo((float)Math.Pow(2, -125)));
        Assert.That(Apply(VectorMath.Exp2NonPositive, float.NaN), Is.NaN);
    }

    [Test]
    public void LogPositive_is_within_two_ulp_for_normal_numbers()
    {
        AssertClose(VectorMath.LogPositive, x => Math.Log(x), Range(0.5f, 2, 1_000_003), ulps: 2);
        AssertClose(VectorMath.LogPositive, x => Math.Log(x), Range(2, 5000, 1_000_003), ulps: 2);
        AssertClose(VectorMath.LogPositive, x => Math.Log(x), Magnitudes().Where(x => x > 1.2e-38f), ulps: 2);
        Assert.That(Apply(VectorMath.LogPositive, 1), Is.Zero);
    }

    [Test]
    public void ReciprocalSqrt_is_within_one_and_a_half_ulp() =>
        AssertClose(VectorMath.ReciprocalSqrt, x => 1 / Math.Sqrt(x), Magnitudes().Where(x => x > 1.2e-38f), ulps: 1.5);

    [Test]
    public void Tanh_is_within_two_ulp()
    {
        AssertClose(VectorMath.Tanh, Math.Tanh, Range(-12, 12, 1_000_003), ulps: 2);
        AssertClose(VectorMath.Tanh, Math.Tanh, Magnitudes(), ulps: 2);
    }

    [Test]
    public void Sigmoid_is_within_three_ulp()
    {
        AssertClose(VectorMath.Sigmoid, Logistic, Range(-104, 104, 1_000_003), ulps: 3);
        AssertClose(VectorMath.Sigmoid, Logistic, Magnitudes(), ulps: 3);
    }

    // The argument of the exponential is itself rounded, which costs at most 2^-24 |x| where the result is small.
    [Test]
    public void Gelu_is_within_three_ulp_and_half_an_ulp_of_its_argument()
    {
        AssertClose(VectorMath.Gelu, GeluReference, Range(-14, 14, 1_000_003), ulps: 3, relativeToArgument: 6e-8);
        AssertClose(VectorMath.Gelu, GeluReference, Magnitudes(), ulps: 3, relativeToArgument: 6e-8);
    }

    // Where the sigmoid is subnormal its rounding error is multiplied by x.
    [Test]
    public void Silu_is_within_four_ulp()
    {
        AssertClose(VectorMath.Silu, x => x * Logistic(x), Range(-100, 100, 1_000_003), ulps: 4, relativeToArgument: float.Epsilon);
        AssertClose(VectorMath.Silu, x => x * Logistic(x), Magnitudes(), ulps: 4, relativeToArgument: float.Epsilon);
    }

    [Test]
    public void Derivatives_are_within_five_ulp_of_one()
    {
        AssertClose(VectorMath.GeluDerivative, GeluDerivativeReference, Range(-14, 14, 1_000_003), ulps: 0, absolute: 3e-7);
        AssertClose(VectorMath.GeluDerivative, GeluDerivativeReference, Magnitudes(), ulps: 0, absolute: 3e-7);
        AssertClose(VectorMath.SiluDerivative, SiluDerivativeReference, Range(-100, 100, 1_000_003), ulps: 0, absolute: 3e-7);
        AssertClose(VectorMath.SiluDerivative, SiluDerivativeReference, Magnitudes(), ulps: 0, absolute: 3e-7);
    }

    [Test]
    public void Silu_with_its_derivative_has_the_bits_of_both()
    {
        foreach (float x in Range(-300, 300, 100_003).Concat(Magnitudes()).Concat([float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, -0f]))
        {
            float value = VectorMath.Silu(Vector512.Create(x), out Vector512<float> derivative)[0];
            Assert.That((Bits(value), Bits(derivative[0])), Is.EqualTo((Bits(Apply(VectorMath.Silu, x)), Bits(Apply(VectorMath.SiluDerivative, x)))), $"at {x:R}");
        }

        static int Bits(float value) => BitConverter.SingleToInt32Bits(value);
    }

    [Test]
    public void Reference_derivatives_agree_with_central_differences()
    {
        for (double x = -6; x <= 6; x += 0.37)
        {
            const double Step = 1e-5;
            double gelu = (GeluReference(x + Step) - GeluReference(x - Step)) / (2 * Step);
            double silu = ((x + Step) * Logistic(x + Step) - (x - Step) * Logistic(x - Step)) / (2 * Step);
            Assert.That(GeluDerivativeReference(x), Is.EqualTo(gelu).Within(1e-8));
            Assert.That(SiluDerivativeReference(x), Is.EqualTo(silu).Within(1e-8));
        }
    }

    [TestCase(float.PositiveInfinity, 1f, 1f, float.PositiveInfinity, 1f)]
    [TestCase(float.NegativeInfinity, -1f, 0f, 0f, 0f)]
    [TestCase(float.MaxValue, 1f, 1f, float.MaxValue, 1f)]
    [TestCase(float.MinValue, -1f, 0f, 0f, 0f)]
    [TestCase(0f, 0f, 0.5f, 0f, 0.5f)]
    [TestCase(float.NaN, float.NaN, float.NaN, float.NaN, float.NaN)]
    public void Limits_are_exact(float x, float tanh, float sigmoid, float swish, float derivative)
    {
        Assert.That(Apply(VectorMath.Tanh, x), Is.EqualTo(tanh));
        Assert.That(Apply(VectorMath.Sigmoid, x), Is.EqualTo(sigmoid));
        Assert.That(Apply(VectorMath.Gelu, x), Is.EqualTo(swish));
        Assert.That(Apply(VectorMath.Silu, x), Is.EqualTo(swish));
        Assert.That(Apply(VectorMath.GeluDerivative, x), Is.EqualTo(derivative));
        Assert.That(Apply(VectorMath.SiluDerivative, x), Is.EqualTo(derivative));
    }

    [Test]
    public void Tanh_keeps_the_sign_of_zero() =>
        Assert.That(BitConverter.SingleToInt32Bits(Apply(VectorMath.Tanh, -0f)), Is.EqualTo(BitConverter.SingleToInt32Bits(-0f)));

    [Test]
    public void FusedMultiplyAdd_rounds_once()
    {
        Vector512<float> x = Vector512.Create(1f + 1f / 4096);
        Vector512<float> residue = Vector512.FusedMultiplyAdd(x, x, Vector512.Create(-(1f + 1f / 2048)));
        Assert.That(residue, Is.EqualTo(Vector512.Create(1f / 16777216)));
    }

    private static double Logistic(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    private static double GeluReference(double x) => x * Logistic(2 * GeluScale * (x + 0.044715 * x * x * x));

    private static double GeluDerivativeReference(double x)
    {
        x = Math.Clamp(x, -50, 50);
        double s = Logistic(2 * GeluScale * (x + 0.044715 * x * x * x));
        return s + x * s * (1 - s) * 2 * GeluScale * (1 + 3 * 0.044715 * x * x);
    }

    private static double SiluDerivativeReference(double x)
    {
        double s = Logistic(x);
        return s + x * s * (1 - s);
    }

    private static IEnumerable<float> Range(float low, float high, int count)
    {
        for (int index = 0; index < count; index++)
            yield return (float)(low + (double)(high - low) * index / (count - 1));
    }

    // Every exponent, both signs, several mantissas: subnormal to the largest finite number.
    private static IEnumerable<float> Magnitudes()
    {
        for (int high = 0; high < 0x7F80; high++)
        {
            float value = BitConverter.Int32BitsToSingle((high << 16) | 0x1234);
            yield return value;
            yield return -value;
        }
    }

    private static float Apply(Func<Vector512<float>, Vector512<float>> function, float x)
    {
        Vector512<float> result = function(Vector512.Create(x));
        return result[11];
    }

    private static void AssertClose(
        Func<Vector512<float>, Vector512<float>> function,
        Func<double, double> reference,
        IEnumerable<float> arguments,
        double ulps,
        double relativeToArgument = 0,
        double absolute = 0)
    {
        double worst = 0;
        float worstArgument = 0;
        foreach (float[] chunk in arguments.Chunk(16))
        {
            float[] lanes = new float[16];
            chunk.CopyTo(lanes, 0);
            Vector512<float> result = function(Vector512.Create(lanes));
            for (int lane = 0; lane < chunk.Length; lane++)
            {
                float x = lanes[lane];
                double expected = reference(x);
                if (Math.Abs(expected) > float.MaxValue)
                    expected = (float)expected;
                double error = expected.Equals((double)result[lane]) ? 0 : Math.Abs(result[lane] - expected);
                double allowed = ulps * UlpOf(expected) + relativeToArgument * Math.Abs(x) + absolute;
                if (!(error / allowed <= worst))
                    (worst, worstArgument) = (error / allowed, x);
            }
        }

        Assert.That(worst, Is.LessThanOrEqualTo(1.0), $"largest error as a multiple of what is allowed, at x = {worstArgument:R}");
    }

    private static double UlpOf(double value)
    {
        double magnitude = Math.Max(Math.Abs(value), Math.ScaleB(1, -126));
        return Math.ScaleB(1, Math.ILogB(magnitude) - 23);
    }
}
