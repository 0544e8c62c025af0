using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Sprint.Tests;

/// <summary>Compares numbers and says where they differ, by how much and relative to what.</summary>
internal static class Comparer
{
    /// <summary>Fails unless every error is within the tolerance times the largest number expected; NaN fails.</summary>
    /// <param name="name">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="tolerance">The error allowed, relative to the largest expected number.</param>
    /// <param name="floor">The largest expected number counts as at least this.</param>
    internal static void AssertClose(
        string name, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double tolerance, double floor = 1e-3)
    {
        if (Difference(name, actual, expected, tolerance, floor) is { } difference)
            Assert.Fail(difference);
    }

    internal static void AssertClose(
        string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance, double floor = 1e-3) =>
        AssertClose(name, actual, Array.ConvertAll(expected.ToArray(), value => (double)value), tolerance, floor);

    /// <summary>Fails unless all bits are the same; NaN of the same bits is the same.</summary>
    internal static void AssertSameBits(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (BitDifference(name, actual, expected) is { } difference)
            Assert.Fail(difference);
    }

    /// <summary>What <see cref="AssertClose(string, ReadOnlySpan{float}, ReadOnlySpan{double}, double, double)"/> complains about, or null.</summary>
    internal static string? Difference(
        string name, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double tolerance, double floor)
    {
        if (actual.Length != expected.Length)
            return $"{name} has {actual.Length} numbers, should have {expected.Length}";

        double scale = floor, worst = 0;
        foreach (double value in expected)
            scale = Math.Abs(value) > scale ? Math.Abs(value) : scale;
        int where = 0;
        for (int index = 0; index < expected.Length; index++)
        {
            double error = Math.Abs(actual[index] - expected[index]) / scale;
            if (!(error <= worst))
                (worst, where) = (error, index);
            if (double.IsNaN(error))
                break;
        }

        return !(worst <= tolerance)
            ? $"{name}[{where}] is {actual[where]:R}, should be {expected[where]:R}: off by {worst:E1} of the largest ({scale:G3}), {tolerance:E1} allowed"
            : null;
    }

    internal static string? BitDifference(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (actual.Length != expected.Length)
            return $"{name} has {actual.Length} numbers, should have {expected.Length}";

        int same = MemoryMarshal.Cast<float, int>(actual).CommonPrefixLength(MemoryMarshal.Cast<float, int>(expected));
        return same < actual.Length ? $"{name}[{same}] is {actual[same]:R}, should be {expected[same]:R} bit for bit" : null;
    }
}
