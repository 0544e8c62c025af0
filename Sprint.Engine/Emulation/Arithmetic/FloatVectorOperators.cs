using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Arithmetic;

internal readonly struct SingleAdd : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(a + b);
}

internal readonly struct SingleSubtract : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(a - b);
}

internal readonly struct SingleMultiply : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(a * b);
}

internal readonly struct SingleFusedMultiplyAdd : ITernary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b, Vector512<float> c)
        => Single32.Canonical(Vector512.FusedMultiplyAdd(a, b, c));
}

internal readonly struct SingleDivide : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(a / b);
}

/// <summary>Division as <c>div.approx.f32</c> does it, a * (1 / b): for |b| above 2^126 the reciprocal is a zero of b's sign, so that an infinite a gives NaN.</summary>
internal readonly struct SingleDivideApproximate : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b)
    {
        Vector512<float> zero = (b.AsUInt32() & Vector512.Create(0x80000000u)).AsSingle();
        Vector512<float> far = Vector512.GreaterThan(Vector512.Abs(b), Vector512.Create(8.5070591730234616e37f));
        return Single32.Canonical(Vector512.ConditionalSelect(far, a * zero, a / b));
    }
}

internal readonly struct SingleReciprocal : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a) => Single32.Canonical(Vector512<float>.One / a);
}

internal readonly struct SingleSquareRoot : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a) => Single32.Canonical(Vector512.Sqrt(a));
}

/// <summary>The smaller number; -0 is smaller than +0, and a NaN loses to a number.</summary>
internal readonly struct SingleMinimum : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(Vector512.MinNumber(a, b));
}

internal readonly struct SingleMaximum : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(Vector512.MaxNumber(a, b));
}

/// <summary>The smaller number, or NaN if an operand is NaN.</summary>
internal readonly struct SingleMinimumOrNaN : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(Vector512.Min(a, b));
}

internal readonly struct SingleMaximumOrNaN : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Canonical(Vector512.Max(a, b));
}

internal readonly struct SingleNegate : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a) => (a.AsUInt32() ^ Vector512.Create(0x80000000u)).AsSingle();
}

internal readonly struct SingleAbsolute : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a) => (a.AsUInt32() & Vector512.Create(0x7FFFFFFFu)).AsSingle();
}

/// <summary>The magnitude of b with the sign of a, as PTX orders them.</summary>
internal readonly struct SingleCopySign : IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b)
        => Vector512.ConditionalSelect(Vector512.Create(0x80000000u), a.AsUInt32(), b.AsUInt32()).AsSingle();
}

internal readonly struct DoubleAdd : IBinary<double>
{
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b) => a + b;
}

internal readonly struct DoubleFusedMultiplyAdd : ITernary<double>
{
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b, Vector512<double> c) => Vector512.FusedMultiplyAdd(a, b, c);
}

internal readonly struct DoubleDivide : IBinary<double>
{
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b) => a / b;
}

internal readonly struct DoubleReciprocal : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => Vector512<double>.One / a;
}

/// <summary>Reciprocal as <c>rcp.approx.ftz.f64</c> gives it: the lower half of the result is zero, subnormals are flushed.</summary>
internal readonly struct DoubleReciprocalApproximate : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => Double64.UpperHalf(Vector512<double>.One / Double64.Flush(a));
}

/// <summary>Reciprocal square root as <c>rsqrt.approx.ftz.f64</c> gives it.</summary>
internal readonly struct DoubleReciprocalRootApproximate : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => Double64.UpperHalf(Vector512<double>.One / Vector512.Sqrt(Double64.Flush(a)));
}

internal readonly struct DoubleReciprocalRoot : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => Vector512<double>.One / Vector512.Sqrt(a);
}

internal readonly struct DoubleSquareRoot : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => Vector512.Sqrt(a);
}

internal readonly struct DoubleMinimum : IBinary<double>
{
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b) => Vector512.MinNumber(a, b);
}

internal readonly struct DoubleMaximum : IBinary<double>
{
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b) => Vector512.MaxNumber(a, b);
}

internal readonly struct DoubleNegate : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => (a.AsUInt64() ^ Vector512.Create(1ul << 63)).AsDouble();
}

internal readonly struct DoubleAbsolute : IUnary<double>
{
    public static Vector512<double> Apply(Vector512<double> a) => (a.AsUInt64() & Vector512.Create(~(1ul << 63))).AsDouble();
}

internal readonly struct DoubleCopySign : IBinary<double>
{
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b)
        => Vector512.ConditionalSelect(Vector512.Create(1ul << 63), a.AsUInt64(), b.AsUInt64()).AsDouble();
}

/// <summary>Helpers of 64-bit floating point.</summary>
internal static class Double64
{
    public static Vector512<double> UpperHalf(Vector512<double> a) => (a.AsUInt64() & Vector512.Create(0xFFFFFFFF00000000)).AsDouble();

    public static Vector512<double> Flush(Vector512<double> a)
    {
        Vector512<ulong> bits = a.AsUInt64();
        Vector512<ulong> sign = bits & Vector512.Create(1ul << 63);
        return Vector512.ConditionalSelect(Vector512.LessThan(bits ^ sign, Vector512.Create(1ul << 52)), sign, bits).AsDouble();
    }
}
