using System.Globalization;

namespace Sprint.Bench.Charts;

/// <summary>The axes of a chart: round numbers around its points.</summary>
/// <param name="Format">How the vertical axis is written.</param>
/// <param name="XTicks">Along.</param>
/// <param name="YTicks">Up; the first and the last are the chart's ends.</param>
/// <param name="Left">Where the chart begins.</param>
/// <param name="Right">Where it ends.</param>
internal sealed record ChartScale(AxisFormat Format, IReadOnlyList<double> XTicks, IReadOnlyList<double> YTicks, double Left, double Right)
{
    private const int WantedTicks = 6;

    /// <summary>The lower end.</summary>
    public double Bottom => YTicks[0];

    /// <summary>The upper end.</summary>
    public double Top => YTicks[^1];

    /// <summary>The axes of a chart.</summary>
    /// <param name="chart">At least one series with a point.</param>
    public static ChartScale Of(LineChart chart)
    {
        IEnumerable<ChartPoint> points = chart.Series.SelectMany(static series => series.Points);
        double[] xs = [.. points.Select(static point => point.X)];
        double[] ys = [.. points.SelectMany(static point => new[] { point.Y, point.Low ?? point.Y, point.High ?? point.Y })];
        (double left, double right) = (xs.Min(), xs.Max());
        if (left == right)
            (left, right) = (left - 0.5, right + 0.5);
        double step = Step(right - left);
        double first = Math.Ceiling((left / step) - 1e-9);
        double[] xTicks = [.. Enumerable.Range(0, (int)Math.Floor((right / step) - first + 1e-9) + 1).Select(i => (first + i) * step)];
        double low = Math.Min(0, ys.Min());
        double high = Math.Max(low + 1e-12, ys.Max());
        double height = Step(high - low);
        int bottom = (int)Math.Floor((low / height) + 1e-9);
        int top = Math.Max(bottom + 1, (int)Math.Ceiling((high / height) - 1e-9));
        double margin = (right - left) / 40;
        return new ChartScale(chart.YFormat, xTicks, [.. Enumerable.Range(bottom, top - bottom + 1).Select(i => i * height)], left - margin, right + margin);
    }

    /// <summary>A number of the horizontal axis.</summary>
    public static string XText(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>A number of the vertical axis.</summary>
    public string YText(double value) => Format == AxisFormat.Percent
        ? (100 * value).ToString("0.##", CultureInfo.InvariantCulture) + "%"
        : value.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>1, 2 or 5 times a power of ten, so that about <see cref="WantedTicks"/> fit.</summary>
    private static double Step(double range)
    {
        double rough = range / WantedTicks;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }
}
