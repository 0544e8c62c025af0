using Sprint.Bench.Charts;
using Sprint.Bench.Counting;
using Sprint.Bench.Results;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Steps;

/// <summary>The chart of measured steps: how much of the FLOPs' saving became time.</summary>
internal static class StepChart
{
    /// <summary>The name of the line that <c>flops --measured</c> takes.</summary>
    public const string TimeSaved = "time, measured";

    private const int TheoryPoints = 60;

    /// <summary>Draws.</summary>
    /// <param name="model">The model.</param>
    /// <param name="times">The dense step first.</param>
    /// <param name="device">The device's name.</param>
    public static LineChart Of(ModelConfiguration model, IReadOnlyList<StepTimes> times, string device)
    {
        StepTimes dense = times[0];
        double most = Math.Max(0.05, times.Max(static found => found.Ratio));
        return new LineChart(
            $"What a step saves on {device}",
            "drop ratio",
            "saved",
            AxisFormat.Percent,
            [
                new ChartSeries("FLOPs, counted", [.. times.Select(found => new ChartPoint(found.Ratio, 1 - (found.Flops / dense.Flops)))]),
                new ChartSeries(
                    "theory: products of blocks and padded fusion",
                    [.. Enumerable.Range(0, TheoryPoints + 1).Select(i => i * most / TheoryPoints).Select(ratio => new ChartPoint(ratio, Theory.Saved(model, ratio)))],
                    IsTheory: true),
                new ChartSeries(TimeSaved, [.. times.Select(Point)]),
            ]);

        ChartPoint Point(StepTimes found)
        {
            Spread ratio = found.RatioTo(dense);
            return new ChartPoint(found.Ratio, 1 - ratio.Median, 1 - ratio.Upper, 1 - ratio.Lower);
        }
    }
}
