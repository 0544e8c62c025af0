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
        var command = new Command(
            "run",
            $"""
            Run a kernel of any CUDA file or PTX, checked access by access on the emulated device, or on a GPU.
            Examples:
              sprint kernels run scale.cu --grid 4 --block 256 --arg f32[1024]=iota --arg f32:0.5 --arg i32:1024
              sprint kernels run mine.cu --kernel "mine::softmax<float>" -D TILE=64 -I include --grid 8,2 --block 32,4 --shared 4096 --arg f32[16,64]=normal --arg f32[16,64]=poison --save out.safetensors

            {LaunchOptions.Remarks}
            """);
        launch.AddTo(command);
        command.Options.Add(save);
        command.SetAction(result => Run(launch.Read(result), result.GetValue(save)));
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

    private static int Run(LaunchRequest request, string? save)
    {
        if (save is not null && Path.GetExtension(save) != ".safetensors")
        {
            throw new SprintException($"--save '{save}' must end in .safetensors");
        }

        KernelRun run = KernelRun.Execute(request, counters: false);
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
