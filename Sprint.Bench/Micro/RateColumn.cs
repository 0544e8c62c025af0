using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Sprint.Engine;

namespace Sprint.Bench.Micro;

/// <summary>A column of BenchmarkDotNet that divides what an operation counts by the time that it took.</summary>
/// <param name="name">The column's name.</param>
/// <param name="legend">What it is.</param>
/// <param name="text">The text, of the counts and the median seconds.</param>
/// <param name="counts">The counts of each key.</param>
internal sealed class RateColumn(string name, string legend, Func<AccountTotal, double, string> text, IReadOnlyDictionary<string, AccountTotal> counts) : IColumn
{
    public string Id => $"{nameof(RateColumn)}.{name}";

    public string ColumnName => name;

    public string Legend => legend;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        summary[benchmarkCase]?.ResultStatistics is { } statistics && counts.TryGetValue(KeyOf(benchmarkCase), out AccountTotal total)
            ? text(total, statistics.Median / 1e9)
            : "NA";

    /// <summary>The key of a case.</summary>
    internal static string KeyOf(BenchmarkCase benchmarkCase) => (string)benchmarkCase.Parameters[nameof(OperationBenchmarks.Key)];
}
