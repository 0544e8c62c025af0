using System.CommandLine;
using System.IO.Enumeration;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Sprint.Bench.Operations;
using Sprint.Bench.Results;
using Sprint.Engine;

namespace Sprint.Bench.Micro;

/// <summary>The command <c>micro</c>: BenchmarkDotNet over every operation at the sizes of the published models.</summary>
internal static class MicroCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<string[]> filter = new("--filter")
        {
            Description = "Cases to run, MODEL/OPERATION/PASS with * for anything; one that any pattern fits runs.",
            DefaultValueFactory = static _ => ["S/*"],
            AllowMultipleArgumentsPerToken = true,
            HelpName = "PATTERN",
        };
        Option<bool> list = new("--list") { Description = "Print the cases and run nothing." };
        Option<int> batch = Arguments.Number("--batch", "Images.", 4, 1, 1 << 8);
        Option<int> threads = Arguments.Threads();
        Option<string> job = Arguments.Word("--job", "short: 3 warm-up and 8 measured iterations of 100 ms; thorough: as many as BenchmarkDotNet finds needed.", "short", "thorough");
        Option<string> artifacts = new("--artifacts") { Description = "Folder for BenchmarkDotNet's markdown, JSON and log.", DefaultValueFactory = static _ => Path.Combine("artifacts", "micro"), HelpName = "FOLDER" };
        OutputOptions output = new(hasChart: false);
        Command command = new(
            "micro",
            """
            Runs BenchmarkDotNet over every operation and matrix product at the sizes of S, B, L and XL on the CPU, with GFLOP/s, GB/s and share of the measured peak.
            Examples:
              micro
              micro --filter */linear* --threads 1
              micro --filter XL/attention*/forward S/* --job thorough --artifacts results
              micro --list
            """) { filter, list, batch, threads, job, artifacts };
        output.AddTo(command);
        command.SetAction(result =>
        {
            (int images, int workers) = (result.GetValue(batch), result.GetValue(threads));
            OperationCase[] chosen = Choose(OperationBenchmarks.Cases(images), result.GetValue(filter)!);
            if (result.GetValue(list))
            {
                foreach (OperationCase found in chosen)
                    Console.WriteLine($"{found.Name,-44} {found.Shape}");
                return 0;
            }

            output.Check(result);
            output.Write(Run(chosen, images, workers, result.GetValue(job) == "thorough", CreateFolder(result.GetValue(artifacts)!)), result);
            return 0;
        });
        return command;
    }

    /// <summary>The cases that any of the patterns fits.</summary>
    /// <param name="cases">All cases.</param>
    /// <param name="patterns">With * for anything and ? for any letter, whatever the case.</param>
    /// <exception cref="SprintException">None does.</exception>
    public static OperationCase[] Choose(IEnumerable<OperationCase> cases, string[] patterns)
    {
        OperationCase[] all = [.. cases];
        OperationCase[] chosen = [.. all.Where(found => patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, found.Name)))];
        return chosen.Length > 0
            ? chosen
            : throw new SprintException($"--filter '{string.Join(' ', patterns)}' fits no case: cases are MODEL/OPERATION/PASS such as {all[0].Name}, with * for anything, and --list --filter * prints all");
    }

    private static BenchResults Run(OperationCase[] cases, int batch, int threads, bool thorough, string folder)
    {
        OperationBenchmarks.Choose(cases, batch, threads);
        string[] keys = [.. OperationBenchmarks.Keys];
        Dictionary<string, AccountTotal> counts = keys.Zip(cases, static (key, found) => (key, found)).ToDictionary(static pair => pair.key, static pair => pair.found.Count());
        MachinePeak peak = MachinePeak.Measure(threads);
        Summary summary = ProgressDisplay.Run($"{cases.Length} benchmarks, files go to {folder}", cases.Length, done =>
        {
            OperationBenchmarks.CaseDone = done;
            return BenchmarkRunner.Run<OperationBenchmarks>(Configure(counts, peak, thorough, folder));
        });
        if (summary.HasCriticalValidationErrors || summary.Reports.Any(static report => !report.Success))
            throw new SprintException($"BenchmarkDotNet could not run every case; {string.Join(" ", summary.ValidationErrors.Select(static error => error.Message))} its log is in {folder}");
        return MicroReport.Describe(summary, keys.Zip(cases).ToDictionary(static pair => pair.First, static pair => pair.Second), counts, peak, threads, batch, folder);
    }

    private static ManualConfig Configure(Dictionary<string, AccountTotal> counts, MachinePeak peak, bool thorough, string folder)
    {
        Job job = thorough ? Job.Default : Job.Default.WithWarmupCount(3).WithIterationCount(8).WithIterationTime(TimeInterval.FromMilliseconds(100));

        // In this process: operations of microseconds to milliseconds on threads of their own do not depend on what a process ran before, methods are compiled in full at once
        // here (Sprint.Bench.csproj), and nothing has to be built, so that it runs where there is no source.
        job = job.WithToolchain(InProcessEmitToolchain.Instance);
        return ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddLogger(NullLogger.Instance)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Params, DefaultColumnProviders.Statistics, DefaultColumnProviders.Metrics)
            .AddColumn(
                new RateColumn("GFLOP/s", "counted floating-point operations over the median time", static (total, seconds) => $"{total.Flops / seconds / 1e9:F1}", counts),
                new RateColumn("GB/s", "counted bytes over the median time", static (total, seconds) => $"{(total.BytesRead + total.BytesWritten) / seconds / 1e9:F1}", counts),
                new RateColumn("of peak", "least time by the machine's measured peaks of arithmetic and memory over the median time", (total, seconds) => Text.Percent(peak.LeastSeconds(total) / seconds), counts))
            .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(80))
            .AddExporter(MarkdownExporter.GitHub, JsonExporter.Full)
            .WithOptions(ConfigOptions.JoinSummary)
            .WithArtifactsPath(folder);
    }

    private static string CreateFolder(string folder)
    {
        if (string.IsNullOrWhiteSpace(folder))
            throw new SprintException($"--artifacts '{folder}' names no folder: give one, e.g. artifacts/micro");
        try
        {
            return Directory.CreateDirectory(folder).FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"--artifacts '{folder}' cannot be written: {exception.Message}", exception);
        }
    }
}
