namespace Sprint.Model.Pictures;

/// <summary>Smooths a noisy curve without delay.</summary>
internal static class LossSmoothing
{
    /// <summary>How fast the window grows where a loss begins: it falls steeply there, and a wide window would hide it.</summary>
    private const double Growth = 0.15;

    /// <summary>
    /// Means over windows to both sides, applied twice, the second half as wide, so that no single point makes a step.
    /// Values that are not finite count for nothing; where a window holds no other, the result is not a number.
    /// </summary>
    /// <param name="values">The curve.</param>
    /// <param name="reach">How many points a window extends to each side at most.</param>
    /// <param name="begins">Whether the curve begins here, rather than goes on after a jump.</param>
    public static double[] Smooth(ReadOnlySpan<double> values, double reach, bool begins) => Mean(Mean(values, reach, begins), reach / 2, begins);

    private static double[] Mean(ReadOnlySpan<double> values, double reach, bool begins)
    {
        double[] sums = new double[values.Length + 1];
        int[] counts = new int[values.Length + 1];
        double least = double.PositiveInfinity;
        double most = double.NegativeInfinity;
        for (int index = 0; index < values.Length; index++)
        {
            bool counted = double.IsFinite(values[index]);
            sums[index + 1] = sums[index] + (counted ? values[index] : 0);
            counts[index + 1] = counts[index] + (counted ? 1 : 0);
            if (counted)
            {
                least = Math.Min(least, values[index]);
                most = Math.Max(most, values[index]);
            }
        }

        double[] means = new double[values.Length];
        for (int index = 0; index < values.Length; index++)
        {
            int side = (int)(begins ? Math.Min(reach, 1 + (Growth * index)) : reach);
            int first = Math.Max(0, index - side);
            int behind = Math.Min(values.Length, index + side + 1);
            double mean = (sums[behind] - sums[first]) / (counts[behind] - counts[first]);

            // Beside a huge value the difference of sums loses the small ones; a mean never leaves the values' range.
            means[index] = double.IsNaN(mean) ? mean : Math.Clamp(mean, least, most);
        }

        return means;
    }
}
