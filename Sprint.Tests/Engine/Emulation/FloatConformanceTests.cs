using NUnit.Framework;
using static Sprint.Tests.Engine.Emulation.Conformance;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Floating-point instructions and conversions against C#, edge values included.</summary>
public sealed class FloatConformanceTests
{
    private static float Flush(float a) => float.IsSubnormal(a) ? float.CopySign(0, a) : a;

    [Test]
    public void Single_arithmetic_to_nearest_is_bit_exact()
    {
        Binary<float, float>("add.f32", Singles, (a, b) => Canonical(a + b));
        Binary<float, float>("sub.rn.f32", Singles, (a, b) => Canonical(a - b));
        Binary<float, float>("mul.f32", Singles, (a, b) => Canonical(a * b));
        Binary<float, float>("div.rn.f32", Singles, (a, b) => Canonical(a / b));
        Ternary<float, float>("fma.rn.f32", Singles, (a, b, c) => Canonical(MathF.FusedMultiplyAdd(a, b, c)));
        Binary<float, float>("add.ftz.f32", Singles, (a, b) => Flush(Canonical(Flush(a) + Flush(b))));
        Binary<float, float>("mul.ftz.sat.f32", Singles, (a, b) => Flush(Flush(a) * Flush(b)) is var x && x > 0 ? Math.Min(x, 1) : 0);
        Binary<float, float>("min.f32", Singles, (a, b) => Canonical(float.MinNumber(a, b)));
        Binary<float, float>("max.f32", Singles, (a, b) => Canonical(float.MaxNumber(a, b)));
        Binary<float, float>("min.NaN.f32", Singles, (a, b) => Canonical(MathF.Min(a, b)));
        Unary<float, float>("sqrt.rn.f32", Singles, a => Canonical(MathF.Sqrt(a)));
        Unary<float, float>("rcp.rn.f32", Singles, a => Canonical(1 / a));
        Unary<float, uint>("neg.f32", Singles, a => BitConverter.SingleToUInt32Bits(a) ^ 0x80000000);
        Unary<float, uint>("abs.f32", Singles, a => BitConverter.SingleToUInt32Bits(a) & 0x7FFFFFFF);
        Binary<float, uint>("copysign.f32", Singles, (a, b) => BitConverter.SingleToUInt32Bits(a) & 0x80000000 | BitConverter.SingleToUInt32Bits(b) & 0x7FFFFFFF);
    }

    [Test]
    public void Double_arithmetic_is_bit_exact()
    {
        double[] values = [.. Doubles.Where(x => !double.IsNaN(x))];
        Binary<double, double>("add.f64", values, (a, b) => a + b);
        Binary<double, double>("mul.rn.f64", values, (a, b) => a * b);
        Binary<double, double>("div.rn.f64", values, (a, b) => a / b);
        Ternary<double, double>("fma.rn.f64", values, Math.FusedMultiplyAdd);
        Unary<double, double>("sqrt.rn.f64", [.. values.Where(x => x >= 0)], Math.Sqrt);
        Binary<double, double>("max.f64", values, double.MaxNumber);
    }

    /// <summary>Directed rounding is what brackets the exact value: tested by its definition, with the exact value in extended arithmetic.</summary>
    [TestCase("rz")]
    [TestCase("rm")]
    [TestCase("rp")]
    public void Directed_rounding_of_singles_brackets_the_exact_value(string mode)
    {
        float[] values = [.. Singles.Where(float.IsFinite)];
        Binary<float, float>($"mul.{mode}.f32", values, (a, b) => Directed((double)a * b, mode));
        float[] near = [0.1f, 0.2f, -0.3f, 1e-3f, 1.0000001f, 7f, -3f, 1e8f, 16777216f, 1.5f, 1e-20f];
        Binary<float, float>($"add.{mode}.f32", near[..10], (a, b) => a == -b && mode == "rm" ? -0f : Directed((double)a + b, mode));
        Ternary<float, float>($"fma.{mode}.f32", [1.5f, 0.1f, -3f, 7f, 0.7f, 1e-3f], (a, b, c) => Directed((double)a * b + c, mode));
        Unary<float, float>($"sqrt.{mode}.f32", [.. near.Where(x => x > 0)], a => Directed(Math.Sqrt(a), mode));
        Binary<float, float>($"div.{mode}.f32", near, (a, b) => Directed((double)a / b, mode));
    }

    private static float Directed(double exact, string mode)
    {
        float nearest = (float)exact;
        bool down = mode == "rm" || (mode == "rz" && exact > 0);
        if (down)
            return nearest > exact ? MathF.BitDecrement(nearest) : nearest;
        return nearest < exact ? MathF.BitIncrement(nearest) : nearest;
    }

    [Test]
    public void Directed_rounding_of_doubles_is_one_step_around_nearest()
    {
        double[] values = [1, 3, 0.1, -0.7, 1e300, 1e-300, 123456789.123];
        (double[] a, double[] b) = Pairs(values);
        foreach (string operation in new[] { "add", "mul", "div" })
        {
            double[] down = Run<double>($"{operation}.rm.f64 %d, %a0, %a1;", a, b);
            double[] up = Run<double>($"{operation}.rp.f64 %d, %a0, %a1;", a, b);
            double[] zero = Run<double>($"{operation}.rz.f64 %d, %a0, %a1;", a, b);
            for (int k = 0; k < a.Length; k++)
            {
                double nearest = operation switch { "add" => a[k] + b[k], "mul" => a[k] * b[k], _ => a[k] / b[k] };
                Assert.That(up[k] == down[k] || up[k] == Math.BitIncrement(down[k]), $"{operation} {a[k]} {b[k]}: {down[k]:R} {up[k]:R}");
                Assert.That(nearest == down[k] || nearest == up[k], $"{operation} {a[k]} {b[k]}");
                Assert.That(zero[k], Is.EqualTo(down[k] >= 0 ? down[k] : up[k]), $"{operation} {a[k]} {b[k]}");
            }
        }
        double[] roots = Run<double>("sqrt.rm.f64 %d, %a0;", new double[] { 2, 3, 4, 1e-300, 1e300 });
        Assert.That(roots[2], Is.EqualTo(2));
        Assert.That(roots[0] * roots[0], Is.LessThanOrEqualTo(2.0000000000000004));
    }

    [Test]
    public void Comparisons_of_floats_know_NaN_and_signed_zero()
    {
        (float[] a, float[] b) = Pairs(Singles);
        Dictionary<string, Func<float, float, bool>> comparisons = new()
        {
            ["eq"] = (x, y) => x == y,
            ["ne"] = (x, y) => x < y || x > y,
            ["lt"] = (x, y) => x < y,
            ["le"] = (x, y) => x <= y,
            ["gt"] = (x, y) => x > y,
            ["ge"] = (x, y) => x >= y,
            ["equ"] = (x, y) => !(x < y || x > y),
            ["neu"] = (x, y) => x != y,
            ["ltu"] = (x, y) => !(x >= y),
            ["leu"] = (x, y) => !(x > y),
            ["gtu"] = (x, y) => !(x <= y),
            ["geu"] = (x, y) => !(x < y),
            ["num"] = (x, y) => !float.IsNaN(x) && !float.IsNaN(y),
            ["nan"] = (x, y) => float.IsNaN(x) || float.IsNaN(y),
        };
        foreach ((string name, Func<float, float, bool> holds) in comparisons)
            AssertEqual(name, Run<uint>($"setp.{name}.f32 %p, %a0, %a1; selp.u32 %d, 1, 0, %p;", a, b), k => holds(a[k], b[k]) ? 1u : 0, k => $"{a[k]} {b[k]}");
        AssertEqual("testp", Run<uint>("testp.subnormal.f32 %p, %a0; selp.u32 %d, 1, 0, %p;", a), k => float.IsSubnormal(a[k]) ? 1u : 0, k => $"{a[k]}");
    }

    [Test]
    public void Floats_to_integers_round_and_clamp()
    {
        Unary<float, uint>("cvt.rzi.s32.f32", Singles, a => float.IsNaN(a) ? 0 : (uint)(int)Math.Clamp(Math.Truncate((double)a), int.MinValue, int.MaxValue));
        Unary<float, uint>("cvt.rni.s32.f32", Singles, a => float.IsNaN(a) ? 0 : (uint)(int)Math.Clamp(Math.Round((double)a, MidpointRounding.ToEven), int.MinValue, int.MaxValue));
        Unary<float, uint>("cvt.rmi.u32.f32", Singles, a => float.IsNaN(a) ? 0 : (uint)Math.Clamp(Math.Floor((double)a), 0, uint.MaxValue));
        Unary<double, uint>("cvt.rpi.s32.f64", Doubles, a => double.IsNaN(a) ? 0x80000000 : (uint)(int)Math.Clamp(Math.Ceiling(a), int.MinValue, int.MaxValue));
        Unary<double, ulong>("cvt.rzi.s64.f64", [.. Doubles.Where(a => Math.Abs(a) < 9e18)], a => (ulong)(long)a);
        Unary<float, float>("cvt.rni.f32.f32", Singles, a => Canonical(MathF.Round(a, MidpointRounding.ToEven)));
        Unary<float, float>("cvt.rpi.f32.f32", Singles, a => Canonical(MathF.Ceiling(a)));
    }

    [Test]
    public void Integers_to_floats_round_once()
    {
        Unary<uint, float>("cvt.rn.f32.s32", Integers, a => (float)(int)a);
        Unary<uint, float>("cvt.rn.f32.u32", Integers, a => (float)(double)a);
        Unary<uint, float>("cvt.rz.f32.u32", Integers, a => Directed(a, "rz"));
        Unary<uint, float>("cvt.rp.f32.s32", Integers, a => Directed((int)a, "rp"));
        Unary<uint, double>("cvt.rn.f64.s32", Integers, a => (int)a);
        Unary<ulong, double>("cvt.rn.f64.s64", Longs, a => (double)(long)a);
        Unary<ulong, float>("cvt.rn.f32.u64", [.. Longs.Where(x => x < 1ul << 53)], a => (float)(double)a);
    }

    [Test]
    public void Integers_extend_truncate_and_saturate()
    {
        Unary<uint, ulong>("cvt.s64.s32", Integers, a => (ulong)(long)(int)a);
        Unary<uint, ulong>("cvt.u64.u32", Integers, a => a);
        Unary<ulong, uint>("cvt.u32.u64", Longs, a => (uint)a);
        Unary<uint, uint>("cvt.s32.s8", Integers, a => (uint)(sbyte)a);
        Unary<uint, uint>("cvt.u32.u16", [.. Integers], a => (ushort)a);
        Unary<uint, uint>("cvt.sat.u8.s32", Integers, a => (uint)Math.Clamp((int)a, 0, 255));
        Unary<uint, uint>("cvt.sat.s16.s32", Integers, a => (uint)(short)Math.Clamp((int)a, short.MinValue, short.MaxValue));
    }

    [Test]
    public void Conversions_to_16_bits_are_bit_exact()
    {
        ushort Half(float a) => float.IsNaN(a) ? (ushort)0x7FFF : BitConverter.HalfToUInt16Bits((Half)a);
        Unary<float, ushort>("cvt.rn.f16.f32", Singles, Half);
        Unary<float, ushort>("cvt.rn.bf16.f32", Singles, BrainFloat);
        ushort[] all = [.. Enumerable.Range(0, 65536).Select(k => (ushort)k)];
        Unary<ushort, float>("cvt.f32.f16", all, a => Canonical((float)BitConverter.UInt16BitsToHalf(a)));
        (float[] a, float[] b) = Pairs(Singles);
        AssertEqual("cvt.rn.bf16x2", Run<uint>("cvt.rn.bf16x2.f32 %d, %a0, %a1;", a, b), k => (uint)BrainFloat(a[k]) << 16 | BrainFloat(b[k]), k => $"{a[k]} {b[k]}");
        AssertEqual("cvt.rn.f16x2", Run<uint>("cvt.rn.f16x2.f32 %d, %a0, %a1;", a, b), k => (uint)Half(a[k]) << 16 | Half(b[k]), k => $"{a[k]} {b[k]}");
        Unary<float, ushort>("cvt.rz.f16.f32", [.. Singles.Where(x => Math.Abs(x) < 65000)], x =>
        {
            Half nearest = (Half)x;
            return BitConverter.HalfToUInt16Bits(Math.Abs((float)nearest) > Math.Abs(x) ? BitConverter.UInt16BitsToHalf((ushort)(BitConverter.HalfToUInt16Bits(nearest) - 1)) : nearest);
        });
        Unary<float, uint>("cvt.rna.tf32.f32", [.. Singles.Where(float.IsFinite)], x => BitConverter.SingleToUInt32Bits(x) + 0x1000 & ~0x1FFFu);
    }

    // Round to nearest even on the upper half, by comparing with both neighbours.
    private static ushort BrainFloat(float a)
    {
        if (float.IsNaN(a))
            return 0x7FFF;
        uint bits = BitConverter.SingleToUInt32Bits(a);
        uint low = bits & 0xFFFF, high = bits >> 16;
        bool up = low > 0x8000 || (low == 0x8000 && (high & 1) != 0);
        return (ushort)(high + (up ? 1 : 0));
    }

    [Test]
    public void Arithmetic_of_16_bits_is_rounded_once()
    {
        ushort[] halves = [.. Singles.Select(x => BitConverter.HalfToUInt16Bits((Half)x)), 0x3C01, 0x0001, 0x03FF, 0x7BFF, 0x3555];
        static double Wide(ushort x) => (double)BitConverter.UInt16BitsToHalf(x);
        static ushort Narrow(double x) => double.IsNaN(x) ? (ushort)0x7FFF : BitConverter.HalfToUInt16Bits((Half)x);
        Binary<ushort, ushort>("add.f16", halves, (a, b) => Narrow(Wide(a) + Wide(b)));
        Binary<ushort, ushort>("mul.f16", halves, (a, b) => Narrow(Wide(a) * Wide(b)));
        Ternary<ushort, ushort>("fma.rn.f16", halves, (a, b, c) => Narrow(Wide(a) * Wide(b) + Wide(c)));
        (ushort[] x, ushort[] y) = Pairs(halves);
        uint[] packed = [.. x.Select((v, k) => (uint)v << 16 | y[k])];
        AssertEqual("add.f16x2", Run<uint>("add.f16x2 %d, %a0, %a0;", packed), k => (uint)Narrow(Wide(x[k]) * 2) << 16 | Narrow(Wide(y[k]) * 2), k => $"{x[k]:X}");
        float[] small = [1f, 1.0078125f, -2f, 3.140625f, 0.00390625f, 1e20f, -1e-20f];
        ushort[] brain = [.. small.Select(BrainFloat)];
        static float WideBrain(ushort v) => BitConverter.UInt32BitsToSingle((uint)v << 16);
        Ternary<ushort, ushort>("fma.rn.bf16", brain, (a, b, c) => BrainFloat(OddSum((double)WideBrain(a) * WideBrain(b), WideBrain(c))));
    }

    // The exact sum rounded to a float that keeps a sticky last bit.
    private static float OddSum(double a, double b)
    {
        double sum = a + b;
        float single = (float)sum;
        bool exact = single == sum && sum - a == b && sum - b == a;
        if (exact || float.IsInfinity(single) || sum == 0)
            return single;
        if (Math.Abs((double)single) > Math.Abs(sum))
            single = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(single) - 1);
        return BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(single) | 1);
    }

    [TestCase("ex2.approx.f32", 2.4e-7, -20f, 20f)]
    [TestCase("rcp.approx.f32", 1.2e-7, 0.01f, 1000f)]
    [TestCase("rsqrt.approx.f32", 2.4e-7, 0.01f, 1000f)]
    [TestCase("sqrt.approx.f32", 2.4e-7, 0.01f, 1000f)]
    [TestCase("tanh.approx.f32", 5e-4, -3f, 3f)]
    [TestCase("lg2.approx.f32", 2.4e-7, 3f, 1000f)]
    [TestCase("sin.approx.f32", 6e-7, -3f, 3f)]
    [TestCase("cos.approx.f32", 6e-7, -3f, 3f)]
    public void Approximate_functions_stay_within_their_documented_error(string instruction, double error, float low, float high)
    {
        float[] a = [.. Enumerable.Range(0, 1000).Select(k => low + (high - low) * k / 999)];
        float[] actual = Run<float>($"{instruction} %d, %a0;", a);
        Func<double, double> function = instruction.Split('.')[0] switch
        {
            "ex2" => x => Math.Pow(2, x),
            "rcp" => x => 1 / x,
            "rsqrt" => x => 1 / Math.Sqrt(x),
            "sqrt" => Math.Sqrt,
            "tanh" => Math.Tanh,
            "lg2" => Math.Log2,
            "sin" => Math.Sin,
            _ => Math.Cos,
        };
        for (int k = 0; k < a.Length; k++)
        {
            double expected = function(a[k]);
            bool absolute = instruction[0] is 's' or 'c' && !instruction.StartsWith("sqrt", StringComparison.Ordinal);
            if (!(Math.Abs(actual[k] - expected) <= error * (absolute ? 1 : Math.Abs(expected))))
                Assert.Fail($"{instruction} of {a[k]} is {actual[k]}, expected {expected}.");
        }
    }

    [Test]
    public void Approximate_functions_have_the_limits_of_the_isa()
    {
        float[] edges = [float.NegativeInfinity, -0f, 0f, float.PositiveInfinity, float.NaN];
        float nan = BitConverter.UInt32BitsToSingle(0x7FFFFFFF), inf = float.PositiveInfinity;
        Assert.That(Run<float>("ex2.approx.f32 %d, %a0;", edges), Is.EqualTo(new[] { 0, 1, 1, inf, nan }));
        Assert.That(Run<float>("lg2.approx.f32 %d, %a0;", edges), Is.EqualTo(new[] { nan, -inf, -inf, inf, nan }));
        Assert.That(Run<float>("rcp.approx.f32 %d, %a0;", edges), Is.EqualTo(new[] { -0f, -inf, inf, 0, nan }));
        Assert.That(Run<float>("rsqrt.approx.f32 %d, %a0;", edges), Is.EqualTo(new[] { nan, -inf, inf, 0, nan }));
        Assert.That(Run<float>("tanh.approx.f32 %d, %a0;", edges), Is.EqualTo(new[] { -1, -0f, 0, 1, nan }));
    }
}
