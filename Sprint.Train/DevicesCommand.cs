using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The command <c>devices</c>: what this machine can compute on.</summary>
internal static class DevicesCommand
{
    internal static Command Create()
    {
        var command = new Command("devices", "List where this machine can compute.\nExample:\n  sprint devices");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("device").AddColumn("what it is").AddColumn("models");
        foreach (string name in (string[])["cpu", "emulated", "dryrun"])
        {
            Add(table, DeviceSelection.Open(name));
        }

        string? noGpu = null;
        try
        {
            for (int ordinal = 0; ordinal < CudaContext.GetDeviceCount(); ordinal++)
            {
                Add(table, CudaDevice.Open(ordinal));
            }
        }
        catch (SprintException missing)
        {
            noGpu = missing.Message;
        }

        AnsiConsole.Write(table);
        if (noGpu is not null)
        {
            AnsiConsole.WriteLine($"cuda: {noGpu}");
        }

        AnsiConsole.WriteLine($".NET {Environment.Version} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
        return ExitCode.Success;
    }

    private static void Add(Table table, Device opened)
    {
        using Device device = opened;
        IReadOnlyList<string> missing = DeviceSelection.MissingOperations(device);
        string models = !device.Executes ? "counts them" : missing.Count == 0 ? "trains and samples" : "not yet: no kernels for " + string.Join(", ", missing);
        table.AddRow(Markup.Escape(device.Name), Markup.Escape(device.Description), Markup.Escape(models));
    }
}
