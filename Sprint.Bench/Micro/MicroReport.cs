using BenchmarkDotNet.Reports;
using Sprint.Bench.Operations;
using Sprint.Bench.Results;
using Sprint.Engine;

namespace Sprint.Bench.Micro;

/// <summary>What BenchmarkDotNet measured as results.</summary>
internal static class MicroReport
{
    /// <summary>Describes a run.</summary>
    /// <param name="summary">BenchmarkDotNet's summary.</param>
    /// <param name="cases">The case of each key.</param>
    /// <param name="counts">The counts of each key.</param>
    /// <param name="peak">What the machine reaches.</param>
    /// <param name="threads">Threads that worked.</param>
    /// <param name="batch">Images.</param>
    /// <param name="folder">Where BenchmarkDotNet's files are.</param>
    public static BenchResults Describe(
        Summary summary,
        Dictionary<string, OperationCase> cases,
        Dictionary<string, AccountTotal> counts,
        MachinePeak peak,
        int threads,
        int batch,
        string folder)
    {
        List<string> order = [.. cases.Keys];
        (OperationCase Case, AccountTotal Counts, double[] Seconds)[] measured =
        [
            .. summary.Reports.OrderBy(report => order.IndexOf(RateColumn.KeyOf(report.BenchmarkCase))).Select(report => (
                cases[RateColumn.KeyOf(report.BenchmarkCase)],
                counts[RateColumn.KeyOf(report.BenchmarkCase)],
                report.ResultStatistics!.OriginalValues.Select(static nanoseconds => nanoseconds / 1e9).ToArray())),
        ];
        return new BenchResults
        {
            Command = "micro",
            Title = "Operations, measured",
            Subject = $"every operation at the sizes of a model, batch {batch}, float32; BenchmarkDotNet {typeof(Summary).Assembly.GetName().Version?.ToString(3)}",
            Device = $"cpu: {threads} threads; peak {peak.Flops / 1e9:F0} GFLOP/s and {peak.Bytes / 1e9:F0} GB/s",
            Measurements = [.. measured.Select(found => Results.Measurement.Of($"{found.Case.Name} batch {batch} threads {threads}", "s", Better.Lower, found.Seconds))],
            Tables = [.. measured.GroupBy(static found => found.Case.Model).Select(group => Table(group.Key, [.. group], peak))],
            Notes =
            [
                "training is the forward pass with recording and the backward pass; of peak is the least time by the measured peaks, arithmetic or memory, over the median: above 100% where operands stay in caches",
                $"BenchmarkDotNet's markdown and JSON are in {folder}",
            ],
        };
    }

    private static ResultTable Table(string model, IReadOnlyList<(OperationCase Case, AccountTotal Counts, double[] Seconds)> measured, MachinePeak peak) => new(
        $"operations at the sizes of {model}",
        ["operation", "pass", "shape", "bound by", "median", "+/-", "GFLOP/s", "GB/s", "of peak"],
        [.. measured.Select(found =>
        {
            Spread time = Spread.Of(found.Seconds);
            return (IReadOnlyList<string>)
            [
                found.Case.Operation,
                found.Case.Trains ? "training" : "forward",
                found.Case.Shape,
                peak.Bound(found.Counts),
                Text.Seconds(time.Median),
                Text.Percent(time.Relative),
                $"{found.Counts.Flops / time.Median / 1e9:F1}",
                $"{(found.Counts.BytesRead + found.Counts.BytesWritten) / time.Median / 1e9:F1}",
                Text.Percent(peak.LeastSeconds(found.Counts) / time.Median),
            ];
        })],
        TextColumns: 4);
}
