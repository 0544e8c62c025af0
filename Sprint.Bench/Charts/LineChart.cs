using System.Text.Json.Serialization;

namespace Sprint.Bench.Charts;

/// <summary>How the numbers of an axis are written.</summary>
internal enum AxisFormat
{
    /// <summary>As numbers.</summary>
    Number,

    /// <summary>Fractions as percent.</summary>
    Percent,
}

/// <summary>A chart of lines over one horizontal axis.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="XTitle">The horizontal axis.</param>
/// <param name="YTitle">The vertical axis.</param>
/// <param name="YFormat">How the vertical axis is written.</param>
/// <param name="Series">The lines.</param>
internal sealed record LineChart(string Title, string XTitle, string YTitle, AxisFormat YFormat, IReadOnlyList<ChartSeries> Series);

/// <summary>A line of a chart.</summary>
/// <param name="Name">As the legend has it.</param>
/// <param name="Points">In the order of x.</param>
/// <param name="IsTheory">Whether it is a formula: drawn dashed and without markers; else points joined by a line.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<ChartPoint> Points, bool IsTheory = false);

/// <summary>A point of a chart.</summary>
/// <param name="X">Along.</param>
/// <param name="Y">Up.</param>
/// <param name="Low">The lower end of the spread, where there is one.</param>
/// <param name="High">The upper end of the spread.</param>
internal readonly record struct ChartPoint(double X, double Y, double? Low = null, double? High = null)
{
    /// <summary>Whether it can be drawn.</summary>
    [JsonIgnore]
    public bool IsFinite => double.IsFinite(X) && double.IsFinite(Y) && double.IsFinite(Low ?? 0) && double.IsFinite(High ?? 0);
}
