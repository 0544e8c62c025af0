using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>
/// The approximate functions. They are evaluated in double precision and rounded once, so that the error is half a unit in
/// the last place, well inside what the ISA documents for each (2 to 4 units, or 2^-20.9 absolute for sine and cosine).
/// </summary>
internal static class SpecialFunctions
{
    public static Vector512<float> Narrow(Vector512<double> low, Vector512<double> high) => Single32.Canonical(Vector512.Narrow(low, high));
}

internal readonly struct SingleExponential2 : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a)
    {
        (Vector512<double> low, Vector512<double> high) = Vector512.Widen(a);
        Vector512<double> scale = Vector512.Create(0.693147180559945309);
        return SpecialFunctions.Narrow(Vector512.Exp(low * scale), Vector512.Exp(high * scale));
    }
}

internal readonly struct SingleLogarithm2 : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a)
    {
        (Vector512<double> low, Vector512<double> high) = Vector512.Widen(a);
        return SpecialFunctions.Narrow(Vector512.Log2(low), Vector512.Log2(high));
    }
}

internal readonly struct SingleReciprocalRoot : IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a)
    {
        (Vector512<double> low, Vector512<double> high) = Vector512.Widen(a);
        return SpecialFunctions.Narrow(Vector512<double>.One / Vector512.Sqrt(low), Vector512<double>.One / Vector512.Sqrt(high));
    }
}

internal readonly struct SingleSine : IScalarUnary<float, float>
{
    public static float Apply(float a) => Single32.Canonical((float)Math.Sin(a));
}

internal readonly struct SingleCosine : IScalarUnary<float, float>
{
    public static float Apply(float a) => Single32.Canonical((float)Math.Cos(a));
}

internal readonly struct SingleHyperbolicTangent : IScalarUnary<float, float>
{
    public static float Apply(float a) => Single32.Canonical((float)Math.Tanh(a));
}

internal readonly struct FlushedScalar<TOperator> : IScalarUnary<float, float>
    where TOperator : struct, IScalarUnary<float, float>
{
    public static float Apply(float a) => Single32.Flush(TOperator.Apply(Single32.Flush(a)));
}
