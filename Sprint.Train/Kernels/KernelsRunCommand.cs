using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>The command <c>kernels run</c>: launches a kernel of any CUDA file or PTX.</summary>
internal static class KernelsRunCommand
{
    internal static Command Create()
    {
        var launch = new LaunchOptions();
        var save = new Option<string?>("--save") { Description = "Write every buffer after the run: arg0 for the first argument, arg2.0 for the first member of the structure that the third is.", HelpName = "FILE.safetensors" };
        var schedules = new Option<int>("--schedules")
        {
            Description = "Run under so many schedules of the emulated device, one after another from --schedule on, and tell which buffers depend on them: some races are found only where one block is before another.",
            DefaultValueFactory = _ => 1,
            HelpName = "COUNT",
        };
        var command = new Command(
            "run",
            $"""
            Run a kernel of any CUDA file or PTX, checked access by access on the emulated device, or on a GPU.
            Examples:
              sprint kernels run scale.cu --grid 4 --block 256 --arg f32[1024]=iota --arg f32:0.5 --arg i32:1024
              sprint kernels run mine.cu --kernel "mine::softmax<float>" -D TILE=64 -I include --grid 8,2 --block 32,4 --shared 4096 --arg f32[16,64]=normal --arg f32[16,64]=poison --save out.safetensors
              sprint kernels run locks.cu --grid 32 --block 128 --arg i32[32]=zeros --schedules 20

            {LaunchOptions.Remarks}
            """);
        launch.AddTo(command);
        command.Options.Add(schedules);
        command.Options.Add(save);
        command.SetAction(result => Run(launch.Read(result), result.GetValue(schedules), result.GetValue(save)));
        return command;
    }

    /// <summary>Shows what the buffers hold after a launch.</summary>
    internal static void WriteBuffers(KernelRun run)
    {
        if (run.Buffers.Count == 0)
        {
            return;
        }

        Table table = new Table().Border(TableBorder.Simple).AddColumn("buffer").AddColumn("holds");
        foreach (string column in (string[])["min", "max", "mean", "NaN", "never written"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach ((string name, BufferData data, BufferSummary summary) in run.Buffers)
        {
            table.AddRow(
                name,
                Markup.Escape($"{KernelArgument.NameOf(data.Type)}[{string.Join(",", data.Shape)}]"),
                Number(summary, summary.Minimum),
                Number(summary, summary.Maximum),
                Number(summary, summary.Mean),
                summary.NotANumber.ToString(CultureInfo.InvariantCulture),
                summary.NeverWritten?.ToString(CultureInfo.InvariantCulture) ?? "not known");
        }

        AnsiConsole.Write(table);
    }

    private static int Run(LaunchRequest request, int schedules, string? save)
    {
        if (schedules < 1)
        {
            throw new SprintException($"--schedules {schedules} must be at least 1");
        }

        if (schedules > 1 && request.Device is not null)
        {
            throw new SprintException($"--schedules {schedules}: a GPU has its own; leave the option out, or choose --device emulated");
        }

        if (save is not null && Path.GetExtension(save) != ".safetensors")
        {
            throw new SprintException($"--save '{save}' must end in .safetensors");
        }

        if (Directory.Exists(save))
        {
            throw new SprintException($"--save '{save}' is a folder: name a file in it");
        }

        KernelRun run = KernelRun.Execute(request, counters: false);
        IReadOnlyList<string> differences = ScheduleComparison.Run(request, run, schedules);
        WriteBuffers(run);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Kernel.Signature} ran on {run.Device.Name} with grid {request.Grid} and block {request.Block}"));
        if (run.Statistics is { PartialBarriers: > 0 } statistics)
        {
            Console.WriteLine(ProfileHints.PartialBarriers(statistics));
        }

        if (run.Statistics is { PartialMasks: > 0 } masks)
        {
            Console.WriteLine(ProfileHints.PartialMasks(masks));
        }

        if (run.Statistics is { UsesFloatAtomics: true })
        {
            Console.WriteLine("it adds by floating-point atomics: results depend on the order of blocks and warps, which --schedule draws");
        }

        foreach (string difference in differences)
        {
            Console.WriteLine(difference);
        }

        if (schedules > 1 && differences.Count == 0)
        {
            Console.WriteLine($"under {schedules} schedules the buffers hold the same");
        }

        if (save is not null)
        {
            Save(run, save);
            Console.WriteLine($"{(run.Buffers.Count == 1 ? "1 buffer is" : $"{run.Buffers.Count} buffers are")} saved in {save}");
        }

        return ExitCode.Success;
    }

    private static void Save(KernelRun run, string path)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("kernel", run.Kernel.Signature);
        foreach ((string name, BufferData data, _) in run.Buffers)
        {
            writer.AddBytes(name, data.Type, data.Shape, data.Bytes);
        }

        writer.Save(path);
    }

    private static string Number(BufferSummary summary, double value) => summary.Numbers == 0 ? "" : value.ToString("G6", CultureInfo.InvariantCulture);
}
