using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Spectre.Console;
using Sprint.Bench.Charts;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Bench;

/// <summary>The options that say where results go: tables in the terminal, or JSON or CSV there or in a file, and a chart in a file.</summary>
/// <param name="hasChart">Whether the command draws a chart.</param>
internal sealed class OutputOptions(bool hasChart)
{
    private const string Terminal = "-";

    private readonly Option<string?> json = File("--json", "Write JSON, which report and compare read, to the file, or instead of the tables where no file is named.");
    private readonly Option<string?> csv = File("--csv", "Write the figures as CSV, a line each, to the file, or instead of the tables where no file is named.");
    private readonly Option<string?> chart = new("--chart") { Description = "Draw the chart as FILE.svg or FILE.png.", HelpName = "FILE" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(json);
        command.Options.Add(csv);
        if (hasChart)
            command.Options.Add(chart);
    }

    /// <summary>Refuses what could not be written before anything long is begun.</summary>
    /// <exception cref="SprintException">A file cannot be written, the chart's name has another ending than those of pictures, or both texts are for the terminal.</exception>
    public void Check(ParseResult result)
    {
        (string? jsonTarget, string? csvTarget) = (result.GetValue(json), result.GetValue(csv));
        if (jsonTarget == Terminal && csvTarget == Terminal)
            throw new SprintException("--json and --csv would both go to the terminal: name a file after one of them");
        string? picture = hasChart ? result.GetValue(chart) : null;
        if (picture is not null)
            ChartFile.Check(picture);
        foreach (string? target in new[] { jsonTarget, csvTarget, picture })
        {
            if (IsFile(target))
                AtomicFile.RequireWritable(target);
        }
    }

    /// <summary>Writes results where the options say.</summary>
    /// <exception cref="SprintException">A file cannot be written.</exception>
    public void Write(BenchResults results, ParseResult result)
    {
        string? jsonTarget = result.GetValue(json);
        string? csvTarget = result.GetValue(csv);
        if (jsonTarget == Terminal)
            Console.Out.Write(results.ToJson());
        else if (csvTarget == Terminal)
            Console.Out.Write(results.ToCsv());
        else
            results.Print(AnsiConsole.Console);
        if (IsFile(jsonTarget))
            Save(jsonTarget, results.ToJson());
        if (IsFile(csvTarget))
            Save(csvTarget, results.ToCsv());
        if (hasChart && result.GetValue(chart) is { } path)
        {
            ChartFile.Save(path, results.Charts[0]);
            Console.Error.WriteLine($"written: {path}");
        }
    }

    private static void Save(string path, string text)
    {
        AtomicFile.WriteText(path, text);
        Console.Error.WriteLine($"written: {path}");
    }

    private static bool IsFile([NotNullWhen(true)] string? target) => target is not null and not Terminal;

    private static Option<string?> File(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "FILE",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result => result.Tokens.Count == 1 ? result.Tokens[0].Value : Terminal,
    };
}
