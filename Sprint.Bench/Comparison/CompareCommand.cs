using System.CommandLine;
using System.Globalization;
using Sprint.Bench.Results;
using Sprint.Engine;

namespace Sprint.Bench.Comparison;

/// <summary>The command <c>compare</c>: what changed from one run to another beyond noise.</summary>
internal static class CompareCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Argument<string> before = new("OLD.json") { Description = "The older results." };
        Argument<string> after = new("NEW.json") { Description = "The newer results, of the same command." };
        Option<double> floor = new("--floor")
        {
            Description = "The least change in percent that counts, however quiet the measurements were.",
            DefaultValueFactory = static _ => 3,
            HelpName = "PERCENT",
            CustomParser = static result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double percent) && percent is >= 0 and <= 100)
                    return percent;
                result.AddError($"--floor is '{text}'; it must be a number of percent from 0 to 100.");
                return 0;
            },
        };
        OutputOptions output = new(hasChart: false);
        Command command = new(
            "compare",
            """
            Compares two results written with --json and flags what changed beyond noise; exit code 1 where something became worse.
            Examples:
              compare old.json new.json
              compare old.json new.json --floor 5
            """) { before, after, floor };
        output.AddTo(command);
        command.SetAction(result =>
        {
            output.Check(result);
            (string oldPath, string newPath) = (result.GetValue(before)!, result.GetValue(after)!);
            (BenchResults old, BenchResults current) = (BenchResults.Read(oldPath), BenchResults.Read(newPath));
            if (old.Command != current.Command)
                throw new SprintException($"'{oldPath}' holds results of {old.Command} and '{newPath}' of {current.Command}: compare two of the same command");
            NoiseRule rule = new(result.GetValue(floor) / 100);
            IReadOnlyList<ComparedFigure> figures = ResultComparison.Of(old, current, rule);
            output.Write(Describe(old, current, figures, rule), result);
            return figures.Any(static figure => figure.Verdict == Verdict.Worse) ? 1 : 0;
        });
        return command;
    }

    private static BenchResults Describe(BenchResults old, BenchResults current, IReadOnlyList<ComparedFigure> figures, NoiseRule rule) => new()
    {
        Command = "compare",
        Title = "Two runs compared",
        Subject = $"{current.Command}: {current.Subject}",
        Device = current.Device,
        Tables = [ResultComparison.Table(figures, rule)],
        Notes =
        [
            $"old: {old.Date:yyyy-MM-dd HH:mm} UTC, {old.Device}; {old.Machine}",
            $"new: {current.Date:yyyy-MM-dd HH:mm} UTC, {current.Device}; {current.Machine}",
            .. (old.Title, old.Subject) == (current.Title, current.Subject) ? (IEnumerable<string>)[] : [$"the subjects differ: old {old.Title}, {old.Subject}; new {current.Title}, {current.Subject}"],
            .. figures.Any(static figure => figure.Verdict == Verdict.Elsewhere) ? (IEnumerable<string>)["the runs are of different machines or devices: times are shown but not judged"] : [],
        ],
    };
}
