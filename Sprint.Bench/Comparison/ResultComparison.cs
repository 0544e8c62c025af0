using Sprint.Bench.Results;

namespace Sprint.Bench.Comparison;

/// <summary>A figure in two runs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Before">The old figure, or null.</param>
/// <param name="After">The new figure, or null.</param>
/// <param name="Verdict">What became of it.</param>
internal sealed record ComparedFigure(string Name, Measurement? Before, Measurement? After, Verdict Verdict);

/// <summary>Two runs of one command, figure by figure.</summary>
internal static class ResultComparison
{
    /// <summary>Compares.</summary>
    /// <param name="before">The old run.</param>
    /// <param name="after">The new run.</param>
    /// <param name="rule">When a change is more than noise.</param>
    /// <returns>The figures of the new run in its order, then those that are missing.</returns>
    public static IReadOnlyList<ComparedFigure> Of(BenchResults before, BenchResults after, NoiseRule rule)
    {
        bool sameMachine = before.Machine.IsSameMachine(after.Machine) && DeviceName(before) == DeviceName(after);
        Dictionary<string, Measurement> old = before.Measurements.DistinctBy(static found => found.Name).ToDictionary(static found => found.Name);
        HashSet<string> names = [.. after.Measurements.Select(static found => found.Name)];
        return
        [
            .. after.Measurements.Select(figure => old.TryGetValue(figure.Name, out Measurement? earlier)
                ? new ComparedFigure(figure.Name, earlier, figure, figure.Better != Better.Same && !sameMachine ? Verdict.Elsewhere : rule.Judge(earlier, figure))
                : new ComparedFigure(figure.Name, null, figure, Verdict.Added)),
            .. before.Measurements.Where(figure => !names.Contains(figure.Name)).Select(static figure => new ComparedFigure(figure.Name, figure, null, Verdict.Missing)),
        ];
    }

    /// <summary>The figures as a table.</summary>
    /// <param name="figures">The figures.</param>
    /// <param name="rule">What was applied.</param>
    public static ResultTable Table(IReadOnlyList<ComparedFigure> figures, NoiseRule rule) => new(
        $"{figures.Count} figures: {figures.Count(static figure => figure.Verdict == Verdict.Worse)} worse, {figures.Count(static figure => figure.Verdict == Verdict.Better)} better",
        ["figure", "verdict", "unit", "old", "+/-", "new", "+/-", "change", "counts from"],
        [.. figures.OrderByDescending(static figure => figure.Verdict == Verdict.Worse).Select(figure => (IReadOnlyList<string>)
        [
            figure.Name,
            figure.Verdict.ToString().ToLowerInvariant(),
            (figure.Before ?? figure.After!).Unit,
            Value(figure.Before),
            SpreadOf(figure.Before),
            Value(figure.After),
            SpreadOf(figure.After),
            figure is { Before: { } before, After: { } after } ? (100 * NoiseRule.Change(before, after)).ToString("+0.0;-0.0;0.0") + "%" : "",
            figure is { Before: { } first, After: { } second } && first.Better != Better.Same ? Text.Percent(rule.Threshold(first, second)) : "",
        ])],
        $"a measurement counts as changed beyond {Text.Percent(rule.Floor)} and {Text.Ratio(rule.Errors)} standard errors of the medians' difference; a count where it differs at all",
        TextColumns: 3);

    private static string DeviceName(BenchResults results) => results.Device.Split(':')[0];

    private static string Value(Measurement? figure) => figure is null ? "" : figure.Value.ToString(figure.Better == Better.Same ? "0.######" : "G5");

    private static string SpreadOf(Measurement? figure) => figure?.Spread is { } spread ? Text.Percent(spread.Relative) : "";
}
