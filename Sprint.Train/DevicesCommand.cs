using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;
using Sprint.Engine;

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
        using var cpu = new CpuDevice();
        using var dryRun = new DryRunDevice();
        Table table = new Table().Border(TableBorder.Simple).AddColumn("device").AddColumn("what it is");
        foreach (Device device in (Device[])[cpu, dryRun])
        {
            table.AddRow(device.Name, Markup.Escape(device.Description));
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($".NET {Environment.Version} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
        return ExitCode.Success;
    }
}
