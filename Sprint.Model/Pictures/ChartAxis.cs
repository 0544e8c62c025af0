namespace Sprint.Model.Pictures;

/// <summary>One axis of a chart: values to pixels, and where its ticks stand.</summary>
internal sealed class ChartAxis
{
    private readonly bool logarithmic;
    private readonly bool whole;
    private readonly double first;
    private readonly double last;
    private readonly float start;
    private readonly float end;

    /// <param name="least">The value at <paramref name="start"/>; above 0 where logarithmic.</param>
    /// <param name="most">The value at <paramref name="end"/>; above <paramref name="least"/>.</param>
    /// <param name="start">The first pixel.</param>
    /// <param name="end">The last pixel.</param>
    /// <param name="logarithmic">Whether equal ratios take equal room.</param>
    /// <param name="whole">Whether ticks stand at whole numbers only.</param>
    public ChartAxis(double least, double most, float start, float end, bool logarithmic, bool whole = false)
    {
        this.whole = whole;
        this.logarithmic = logarithmic;
        Least = least;
        Most = most;
        first = Scale(least);
        last = Scale(most);
        this.start = start;
        this.end = end;
    }

    public double Least { get; }

    public double Most { get; }

    /// <summary>The pixel of a value; beyond the ends where the value is.</summary>
    public float Position(double value) => (float)(start + ((Scale(value) - first) / (last - first) * (end - start)));

    /// <summary>Round values within the axis, about as many as wanted.</summary>
    public IReadOnlyList<double> Ticks(int wanted)
    {
        if (logarithmic)
        {
            foreach (double[] steps in new double[][] { [1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7] })
            {
                double[] ticks = Powers(steps, stride: steps.Length > 1 ? 1 : Math.Max(1, (int)Math.Ceiling((last - first) / wanted)));
                if (5 * ticks.Length >= 3 * wanted)
                    return ticks;
            }
        }

        double rough = (Most - Least) / wanted;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
        if (whole)
            step = Math.Max(step, 1);
        List<double> round = [];
        double lowest = Math.Ceiling(Least / step);
        for (int index = 0; index <= 2 * wanted && (lowest + index) * step <= Most + (1e-9 * step); index++)
            round.Add((lowest + index) * step);
        return round;
    }

    /// <summary>"0.25", "20k", "1.5M".</summary>
    public static string Format(double value)
    {
        double size = Math.Abs(value);
        return size >= 1e9 ? $"{value / 1e9:G4}G" : size >= 1e6 ? $"{value / 1e6:G4}M" : size >= 1e4 ? $"{value / 1e3:G4}k"
            : size is >= 1e-4 or 0 ? value.ToString("0.######") : value.ToString("0.##e0");
    }

    private double[] Powers(double[] steps, int stride)
    {
        List<double> ticks = [];
        for (int power = (int)Math.Floor(Math.Log10(Least)); power <= Math.Log10(Most); power += stride)
        {
            foreach (double step in steps)
            {
                double tick = step * Math.Pow(10, power);
                if (tick >= Least * (1 - 1e-12) && tick <= Most * (1 + 1e-12))
                    ticks.Add(tick);
            }
        }

        return [.. ticks];
    }

    private double Scale(double value) => logarithmic ? Math.Log10(value) : value;
}
