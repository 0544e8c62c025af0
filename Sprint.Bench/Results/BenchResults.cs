using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using Sprint.Bench.Charts;
using Sprint.Engine;

namespace Sprint.Bench.Results;

/// <summary>What a command found: shown as tables, written as JSON or CSV, put into the report, and compared with another run's.</summary>
internal sealed record BenchResults
{
    private const string FormatName = "sprint-bench 1";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The format of the file.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>The command: <c>flops</c>, <c>step</c> ...</summary>
    public required string Command { get; init; }

    /// <summary>A heading for people.</summary>
    public required string Title { get; init; }

    /// <summary>What was counted or measured: model, sizes, options.</summary>
    public required string Subject { get; init; }

    /// <summary>The device on which it ran.</summary>
    public required string Device { get; init; }

    /// <summary>When, in UTC.</summary>
    public DateTime Date { get; init; } = DateTime.UtcNow;

    /// <summary>Machine, versions and commit.</summary>
    public MachineInformation Machine { get; init; } = MachineInformation.Read();

    /// <summary>The figures.</summary>
    public IReadOnlyList<Measurement> Measurements { get; init; } = [];

    /// <summary>The tables.</summary>
    public IReadOnlyList<ResultTable> Tables { get; init; } = [];

    /// <summary>The charts.</summary>
    public IReadOnlyList<LineChart> Charts { get; init; } = [];

    /// <summary>What is to be said in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Reads a file that a command wrote with <c>--json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SprintException">The file cannot be read or is no such file.</exception>
    public static BenchResults Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"cannot read '{path}': {exception.Message}", exception);
        }
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="SprintException">The text is none of a command's.</exception>
    public static BenchResults Parse(string json, string source)
    {
        BenchResults? results;
        try
        {
            results = JsonSerializer.Deserialize<BenchResults>(json, Options);
        }
        catch (JsonException exception)
        {
            throw new SprintException($"'{source}' holds no results: {exception.Message.ReplaceLineEndings(" ")} Write one with --json, e.g. flops --json {Path.GetFileName(source)}", exception);
        }

        if (results?.Format != FormatName)
            throw new SprintException($"'{source}' holds results of the format '{results?.Format}', this program reads '{FormatName}': write it anew with --json");
        return results.Damage() is { } damage ? throw new SprintException($"'{source}' is damaged: {damage}; write it anew with --json") : results;
    }

    /// <summary>What no command writes and the reader of JSON lets through: entries of lists that are null, charts that cannot be drawn.</summary>
    /// <returns>What it is, or null.</returns>
    private string? Damage()
    {
        if (HasNull(Measurements) || HasNull(Notes) || HasNull(Tables) || HasNull(Charts))
            return "an entry of measurements, notes, tables or charts is null";
        if (Tables.Any(static table => HasNull(table.Columns) || HasNull(table.Rows) || table.Rows.Any(HasNull)))
            return "a column, row or cell of a table is null";
        if (Tables.Any(static table => table.Rows.Any(row => row.Count > table.Columns.Count)))
            return "a row of a table is longer than its columns";
        return Charts.Any(static chart => chart.Series.Count == 0 || HasNull(chart.Series) || chart.Series.Any(static series => series.Points.Count == 0 || !series.Points.All(static point => point.IsFinite)))
            ? "a chart has no lines, a line no points, or a point is no number"
            : null;
    }

    private static bool HasNull<T>(IReadOnlyList<T> list)
        where T : class => list.Any(static entry => entry is null);

    /// <summary>The results as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options) + "\n";

    /// <summary>
    /// The figures as CSV, a line each, numbers in full and without units in them: one table that any program reads. What has no figures of its own
    /// (<c>compare</c>) is written as the table that is printed.
    /// </summary>
    public string ToCsv() => Measurements.Count == 0
        ? string.Join("\r\n", Tables.Select(static table => table.ToCsv()))
        : new ResultTable(Title, ["name", "value", "unit", "measured", "least", "lower quartile", "upper quartile", "most"], [.. Measurements.Select(Row)]).ToCsv();

    private static IReadOnlyList<string> Row(Measurement figure) =>
    [
        figure.Name, Number(figure.Value), figure.Unit,
        .. figure.Spread is { } spread
            ? (string[])[$"{spread.Count}", Number(spread.Least), Number(spread.Lower), Number(spread.Upper), Number(spread.Most)]
            : ["", "", "", "", ""],
    ];

    private static string Number(double value) => Math.Abs(value) < 1e15 && value == Math.Truncate(value) ? value.ToString("F0", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Prints tables and notes.</summary>
    /// <param name="console">Where.</param>
    public void Print(IAnsiConsole console)
    {
        console.WriteLine($"{Title}: {Subject}");
        foreach (ResultTable table in Tables)
            table.Print(console);
        console.WriteLine();
        foreach (string note in Notes)
            console.WriteLine(note);
        console.WriteLine($"device {Device}");
        console.WriteLine(Machine.ToString());
    }
}
