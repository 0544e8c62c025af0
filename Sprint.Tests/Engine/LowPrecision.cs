using NUnit.Framework;
using Sprint.Model.Verification;

namespace Sprint.Tests.Engine;

/// <summary>The rule of low precision: an error against float64 beside that of a plain low-precision implementation.</summary>
internal static class LowPrecision
{
    /// <summary>What is allowed for outputs, as a multiple of the plain implementation's error.</summary>
    internal const double Outputs = TensorComparison.OutputFactor;

    /// <summary>The same for gradients.</summary>
    internal const double Gradients = TensorComparison.GradientFactor;

    /// <summary>Fails unless every error is within the factor times the plain implementation's largest, or within what float32 may be off; NaN fails.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="plain">The plain implementation's, or null where float32 is compared.</param>
    /// <param name="exact">The reference's, in float64.</param>
    /// <param name="factor">The multiple allowed.</param>
    /// <param name="tolerance">What float32 may be off, relative to the largest number.</param>
    /// <param name="floor">The largest number counts as at least this.</param>
    internal static void AssertClose(string name, float[] actual, float[]? plain, double[] exact, double factor, double tolerance, double floor = 1e-3)
    {
        if (plain is null)
        {
            Comparer.AssertClose(name, actual, exact, tolerance, floor);
            return;
        }

        Assert.That(plain, Has.Length.EqualTo(exact.Length));
        double largest = Math.Max(floor, exact.Select(Math.Abs).DefaultIfEmpty().Max());
        double allowed = factor * exact.Zip(plain, static (a, b) => Math.Abs(a - b)).DefaultIfEmpty().Max() / largest;
        Assert.That(allowed, Is.LessThan(double.PositiveInfinity), $"{name}: the plain implementation's error allows nothing");
        Comparer.AssertClose(name, actual, exact, Math.Max(tolerance, allowed), floor);
    }
}
