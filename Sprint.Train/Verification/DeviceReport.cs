using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Sprint.Engine;
using Sprint.Engine.Measurement;
using Sprint.Model.Verification;

namespace Sprint.Train;

/// <summary>Cases of a folder of reference numbers.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Precision">In what the device computed.</param>
/// <param name="Case">The case.</param>
/// <param name="Passes">Whether every tensor is within its tolerance.</param>
/// <param name="Detail">The tensor nearest to its tolerance, with its error; or what failed.</param>
internal sealed record ValueCheck(string Folder, string Precision, string Case, bool Passes, string Detail);

/// <summary>A kernel's registers and how many blocks of it a multiprocessor holds.</summary>
/// <param name="Architecture">The architecture, e.g. 80.</param>
/// <param name="Registers">Registers a thread.</param>
/// <param name="Blocks">Resident blocks.</param>
/// <param name="Occupancy">Resident warps over possible warps.</param>
internal sealed record Residency(int Architecture, int Registers, int Blocks, double Occupancy);

/// <summary>A line of the report about one kernel.</summary>
/// <param name="Counted">What the emulator counted.</param>
/// <param name="Seconds">What a GPU took for <paramref name="TimedBatch"/> samples, or null.</param>
/// <param name="CountedBatch">Samples that were counted.</param>
/// <param name="TimedBatch">Samples that were timed.</param>
/// <param name="Residencies">Registers and blocks of each architecture; empty without NVRTC.</param>
internal sealed record KernelLine(KernelMeasurement Counted, double? Seconds, int CountedBatch, int TimedBatch, IReadOnlyList<Residency> Residencies)
{
    /// <summary>The share of its roof that the kernel reached, or null where it was not timed or the GPU's rates are not known.</summary>
    internal double? ShareOfRoof(PublishedRates? rates) =>
        rates is null || Seconds is not { } seconds ? null : Counted.Roof(rates).Seconds * TimedBatch / CountedBatch / seconds;
}

/// <summary>What <c>sprint verify --all</c> found, as Markdown for people and JSON for programs.</summary>
internal sealed record DeviceReport(
    string Device,
    string Description,
    string Driver,
    string Compiler,
    string Commit,
    IReadOnlyList<ValueCheck> Values,
    IReadOnlyList<RerunCheck> Reruns,
    IReadOnlyList<KernelLine> Kernels,
    IReadOnlyList<ProductComparison> Products,
    IReadOnlyList<StepTiming> Steps)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal bool Passes => Values.All(static check => check.Passes) && Reruns.All(static check => check.Passes);

    /// <summary>The rates of the device, where they are known.</summary>
    internal PublishedRates? Rates { get; init; }

    internal static string CommitOfBuild =>
        typeof(DeviceReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit, ..] ? commit : "unknown";

    internal string ToJson() => JsonSerializer.Serialize(
        new
        {
            Device,
            Description,
            Driver,
            Compiler,
            Commit,
            DotNet = Environment.Version.ToString(),
            System = RuntimeInformation.OSDescription,
            Passes,
            Values,
            Reruns,
            Kernels = Kernels.Select(line => new
            {
                line.Counted.Workload,
                Element = line.Counted.Element.ToString(),
                line.Counted.Launch.Kernel,
                line.CountedBatch,
                LeastBytes = line.Counted.Least?.Bytes,
                line.Counted.Flops,
                SectorBytes = 32 * line.Counted.Counted!.GlobalSectors,
                SectorEfficiency = Efficiency(line),
                line.Counted.Counted.SharedBankConflicts,
                Roofs = PublishedRates.All.ToDictionary(static rates => rates.Name, rates => line.Counted.Roof(rates).Seconds),
                line.Residencies,
                line.TimedBatch,
                line.Seconds,
                ShareOfRoof = line.ShareOfRoof(Rates),
            }),
            Products = Products.Select(static product => new
            {
                Form = product.Form.ToString(),
                Element = product.Element.ToString(),
                product.M,
                product.N,
                product.K,
                product.Seconds,
                product.BlasSeconds,
            }),
            Steps = Steps.Select(static step => new { step.Model, Precision = step.Precision.ToString(), step.DropRatio, step.Batch, step.IsReplayed, step.Seconds, step.ImagesPerSecond, step.Flops }),
        },
        Indented);

    internal string ToMarkdown()
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {Device}: {(Passes ? "everything passes" : "NOT everything passes")}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Description}. Driver {Driver}, {Compiler}, .NET {Environment.Version}, {RuntimeInformation.OSDescription}; commit {Commit}.").AppendLine();
        text.AppendLine("## Values against the reference's").AppendLine().AppendLine("| folder | precision | case | verdict | nearest to its tolerance |").AppendLine("|---|---|---|---|---|");
        foreach (ValueCheck check in Values)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {check.Folder} | {check.Precision} | {check.Case} | {Verdict(check.Passes)} | {check.Detail} |");
        }

        text.AppendLine().AppendLine("## The same bits again").AppendLine().AppendLine("| run | verdict | |").AppendLine("|---|---|---|");
        foreach (RerunCheck check in Reruns)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {check.Name} | {Verdict(check.Passes)} | {check.Detail} |");
        }

        text.AppendLine().AppendLine("## Kernels").AppendLine().Append(KernelTable());
        if (Products.Count > 0)
        {
            text.AppendLine().AppendLine("## Products beside cuBLAS").AppendLine().AppendLine("| form | element | m x n x k | ms | TFLOP/s | cuBLAS, ms | TFLOP/s |").AppendLine("|---|---|---|---|---|---|---|");
            foreach (ProductComparison product in Products)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {product.Form} | {product.Element} | {product.M} x {product.N} x {product.K} | {product.Seconds * 1e3:G3} | {product.Flops / product.Seconds / 1e12:G3} | {(product.BlasSeconds is { } blas ? $"{(blas * 1e3).ToString("G3", CultureInfo.InvariantCulture)} | {(product.Flops / blas / 1e12).ToString("G3", CultureInfo.InvariantCulture)}" : "not installed | ")} |");
            }
        }

        if (Steps.Count > 0)
        {
            text.AppendLine().AppendLine("## Training steps").AppendLine().AppendLine("| model | precision | drop | batch | graph | ms | images/s | TFLOP/s |").AppendLine("|---|---|---|---|---|---|---|---|");
            foreach (StepTiming step in Steps)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {step.Model} | {step.Precision} | {step.DropRatio} | {step.Batch} | {(step.IsReplayed ? "replayed" : "no")} | {step.Seconds * 1e3:G4} | {step.ImagesPerSecond:G4} | {step.Flops / step.Seconds / 1e12:G3} |");
            }
        }

        return text.ToString();
    }

    /// <summary>The table of docs/performance.md, with the device's times beside where it was timed.</summary>
    internal string KernelTable()
    {
        bool isTimed = Kernels.Any(static line => line.Seconds is not null);
        int[] architectures = [.. Kernels.SelectMany(static line => line.Residencies).Select(static residency => residency.Architecture).Distinct().Order()];
        StringBuilder text = new();
        text.Append("| kernel | element | MB | GFLOP | FLOP/byte | A100, us | H100, us | RTX 4090, us | bound on A100 | sectors used | registers");
        text.Append(architectures.Length == 0 ? "" : $", blocks, occupancy: {string.Join("; ", architectures.Select(static architecture => $"sm_{architecture}"))}").Append(" |");
        text.AppendLine(isTimed ? " measured, us | of its roof |" : "");
        text.Append("|---|---|---|---|---|---|---|---|---|---|---|").AppendLine(isTimed ? "---|---|" : "");
        foreach (IGrouping<string, KernelLine> workload in Kernels.Where(static line => line.Counted.Least is not null).GroupBy(static line => line.Counted.Workload))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| *{workload.Key}* | | | | | | | | | | |{(isTimed ? " | |" : "")}");
            foreach (KernelLine line in workload)
            {
                Append(text, line, isTimed);
            }
        }

        return text.ToString();
    }

    private static double Efficiency(KernelLine line) =>
        line.Counted.Counted is { GlobalSectors: > 0 } counted ? (double)counted.GlobalIdealSectors / counted.GlobalSectors : 1;

    private static string Verdict(bool passes) => passes ? "pass" : "**FAIL**";

    private void Append(StringBuilder text, KernelLine line, bool isTimed)
    {
        KernelMeasurement kernel = line.Counted;
        long bytes = kernel.Least!.Bytes;
        string registers = string.Join("; ", line.Residencies.Select(static residency => string.Create(CultureInfo.InvariantCulture, $"{residency.Registers}, {residency.Blocks}, {100 * residency.Occupancy:0}%")));
        text.Append(CultureInfo.InvariantCulture, $"| `{kernel.Launch.Kernel}` | {(kernel.Element == ElementType.BFloat16 ? "bf16" : "fp32")} | {bytes / 1e6:0.00} | {kernel.Flops / 1e9:0.000} | {(double)kernel.Flops / bytes:0.#} ");
        foreach (PublishedRates rates in PublishedRates.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {kernel.Roof(rates).Seconds * 1e6:0.00} ");
        }

        text.Append(CultureInfo.InvariantCulture, $"| {(kernel.Roof(PublishedRates.A100).BoundByMemory ? "memory" : "arithmetic")} | {100 * Efficiency(line):0}% | {registers} |");
        if (isTimed)
        {
            text.Append(CultureInfo.InvariantCulture, $" {line.Seconds * 1e6:0.0} | {(line.ShareOfRoof(Rates) is { } share ? $"{100 * share:0}%" : "")} |");
        }

        text.AppendLine();
    }
}
