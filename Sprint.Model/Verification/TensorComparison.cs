namespace Sprint.Model.Verification;

/// <summary>How far numbers are from those of a reference.</summary>
/// <param name="Name">What was compared.</param>
/// <param name="Error">The largest difference, absolute or relative as <paramref name="Rule"/> says; NaN if any number is NaN.</param>
/// <param name="Tolerance">What is allowed.</param>
/// <param name="Rule">How the error is measured.</param>
/// <param name="Index">Where the largest difference is.</param>
public sealed record TensorComparison(string Name, double Error, double Tolerance, string Rule, int Index)
{
    /// <summary>Whether the error is within the tolerance; false for NaN.</summary>
    public bool Passes => Error <= Tolerance;

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

    /// <summary>Compares by the largest difference over the largest entry of the reference.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="tolerance">The largest ratio allowed.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static TensorComparison OfLargest(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance)
    {
        SameLength(name, actual.Length, expected.Length);
        (double error, int index) = Worst(actual, expected);
        double largest = 0;
        foreach (float value in expected)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        // A reference of zeros allows no difference at all.
        double relative = error == 0 ? 0 : error / largest;
        return new TensorComparison(name, relative, tolerance, "of the largest entry", index);
    }

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

    private static void SameLength(string name, int actual, int expected)
    {
        if (actual != expected)
        {
            throw new ArgumentException($"{name}: {actual} numbers cannot be compared with {expected}");
        }
    }
}
