using Sprint.Engine;

namespace Sprint.Model.Verification;

/// <summary>How far numbers are from those of a reference.</summary>
/// <param name="Name">What was compared.</param>
/// <param name="Error">The largest difference, absolute or relative as <paramref name="Rule"/> says; NaN if any number is NaN.</param>
/// <param name="Tolerance">What is allowed.</param>
/// <param name="Rule">How the error is measured.</param>
/// <param name="Index">Where the largest difference is.</param>
public sealed record TensorComparison(string Name, double Error, double Tolerance, string Rule, int Index)
{
    /// <summary>What is allowed in low precision, as a multiple of the plain implementation's error.</summary>
    public double Factor { get; init; } = OutputFactor;

    /// <summary>What the plain implementation's error counts as at least: 0 but for <see cref="OfSums"/>.</summary>
    public double PlainFloor { get; init; }

    /// <summary>
    /// The steps of a sampler that this one belongs to, or null: its trajectory is soon another than the plain implementation's, so what is allowed is
    /// a multiple of that one's largest error on the whole of it.
    /// </summary>
    public string? Trajectory { get; init; }

    /// <summary>The error of the plain low-precision implementation, or null where float32 is compared.</summary>
    public double? PlainError { get; init; }

    /// <summary>Outputs may be off by twice as much as those of a plain low-precision implementation are.</summary>
    public const double OutputFactor = 2;

    /// <summary>Gradients, and what is made of them, thrice.</summary>
    public const double GradientFactor = 3;

    /// <summary>Whether the error is within the tolerance; false for NaN, and where the plain implementation's error is infinite.</summary>
    public bool Passes => Error <= Tolerance && double.IsFinite(Tolerance);

    /// <summary>Compares by the largest absolute difference.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="tolerance">The largest difference allowed.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static TensorComparison Absolute(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance)
    {
        SameLength(name, actual.Length, expected.Length);
        (double error, int index) = Worst(actual, expected);
        return new TensorComparison(name, error, tolerance, "largest difference", index);
    }

    /// <summary>Compares by the mean of absolute differences.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="tolerance">The mean allowed.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static TensorComparison Mean(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance)
    {
        SameLength(name, actual.Length, expected.Length);
        double sum = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            sum += Math.Abs((double)actual[i] - expected[i]);
        }

        return new TensorComparison(name, actual.Length == 0 ? 0 : sum / actual.Length, tolerance, "mean difference", -1);
    }

    /// <summary>Compares by the largest difference over the largest entry of the reference.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="tolerance">The largest ratio allowed.</param>
    /// <param name="scale">What stands for the largest entry of a reference of zeros; where it is 0 too, no difference at all is allowed.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static TensorComparison OfLargest(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance, double scale = 0)
    {
        SameLength(name, actual.Length, expected.Length);
        (double error, int index) = Worst(actual, expected);
        double largest = Largest(expected);
        double relative = error == 0 ? 0 : error / (largest > 0 ? largest : scale);
        return new TensorComparison(name, relative, tolerance, "of the largest entry", index) { Factor = GradientFactor };
    }

    /// <summary>
    /// The same comparison under the rule of low precision: the tolerance of float32, or the factor times the error of the plain implementation.
    /// </summary>
    /// <param name="plain">The same comparison of the plain implementation.</param>
    public TensorComparison Beside(TensorComparison plain)
    {
        ArgumentNullException.ThrowIfNull(plain);
        double error = Math.Max(PlainFloor, plain.Error);
        return this with { Tolerance = Math.Max(Tolerance, Factor * error), PlainError = error };
    }

    /// <summary>
    /// The same comparison of sums over many numbers, which the plain implementation may hit by chance: its error counts as at least
    /// that of rounding the largest once to bfloat16.
    /// </summary>
    /// <param name="expected">The reference's numbers, or nothing where the error is relative to the largest.</param>
    internal TensorComparison OfSums(ReadOnlySpan<float> expected) =>
        this with { PlainFloor = BrainFloat.UnitRoundoff * (expected.IsEmpty ? 1 : Largest(expected)) };

    /// <summary>Compares integers, which must be equal.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static TensorComparison Equal(string name, ReadOnlySpan<int> actual, ReadOnlySpan<int> expected)
    {
        SameLength(name, actual.Length, expected.Length);
        int different = 0;
        int index = -1;
        for (int i = 0; i < actual.Length; i++)
        {
            if (actual[i] != expected[i])
            {
                different++;
                index = index < 0 ? i : index;
            }
        }

        return new TensorComparison(name, different, 0, "numbers that differ", index);
    }

    /// <summary>The largest absolute difference and its place; NaN wins over every number.</summary>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    public static (double Error, int Index) Worst(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        SameLength("comparison", actual.Length, expected.Length);
        double worst = 0;
        int index = -1;
        for (int i = 0; i < actual.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            if (!(difference <= worst))
            {
                worst = difference;
                index = i;
                if (double.IsNaN(difference))
                {
                    break;
                }
            }
        }

        return (worst, index);
    }

    internal static double Largest(ReadOnlySpan<float> values)
    {
        double largest = 0;
        foreach (float value in values)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        return largest;
    }

    private static void SameLength(string name, int actual, int expected)
    {
        if (actual != expected)
        {
            throw new ArgumentException($"{name}: {actual} numbers cannot be compared with {expected}");
        }
    }
}
