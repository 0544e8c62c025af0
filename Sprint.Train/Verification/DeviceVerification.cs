using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Measurement;
using Sprint.Model.Configuration;
using Sprint.Model.Verification;

namespace Sprint.Train;

/// <summary>
/// <c>sprint verify --all</c>: everything that tells whether a CUDA device computes what it should and as fast as it could. Values against the numbers of
/// the reference implementation that come with the project, in float32 and bfloat16; the same bits in a second run and as a CUDA graph; each kernel's traffic as the
/// emulator counts it, and on a GPU its time beside its roof, products beside cuBLAS and whole training steps.
/// </summary>
internal sealed class DeviceVerification(CudaDevice device)
{
    private const string GoldenFolder = "Sprint.Tests/Golden";
    private const int TimedBatch = 256;
    private const int StepBatch = 64;

    private static readonly int[] Architectures = [80, 86, 89, 90];

    /// <summary>The extents with which kernels are counted.</summary>
    internal KernelShape CountedShape { get; init; } = KernelShape.ExtraLarge(1);

    /// <summary>The folders of reference numbers; null for all that come with the project.</summary>
    internal IReadOnlyList<string>? GoldenFolders { get; init; }

    /// <summary>In what values are computed.</summary>
    internal IReadOnlyList<Precision> Precisions { get; init; } = Enum.GetValues<Precision>();

    private bool IsEmulated => device.Context.Device.IsEmulated;

    /// <summary>Runs all of it.</summary>
    /// <param name="told">Hears what is being done.</param>
    internal DeviceReport Run(Action<string> told)
    {
        told("values against the reference implementation's");
        List<ValueCheck> values = Values();
        told("the same training steps again, and as a CUDA graph");
        IReadOnlyList<RerunCheck> reruns = StepVerification.Reruns(device);
        told("what each kernel moves and computes, on the emulator");
        List<KernelLine> kernels = Kernels(told);
        IReadOnlyList<ProductComparison> products = [];
        IReadOnlyList<StepTiming> steps = [];
        if (!IsEmulated)
        {
            told("matrix products beside cuBLAS");
            products = ProductComparison.Run(device, KernelShape.ExtraLarge(TimedBatch));
            device.Trim();
            told("training steps");
            steps = StepVerification.Times(device, StepBatch);
        }

        return new DeviceReport(
            device.Name,
            device.Description,
            IsEmulated ? "of the emulator" : $"CUDA {device.Context.DriverVersion}",
            device.Library.Compiler is { } compiler ? $"NVRTC {compiler.Version}" : "prebuilt PTX",
            DeviceReport.CommitOfBuild,
            values,
            reruns,
            kernels,
            products,
            steps)
        {
            Rates = IsEmulated ? null : PublishedRates.Of(device.Context.Device),
        };
    }

    private List<ValueCheck> Values()
    {
        string folder = ProjectFiles.Find(GoldenFolder);
        if (!Directory.Exists(folder))
        {
            throw new SprintException($"the reference's numbers are not here: they are in {GoldenFolder} of the project's checkout; run the command inside of it");
        }

        var checks = new List<ValueCheck>();
        foreach (string golden in GoldenFolders?.Select(name => Path.Combine(folder, name)) ?? Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            foreach (Precision precision in Precisions)
            {
                var verifier = new GoldenVerifier(device, golden, precision);
                checks.AddRange(verifier.CaseFiles.SelectMany(verifier.Run).Select(result => Describe(Path.GetFileName(golden), precision, result)));
            }
        }

        return checks;
    }

    private static ValueCheck Describe(string folder, Precision precision, GoldenCase result) => new(
        folder,
        precision.Name(),
        result.Name,
        result.Passes,
        result.Failure ?? (result.Worst is { } worst ? string.Create(CultureInfo.InvariantCulture, $"{worst.Name}: {worst.Error:0.0e0} of {worst.Tolerance:0.0e0}") : "nothing was compared"));

    private List<KernelLine> Kernels(Action<string> told)
    {
        IReadOnlyList<KernelMeasurement> counted = KernelMeasurer.Count(CountedShape);
        Queue<KernelMeasurement>? timed = null;
        if (!IsEmulated)
        {
            told("each kernel on the GPU");
            timed = new(KernelMeasurer.Time(device, CountedShape with { Batch = TimedBatch }).Where(static measured => measured.Least is not null));
        }

        return
        [
            .. counted.Where(static line => line.Least is not null).Select(line => new KernelLine(
                line, timed?.FirstOrDefault(measured => IsSame(measured, line))?.Seconds, CountedShape.Batch, TimedBatch, Residencies(timed?.FirstOrDefault(measured => IsSame(measured, line)) ?? line))),
        ];

        static bool IsSame(KernelMeasurement one, KernelMeasurement other) =>
            (one.Workload, one.Element, one.Launch.Kernel) == (other.Workload, other.Element, other.Launch.Kernel);
    }

    private Residency[] Residencies(KernelMeasurement measurement)
    {
        if (device.Library.Compiler is not { } compiler)
        {
            return [];
        }

        LaunchDescription launch = measurement.Launch;
        return
        [
            .. Architectures.Intersect(compiler.SupportedArchitectures).Select(architecture =>
            {
                KernelResources resources = device.Library.Get(launch.Specialization, CudaTarget.Cubin(architecture)).Program.Resources.First(kernel => kernel.Kernel == launch.Kernel);
                CudaOccupancy occupancy = MultiprocessorLimits.Of(architecture).GetOccupancy(resources, (int)launch.Block.Count, launch.DynamicSharedBytes);
                return new Residency(architecture, resources.Registers, occupancy.Blocks, occupancy.Fraction);
            }),
        ];
    }

    /// <summary>Shows the verdicts and writes the report.</summary>
    /// <param name="report">What was found.</param>
    /// <param name="path">Where to write, without the extension.</param>
    internal static void Write(DeviceReport report, string path)
    {
        File.WriteAllText(path + ".md", report.ToMarkdown());
        File.WriteAllText(path + ".json", report.ToJson());
        Table table = new Table().Border(TableBorder.Simple).AddColumn("check").AddColumn("verdict").AddColumn("");
        foreach (ValueCheck check in report.Values)
        {
            table.AddRow(Markup.Escape($"{check.Folder}, {check.Precision}: {check.Case}"), Verdict(check.Passes), Markup.Escape(check.Detail));
        }

        foreach (RerunCheck check in report.Reruns)
        {
            table.AddRow(Markup.Escape(check.Name), Verdict(check.Passes), Markup.Escape(check.Detail));
        }

        AnsiConsole.Write(table);
        Console.WriteLine($"{report.Kernels.Count} kernels, {report.Products.Count} products beside cuBLAS and {report.Steps.Count} kinds of training steps are in {path}.md and {path}.json");
        AnsiConsole.MarkupLine(report.Passes ? "[green]Everything passes.[/]" : "[red]Not everything passes.[/]");
    }

    private static string Verdict(bool passes) => passes ? "[green]pass[/]" : "[red]FAIL[/]";
}
