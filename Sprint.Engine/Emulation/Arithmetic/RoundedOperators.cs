namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>What an instruction does beside its operation, packed into one number.</summary>
internal static class RoundedMode
{
    public const int FlushBit = 8;
    public const int SaturateBit = 16;

    public static RoundingMode Rounding(int mode) => (RoundingMode)(mode & 7);

    public static float Source(float a, int mode) => (mode & FlushBit) != 0 ? Single32.Flush(a) : a;

    public static float Result(float a, int mode)
    {
        a = (mode & FlushBit) != 0 ? Single32.Flush(a) : a;
        return (mode & SaturateBit) != 0 ? Single32.Saturate(a) : a;
    }
}

internal readonly struct RoundedAdd : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode)
        => RoundedMode.Result(ExactRounding.Add(RoundedMode.Source(a, mode), RoundedMode.Source(b, mode), RoundedMode.Rounding(mode)), mode);

    public static double Apply(double a, double b, double c, int mode) => ExactRounding.Add(a, b, RoundedMode.Rounding(mode));
}

internal readonly struct RoundedSubtract : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode) => RoundedAdd.Apply(a, -b, c, mode);

    public static double Apply(double a, double b, double c, int mode) => RoundedAdd.Apply(a, -b, c, mode);
}

internal readonly struct RoundedMultiply : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode)
        => RoundedMode.Result(ExactRounding.Multiply(RoundedMode.Source(a, mode), RoundedMode.Source(b, mode), RoundedMode.Rounding(mode)), mode);

    public static double Apply(double a, double b, double c, int mode) => ExactRounding.Multiply(a, b, RoundedMode.Rounding(mode));
}

internal readonly struct RoundedMultiplyAdd : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode)
        => RoundedMode.Result(ExactRounding.MultiplyAdd(RoundedMode.Source(a, mode), RoundedMode.Source(b, mode), RoundedMode.Source(c, mode), RoundedMode.Rounding(mode)), mode);

    public static double Apply(double a, double b, double c, int mode) => ExactRounding.MultiplyAdd(a, b, c, RoundedMode.Rounding(mode));
}

internal readonly struct RoundedDivide : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode)
        => RoundedMode.Result(ExactRounding.ToSingle(ExactRounding.DivideToOdd(RoundedMode.Source(a, mode), RoundedMode.Source(b, mode)), RoundedMode.Rounding(mode)), mode);

    public static double Apply(double a, double b, double c, int mode) => ExactRounding.Divide(a, b, RoundedMode.Rounding(mode));
}

internal readonly struct RoundedReciprocal : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode) => RoundedDivide.Apply(1f, a, c, mode);

    public static double Apply(double a, double b, double c, int mode) => RoundedDivide.Apply(1d, a, c, mode);
}

internal readonly struct RoundedSquareRoot : IScalarMode<float, float>, IScalarMode<double, double>
{
    public static float Apply(float a, float b, float c, int mode)
        => RoundedMode.Result(ExactRounding.ToSingle(ExactRounding.RootToOdd(RoundedMode.Source(a, mode)), RoundedMode.Rounding(mode)), mode);

    public static double Apply(double a, double b, double c, int mode) => ExactRounding.SquareRoot(a, RoundedMode.Rounding(mode));
}
