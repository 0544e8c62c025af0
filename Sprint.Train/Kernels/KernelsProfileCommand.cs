using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>The command <c>kernels profile</c>: runs a kernel on the emulated device and shows what it executed.</summary>
internal static class KernelsProfileCommand
{
    internal static Command Create()
    {
        var launch = new LaunchOptions();
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of tables." };
        var command = new Command(
            "profile",
            $"""
            Run a kernel on the emulated device and count: instructions by kind, FLOPs, bytes in each memory space, sectors, bank conflicts, divergent branches.
            Examples:
              sprint kernels profile scale.cu --grid 4 --block 256 --arg f32[1024]=iota --arg f32:0.5 --arg i32:1024
              sprint kernels profile scale.cu --grid 4 --block 256 --arg f32[1024]=iota --arg f32:0.5 --arg i32:1024 --json

            {LaunchOptions.Remarks}
            """);
        launch.AddTo(command);
        command.Options.Add(json);
        command.SetAction(result => Run(launch.Read(result), result.GetValue(json)));
        return command;
    }

    private static int Run(LaunchRequest request, bool json)
    {
        if (request.Device is not null)
        {
            throw new SprintException("a GPU does not count what a kernel executes: profile with --device emulated, or use NVIDIA Nsight Compute");
        }

        KernelRun run = json ? Silently(() => KernelRun.Execute(request, counters: true)) : KernelRun.Execute(request, counters: true);
        if (json)
        {
            Console.WriteLine(ProfileJson.Write(request, run));
            return ExitCode.Success;
        }

        LaunchStatistics counts = run.Statistics!;
        Console.WriteLine($"{run.Kernel.Signature}, grid {request.Grid}, block {request.Block}, {request.SharedBytes} bytes of dynamic shared memory");
        WriteCounters(run, counts);
        WriteKinds(counts);
        WriteRoofline(counts);
        foreach (string hint in ProfileHints.Of(counts))
        {
            Console.WriteLine("* " + hint);
        }

        return ExitCode.Success;
    }

    /// <summary>What the kernel prints must not stand among the JSON, which holds it.</summary>
    private static KernelRun Silently(Func<KernelRun> execute)
    {
        TextWriter output = Console.Out;
        Console.SetOut(TextWriter.Null);
        try
        {
            return execute();
        }
        finally
        {
            Console.SetOut(output);
        }
    }

    private static void WriteCounters(KernelRun run, LaunchStatistics counts)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("counter").AddColumn(new TableColumn("value").RightAligned()).AddColumn("");
        Add("warp instructions", counts.WarpInstructions, $"{ProfileHints.ActiveLanes(counts):F1} of 32 lanes active");
        Add("single FLOPs", counts.SingleFlops);
        Add("double FLOPs", counts.DoubleFlops);
        Add("half FLOPs", counts.HalfFlops);
        Add("tensor FLOPs", counts.TensorFlops);
        Traffic("global", counts.Global);
        Add("global requests", counts.GlobalRequests, Ratio(counts.GlobalSectors, counts.GlobalRequests, "{0:F2} sectors each"));
        Add("global sectors", counts.GlobalSectors, Ratio(counts.GlobalIdealSectors, counts.GlobalSectors, "{0:P1} sector efficiency"));
        Traffic("shared", counts.Shared);
        Add("shared wavefronts", counts.SharedWavefronts, Ratio(counts.SharedWavefronts, counts.SharedRequests, "{0:F2} a request"));
        Add("bank conflicts", counts.SharedBankConflicts, Ratio(counts.SharedBankConflicts, counts.SharedWavefronts, "{0:P1} of the wavefronts"));
        Traffic("local", counts.Local);
        Add("branches", counts.Branches, Ratio(counts.DivergentBranches, counts.Branches, "{0:P1} divergent"));
        Add("divergent branches", counts.DivergentBranches);
        Add("occupancy", run.Occupancy.Warps, string.Create(CultureInfo.InvariantCulture, $"of {run.Occupancy.MaximumWarps} warps, if {run.Attributes.Registers} registers suffice (kernels report has the assembler's)"));
        AnsiConsole.Write(table);

        void Traffic(string space, SpaceTraffic traffic)
        {
            Add($"{space} bytes read", traffic.Read);
            Add($"{space} bytes written", traffic.Written);
        }

        void Add(string counter, long value, string note = "")
        {
            if (value != 0)
            {
                table.AddRow(counter, value.ToString("N0", CultureInfo.InvariantCulture), Markup.Escape(note));
            }
        }
    }

    private static string Ratio(long part, long whole, string format) => whole == 0 ? "" : string.Format(CultureInfo.InvariantCulture, format, (double)part / whole);

    private static void WriteKinds(LaunchStatistics counts)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("instructions").AddColumn(new TableColumn("of warps").RightAligned())
            .AddColumn(new TableColumn("of lanes").RightAligned()).AddColumn(new TableColumn("share").RightAligned());
        foreach (InstructionKind kind in Enum.GetValues<InstructionKind>().Where(kind => counts.WarpInstructionsOf(kind) > 0).OrderByDescending(counts.WarpInstructionsOf))
        {
            table.AddRow(
                ProfileHints.NameOf(kind),
                counts.WarpInstructionsOf(kind).ToString("N0", CultureInfo.InvariantCulture),
                counts.LaneInstructionsOf(kind).ToString("N0", CultureInfo.InvariantCulture),
                ((double)counts.WarpInstructionsOf(kind) / counts.WarpInstructions).ToString("P1", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
    }

    private static void WriteRoofline(LaunchStatistics counts)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("by published rates").AddColumn(new TableColumn("at least").RightAligned()).AddColumn("bound by").AddColumn("next");
        foreach (PublishedRates rates in PublishedRates.All)
        {
            Roofline roofline = Roofline.Of(counts, rates);
            table.AddRow(
                rates.Name,
                Microseconds(roofline.Bound.Seconds),
                roofline.Bound.Name,
                roofline.Limits.Count > 1 ? $"{roofline.Limits[1].Name} {Microseconds(roofline.Limits[1].Seconds)}" : "");
        }

        AnsiConsole.Write(table);
    }

    private static string Microseconds(double seconds) => (seconds * 1e6).ToString("G3", CultureInfo.InvariantCulture) + " us";
}
