using Sprint.Bench.Counting;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Steps;

/// <summary>Measured steps as results.</summary>
internal static class StepReport
{
    /// <summary>Describes what was measured.</summary>
    /// <param name="runner">What ran.</param>
    /// <param name="request">Model, mode and precision.</param>
    /// <param name="times">The dense step first.</param>
    /// <param name="peak">The device's peak in FLOPs a second, or null where it is not known.</param>
    public static BenchResults Describe(StepRunner runner, StepRequest request, IReadOnlyList<StepTimes> times, double? peak)
    {
        string peakText = peak is { } rate ? $"; peak {rate / 1e9:F0} GFLOP/s" : "";
        return new BenchResults
        {
            Command = "step",
            Title = request.Trains ? "Training steps, measured" : "Forward passes, measured",
            Subject = $"{FlopsCommand.Describe(request.Model, runner.Parameters)}, batch {runner.Batch}, {request.Precision.Name()}",
            Device = $"{runner.Device.Name}: {runner.Device.Description}{peakText}",
            Measurements = [.. times.SelectMany(found => Measurements(found, runner.Batch))],
            Tables = [Times(runner, times, peak), Savings(times), Memory(times)],
            Charts = [StepChart.Of(request.Model, times, runner.Device.Name)],
            Notes =
            [
                $"medians of {times[0].Seconds.Length} steps of each ratio, measured in turn; +/- is half the distance of the quartiles; a saving of time is the median of the rounds' ratios to the dense step",
            ],
        };
    }

    /// <summary>The time of each operation.</summary>
    /// <param name="account">An account that measured time.</param>
    /// <param name="ratio">The drop ratio.</param>
    /// <param name="steps">How many steps ran.</param>
    public static ResultTable Profile(Account account, double ratio, int steps)
    {
        double total = account.Entries.Values.Sum(static entry => entry.Time.TotalSeconds);
        var groups = account.Entries.GroupBy(static pair => (pair.Key.Operation, pair.Key.Pass))
            .Select(static group => (
                group.Key.Operation,
                Pass: group.Key.Pass.ToString().ToLowerInvariant(),
                Seconds: group.Sum(static pair => pair.Value.Time.TotalSeconds),
                Flops: group.Sum(static pair => (double)pair.Value.Total.MatrixFlops),
                Bytes: group.Sum(static pair => (double)pair.Value.Total.BytesRead + pair.Value.Total.BytesWritten)))
            .OrderByDescending(static group => group.Seconds);
        return new ResultTable(
            $"time of each operation, drop {Text.Ratio(ratio)}",
            ["operation", "pass", "a step", "share", "GFLOP/s (products)", "GB/s"],
            [.. groups.Select(group => (IReadOnlyList<string>)
            [
                group.Operation, group.Pass, Text.Seconds(group.Seconds / steps), Text.Percent(group.Seconds / total),
                $"{group.Flops / group.Seconds / 1e9:F1}", $"{group.Bytes / group.Seconds / 1e9:F1}",
            ])],
            $"{steps} steps of their own",
            TextColumns: 2);
    }

    private static ResultTable Times(StepRunner runner, IReadOnlyList<StepTimes> times, double? peak) => new(
        "time by drop ratio",
        ["drop", "kept tokens", "a step", "+/-", "fastest", "images/s", "FLOPs of a step", "GFLOP/s", "of the peak"],
        [.. times.Select(found => (IReadOnlyList<string>)
        [
            Text.Ratio(found.Ratio),
            $"{found.Pattern.KeptTokens} of {found.Pattern.Tokens}",
            Text.Seconds(found.Time.Median),
            Text.Percent(found.Time.Relative),
            Text.Seconds(found.Time.Least),
            Text.Significant(runner.Batch / found.Time.Median),
            Text.Flops(found.Flops),
            $"{found.Flops / found.Time.Median / 1e9:F1}",
            peak is { } rate ? Text.Percent(found.Flops / found.Time.Median / rate) : "not known",
        ])],
        "FLOPs as counted, products and the rest");

    private static ResultTable Savings(IReadOnlyList<StepTimes> times) => new(
        "how much of the saving of FLOPs became time",
        ["drop", "FLOPs saved", "time saved", "from", "to", "of the FLOPs' saving"],
        [.. times.Skip(1).Select(found =>
        {
            Spread ratio = found.RatioTo(times[0]);
            double flops = 1 - (found.Flops / times[0].Flops);
            return (IReadOnlyList<string>)
            [
                Text.Ratio(found.Ratio), Text.Percent(flops), Text.Percent(1 - ratio.Median), Text.Percent(1 - ratio.Upper), Text.Percent(1 - ratio.Lower),
                Text.Percent((1 - ratio.Median) / flops),
            ];
        })],
        "from and to: quartiles over the rounds");

    private static ResultTable Memory(IReadOnlyList<StepTimes> times) => new(
        "memory by drop ratio",
        ["drop", "peak of tensors", "saved", "blocks asked of the system", "managed bytes allocated"],
        [.. times.Select(found => (IReadOnlyList<string>)
        [
            Text.Ratio(found.Ratio), Text.Bytes(found.PeakBytes), Text.Percent(1 - ((double)found.PeakBytes / times[0].PeakBytes)),
            $"{found.SystemBlocks}", $"{found.ManagedBytes}",
        ])],
        $"blocks and managed bytes in all {times[0].Seconds.Length} measured steps");

    private static IEnumerable<Measurement> Measurements(StepTimes found, int batch)
    {
        string name = $"drop {Text.Ratio(found.Ratio)} batch {batch}";
        yield return Measurement.Of($"{name}: time of a step", "s", Better.Lower, found.Seconds);
        yield return Measurement.Count($"{name}: FLOPs of a step", "FLOP", found.Flops);
        yield return Measurement.Count($"{name}: peak of tensors", "B", found.PeakBytes);
        yield return Measurement.Count($"{name}: blocks asked of the system", "", found.SystemBlocks);
    }
}
