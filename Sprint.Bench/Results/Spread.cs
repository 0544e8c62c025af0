namespace Sprint.Bench.Results;

/// <summary>Where measurements lie, by order statistics, which one disturbed run does not move.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="Least">The smallest.</param>
/// <param name="Lower">The lower quartile.</param>
/// <param name="Median">The median.</param>
/// <param name="Upper">The upper quartile.</param>
/// <param name="Most">The largest.</param>
internal readonly record struct Spread(int Count, double Least, double Lower, double Median, double Upper, double Most)
{
    /// <summary>Of a normal distribution, the quartiles' distance in standard deviations.</summary>
    private const double QuartileDistance = 1.349;

    /// <summary>Of a normal distribution, the standard deviation of the median over that of the mean.</summary>
    private const double MedianPenalty = 1.2533;

    /// <summary>The standard error of the median, by the distance of the quartiles; 0 where there is one measurement.</summary>
    public double StandardError => MedianPenalty * (Upper - Lower) / QuartileDistance / Math.Sqrt(Count);

    /// <summary>Half of the quartiles' distance over the median: the spread as it is printed.</summary>
    public double Relative => (Upper - Lower) / 2 / Median;

    /// <summary>The spread of measurements.</summary>
    /// <param name="samples">At least one, in any order.</param>
    public static Spread Of(IReadOnlyList<double> samples)
    {
        ArgumentOutOfRangeException.ThrowIfZero(samples.Count);
        double[] sorted = [.. samples.Order()];
        return new Spread(sorted.Length, sorted[0], Quantile(sorted, 0.25), Quantile(sorted, 0.5), Quantile(sorted, 0.75), sorted[^1]);
    }

    /// <summary>Between the two nearest where a quantile falls between measurements.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
