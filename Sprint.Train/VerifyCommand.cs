using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Verification;

namespace Sprint.Train;

/// <summary>The command <c>verify</c>: compares the engine with a reference's numbers.</summary>
internal static class VerifyCommand
{
    internal static Command Create()
    {
        var folder = new Argument<string?>("FOLDER") { Description = "A folder with config.json, weights.safetensors and case files, such as Sprint.Tests/Golden/tiny.", Arity = ArgumentArity.ZeroOrOne };
        var everything = new Option<bool>("--all")
        {
            Description = "Instead of one folder everything that tells whether a CUDA device is right and fast: the project's own folders in fp32 and bf16, reruns bit by bit, every kernel. Writes a report.",
        };
        var output = new Option<string?>("--out") { Description = "With --all: where the report goes, PATH.md and PATH.json; without it verify-DEVICE in the current folder.", HelpName = "PATH" };
        var all = new Option<bool>("--tensors") { Description = "Show every tensor instead of the worst of each case." };
        var device = new DeviceOption();
        var precision = new PrecisionOption("without it fp32");
        var command = new Command(
            "verify",
            "Compare outputs, gradients, optimizer steps and samplers with a reference's stored numbers.\nExample:\n  sprint verify Sprint.Tests/Golden/tiny\n  sprint verify Sprint.Tests/Golden/tiny --device emulated --precision bf16\n  sprint verify --all --device cuda") { folder, all, everything, output };
        device.AddTo(command);
        precision.AddTo(command);
        command.SetAction(result =>
        {
            string? path = result.GetValue(folder);
            if (!result.GetValue(everything))
            {
                return result.GetValue(output) is null
                    ? Run(path ?? throw new SprintException($"FOLDER is missing: {folder.Description} Or --all for everything on a CUDA device"), result.GetValue(all), precision.Get(result) ?? Precision.Fp32, () => device.Open(result))
                    : throw new SprintException("--out is where --all writes its report: give --all, or leave --out away");
            }

            return path is null && !result.GetValue(all) && precision.Get(result) is null
                ? RunAll(() => device.Open(result), result.GetValue(output))
                : throw new SprintException("--all runs the project's own folders in every precision: leave FOLDER, --tensors and --precision away");
        });
        return command;
    }

    private static int Run(string folder, bool everyTensor, Precision precision, Func<Device> open)
    {
        using Device device = open();
        if (!device.Executes)
        {
            throw new SprintException($"device {device.Name} computes no numbers to verify: choose cpu, emulated or cuda");
        }

        var verifier = new GoldenVerifier(device, folder, precision);
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumn("case").AddColumn(new TableColumn("tensors").RightAligned()).AddColumn(everyTensor ? "tensor" : "nearest to its tolerance")
            .AddColumn(new TableColumn("error").RightAligned()).AddColumn(new TableColumn("allowed").RightAligned()).AddColumn("measure").AddColumn("verdict");
        if (precision != Precision.Fp32)
        {
            table.AddColumn(new TableColumn("plain implementation").RightAligned()).AddColumn(new TableColumn("ratio").RightAligned()).AddColumn(new TableColumn("at most").RightAligned());
        }

        bool passes = true;
        foreach (string file in verifier.CaseFiles)
        {
            foreach (GoldenCase result in verifier.Run(file))
            {
                passes &= result.Passes;
                AddRows(table, result, everyTensor);
            }
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(passes ? "[green]Every case passes.[/]" : "[red]Not every case passes.[/]");
        return passes ? ExitCode.Success : ExitCode.Failed;
    }

    private static int RunAll(Func<Device> open, string? path)
    {
        using Device opened = open();
        CudaDevice device = opened as CudaDevice
            ?? throw new SprintException($"--all verifies CUDA kernels, which device {opened.Name} does not run: choose --device cuda or emulated, or give verify a folder");
        path ??= $"verify-{device.Name.Replace(':', '-')}";
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            throw new SprintException($"--out {path}: there is no folder '{folder}': make it first");
        }

        DeviceReport report = new DeviceVerification(device).Run(static doing => Console.WriteLine($"{doing} ..."));
        DeviceVerification.Write(report, path);
        return report.Passes ? ExitCode.Success : ExitCode.Failed;
    }

    private static void AddRows(Table table, GoldenCase result, bool everyTensor)
    {
        string count = result.Comparisons.Count.ToString(CultureInfo.InvariantCulture);
        if (result.Failure is { } failure)
        {
            table.AddRow(Markup.Escape(result.Name), count, Markup.Escape(failure), "", "", "", Verdict(false));
            return;
        }

        // A failing case shows each tensor that fails.
        IEnumerable<TensorComparison> shown = everyTensor ? result.Comparisons
            : result.Passes ? [result.Worst!]
            : result.Comparisons.Where(comparison => !comparison.Passes);
        foreach (TensorComparison comparison in shown)
        {
            string[] cells =
            [
                Markup.Escape(result.Name),
                count,
                Markup.Escape(comparison.Name),
                comparison.Error.ToString("0.0e0", CultureInfo.InvariantCulture),
                comparison.Tolerance.ToString("0.0e0", CultureInfo.InvariantCulture),
                comparison.Rule,
                Verdict(comparison.Passes),
                .. Plain(comparison),
            ];
            table.AddRow([.. cells.Select(cell => new Markup(cell))]);
        }
    }

    /// <summary>In low precision: the plain implementation's error, and the ratio of the two beside the one allowed.</summary>
    private static string[] Plain(TensorComparison comparison) => comparison.PlainError is not { } plain ? [] :
    [
        plain.ToString("0.0e0", CultureInfo.InvariantCulture),
        (comparison.Error / plain).ToString("0.00", CultureInfo.InvariantCulture),
        comparison.Factor.ToString("0", CultureInfo.InvariantCulture),
    ];

    private static string Verdict(bool passes) => passes ? "[green]pass[/]" : "[red]FAIL[/]";
}
