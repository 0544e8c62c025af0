using System.CommandLine;
using Sprint.Bench.Operations;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Kernels;

/// <summary>What kernels are reported.</summary>
/// <param name="Size">S, B, L or XL.</param>
/// <param name="Batch">Images.</param>
/// <param name="Element">How activations are stored.</param>
/// <param name="Filter">Patterns of operations.</param>
/// <param name="Architecture">For which GPU the assembler is asked.</param>
/// <param name="Threads">Threads of the host that emulate.</param>
/// <param name="Gpu">The GPU's number, or null for none.</param>
/// <param name="Repeats">How often a launch is timed on it.</param>
internal sealed record KernelsRequest(string Size, int Batch, ElementType Element, string[] Filter, int Architecture, int Threads, int? Gpu, int Repeats);

/// <summary>The command <c>kernels</c>: every kernel of every operation at the sizes of a model.</summary>
internal static class KernelsCommand
{
    private const double DropRatio = 0.75;
    private static readonly string[] CudaElements = ["fp32", "bf16"];

    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<string> size = Arguments.Word("--model", "At whose sizes.", ModelOptions.Sizes);
        Option<int> batch = Arguments.Number("--batch", "Images.", 1, 1, 1 << 8);
        Option<string> precision = Arguments.Word("--precision", "How activations are stored.", CudaElements);
        Option<string[]> filter = new("--filter") { Description = "Operations, with * for anything.", DefaultValueFactory = static _ => ["*"], AllowMultipleArgumentsPerToken = true, HelpName = "PATTERN" };
        Option<int> architecture = Arguments.Number("--arch", "For which GPU registers and occupancy are reported: 80, 86, 89 or 90.", 80, 80, 999);
        Option<string> device = Arguments.Word("--device", "emulated counts; cuda also times on the first GPU.", "emulated", "cuda");
        Option<int> repeats = Arguments.Number("--repeats", "How often each launch is timed on a GPU.", 20, 1, 10_000);
        Option<int> threads = Arguments.Threads();
        OutputOptions output = new(hasChart: false);
        Command command = new(
            "kernels",
            """
            Reports the CUDA kernels of every operation: registers, spills and occupancy by NVRTC, counters by the emulator, least times by published rates; on a GPU also
            measured times with the second-level cache flushed, the share of the roof, and cuBLAS beside.
            Examples:
              kernels
              kernels --model XL --precision bf16 --filter attention* --arch 90
              kernels --model L --device cuda --repeats 50 --json kernels.json
            """) { size, batch, precision, filter, architecture, device, repeats, threads };
        output.AddTo(command);
        command.SetAction(result =>
        {
            output.Check(result);
            KernelsRequest request = new(
                result.GetValue(size)!,
                result.GetValue(batch),
                result.GetValue(precision) == "bf16" ? ElementType.BFloat16 : ElementType.Float32,
                result.GetValue(filter)!,
                result.GetValue(architecture),
                result.GetValue(threads),
                result.GetValue(device) == "cuda" ? 0 : null,
                result.GetValue(repeats));
            output.Write(Run(request), result);
            return 0;
        });
        return command;
    }

    /// <summary>Runs and describes.</summary>
    /// <param name="request">What.</param>
    /// <exception cref="SprintException">No operation fits the filter, there is no such GPU, or a kernel cannot be had.</exception>
    public static BenchResults Run(KernelsRequest request)
    {
        ModelConfiguration model = ModelConfiguration.Named(request.Size);
        OperationCase[] cases = Choose(OperationCatalog.Of(request.Size, new OperationSizes(model, ModelOptions.Pattern(model, DropRatio), request.Batch)), request.Filter);
        using CudaDevice? gpu = request.Gpu is { } ordinal ? CudaDevice.Open(ordinal) : null;
        KernelLibrary library = new();
        int architecture = gpu?.Context.Device.Architecture ?? request.Architecture;
        KernelAssembly? assembly = library.Compiler is null ? null : new KernelAssembly(library, architecture, model.HeadSize);
        IReadOnlyList<IReadOnlyList<ProbedLaunch>> counted = ProgressDisplay.Run(
            $"{cases.Length} operations on the emulated device", cases.Length, done => KernelRuns.Count(cases, request.Element, request.Threads, done));
        IReadOnlyList<IReadOnlyList<(string Kernel, double[] Seconds)>>? timed = gpu is null ? null : ProgressDisplay.Run(
            $"{cases.Length} operations on {gpu.Context.Device.Name}", cases.Length, done => Time(cases, gpu, request, done));
        KernelFigure[] figures = Figures(cases, counted, timed, assembly);
        List<ResultTable> tables = [KernelTables.Resources(figures, architecture), KernelTables.Counters(figures), KernelTables.Rooflines(figures)];
        List<string> notes = [assembly is null ? "NVRTC is not installed: registers, spills and occupancy are not known, the kernels ran from prebuilt PTX" : $"registers by NVRTC {library.Compiler!.Version}"];
        if (gpu is not null)
        {
            tables.Insert(0, KernelTables.Times(figures, gpu.Context.Device.Name, PublishedRates.Of(gpu.Context.Device)));
            BesideBlas(cases, gpu, request, figures, tables, notes);
        }

        return new BenchResults
        {
            Command = "kernels",
            Title = "CUDA kernels",
            Subject = $"every operation of {request.Size} with its backward pass, batch {request.Batch}, {(request.Element == ElementType.BFloat16 ? "bf16" : "fp32")}, three of four tokens dropped where tokens are",
            Device = gpu is null ? "emulated" : $"{gpu.Name}: {gpu.Description}",
            Measurements = [.. figures.SelectMany(static (figure, index) => Measurements(figure, index))],
            Tables = tables,
            Notes = notes,
        };
    }

    /// <summary>The operations that a pattern fits, with their backward pass where they have one.</summary>
    /// <param name="cases">All cases.</param>
    /// <param name="patterns">With * for anything.</param>
    /// <exception cref="SprintException">None does.</exception>
    public static OperationCase[] Choose(IReadOnlyList<OperationCase> cases, string[] patterns)
    {
        OperationCase[] whole = [.. cases.GroupBy(static found => found.Operation).Select(static group => group.Last())];
        OperationCase[] chosen = [.. whole.Where(found => patterns.Any(pattern => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, found.Operation)))];
        return chosen.Length > 0
            ? chosen
            : throw new SprintException($"--filter '{string.Join(' ', patterns)}' fits no operation: there are {string.Join(", ", whole.Select(static found => found.Operation))}");
    }

    /// <summary>Joins what was counted with what was timed, launch by launch.</summary>
    /// <param name="cases">The operations.</param>
    /// <param name="counted">Their launches on the emulated device.</param>
    /// <param name="timed">Their times on a GPU, or null.</param>
    /// <param name="assembly">What the assembler says, or null.</param>
    /// <exception cref="SprintException">A GPU ran other kernels than the emulated device.</exception>
    public static KernelFigure[] Figures(
        IReadOnlyList<OperationCase> cases,
        IReadOnlyList<IReadOnlyList<ProbedLaunch>> counted,
        IReadOnlyList<IReadOnlyList<(string Kernel, double[] Seconds)>>? timed,
        KernelAssembly? assembly)
    {
        List<KernelFigure> figures = [];
        for (int i = 0; i < cases.Count; i++)
        {
            if (timed is not null && !timed[i].Select(static launch => launch.Kernel).SequenceEqual(counted[i].Select(static launch => launch.Kernel)))
                throw new SprintException($"{cases[i].Name} launches other kernels on the GPU than on the emulated device");
            for (int j = 0; j < counted[i].Count; j++)
                figures.Add(new KernelFigure(cases[i], counted[i][j], assembly?.Report(counted[i][j]), timed is null ? [] : timed[i][j].Seconds));
        }

        return [.. figures];
    }

    private static IReadOnlyList<IReadOnlyList<(string Kernel, double[] Seconds)>> Time(OperationCase[] cases, CudaDevice gpu, KernelsRequest request, Action done)
    {
        KernelRuns.AvoidBlas(gpu);
        using KernelProbe probe = KernelProbe.OnGpu(gpu.Context);
        return KernelRuns.Time(cases, gpu, probe, request.Element, request.Repeats, done);
    }

    private static void BesideBlas(OperationCase[] cases, CudaDevice gpu, KernelsRequest request, KernelFigure[] figures, List<ResultTable> tables, List<string> notes)
    {
        try
        {
            using CudaBlas blas = new(gpu.Stream);
            using KernelProbe probe = KernelProbe.OnGpu(gpu.Context);
            tables.Insert(1, KernelTables.Blas(BlasRuns.Time(cases, figures, gpu, blas, probe, request)));
        }
        catch (SprintException missing)
        {
            notes.Add($"cuBLAS is not beside: {missing.Message}");
        }
    }

    private static IEnumerable<Measurement> Measurements(KernelFigure figure, int index)
    {
        string name = $"{figure.Operation.Name} launch {index} {figure.Launch.Kernel}";
        Roofline roofline = figure.RooflineOn(PublishedRates.A100);
        yield return Measurement.Count($"{name}: FLOPs", "FLOP", roofline.Flops);
        yield return Measurement.Count($"{name}: bytes", "B", roofline.Bytes);
        yield return Measurement.Count($"{name}: bank conflicts", "passes", figure.Launch.Counters!.SharedBankConflicts);
        if (figure.Report is { } report)
        {
            yield return Measurement.Count($"{name}: registers", "", report.Resources.Registers);
            yield return Measurement.Count($"{name}: spills", "B", report.Resources.SpillStoreBytes + report.Resources.SpillLoadBytes);
        }

        if (figure.Seconds.Count > 0)
            yield return Measurement.Of($"{name}: time", "s", Better.Lower, figure.Seconds);
    }
}
