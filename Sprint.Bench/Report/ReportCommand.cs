using System.CommandLine;
using Sprint.Bench.Counting;
using Sprint.Bench.Results;
using Sprint.Bench.Steps;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Report;

/// <summary>The command <c>report</c>: everything in one page.</summary>
internal static class ReportCommand
{
    private const int StepRounds = 12;
    private const int StepWarmup = 4;
    private static readonly string[] Order = ["flops", "published", "step", "peers", "micro", "kernels"];
    private static readonly double[] StepRatios = [0.25, 0.5, 0.75, 0.875];

    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Argument<string[]> files = new("RESULTS.json")
        {
            Description = "Results of other commands, written with --json; flops, published and step are counted or measured now where they are not given; micro, kernels and peers, which take minutes, are left out.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        ModelOptions model = new("XL");
        Option<string> page = new("--out") { Description = "The page.", DefaultValueFactory = static _ => "report.html", HelpName = "FILE.html" };
        Option<int> threads = Arguments.Threads();
        Command command = new(
            "report",
            """
            Writes everything into one HTML page that needs no network: counts, published figures, measured steps, and what other commands left.
            Examples:
              report
              report --model B --out b.html
              report step.json micro.json peers.json --out all.html
            """) { files, page, threads };
        model.AddTo(command);
        command.SetAction(result =>
        {
            string path = result.GetValue(page)!;
            AtomicFile.RequireWritable(path);
            List<BenchResults> sections = [.. result.GetValue(files)!.Select(BenchResults.Read)];
            TrainingConfiguration configuration = model.Read(result);
            Complete(sections, configuration, result.GetValue(model.Drop)!, result.GetValue(threads));
            AtomicFile.WriteText(path, HtmlReport.Page([.. sections.OrderBy(static section => Place(section.Command))], Missing(sections)));
            Console.Error.WriteLine($"written: {path}");
            return 0;
        });
        return command;
    }

    private static void Complete(List<BenchResults> sections, TrainingConfiguration configuration, double[] ratios, int threads)
    {
        if (!Has("flops"))
            sections.Add(FlopsCommand.Count(configuration, ratios, batch: null));
        if (!Has("published"))
            sections.Add(PublishedCommand.Describe(new PublishedFigures()));
        if (!Has("step"))
        {
            ModelConfiguration small = new() { ContextSize = 32, PatchSize = 4, HiddenSize = 128, NumHeads = 4 };
            using Device device = StepCommand.Open("cpu", threads);
            sections.Add(StepCommand.Measure(new StepRequest(small, StepRatios, Batch: 32, Trains: true, StepRounds, StepWarmup, Profiles: false), device));
        }

        bool Has(string command) => sections.Any(section => section.Command == command);
    }

    private static IReadOnlyList<string> Missing(List<BenchResults> sections) =>
    [
        .. Order.Where(command => sections.All(section => section.Command != command))
            .Select(static command => $"{command}: run {command} --json {command}.json and give report the file"),
    ];

    private static int Place(string command) => Array.IndexOf(Order, command) is var place && place < 0 ? Order.Length : place;
}
