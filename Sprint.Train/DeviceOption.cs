using System.CommandLine;
using Sprint.Engine;

namespace Sprint.Train;

/// <summary>The option <c>--device</c> with its threads.</summary>
internal sealed class DeviceOption
{
    internal Option<string> Device { get; } = new("--device")
    {
        Description = "Where to compute: auto, cpu, or dryrun (shapes and costs only).",
        DefaultValueFactory = _ => "auto",
        HelpName = "NAME",
    };

    internal Option<int> Threads { get; } = new("--threads")
    {
        Description = "CPU threads; 0 for as many as there are cores.",
        HelpName = "COUNT",
    };

    internal void AddTo(Command command)
    {
        command.Options.Add(Device);
        command.Options.Add(Threads);
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="SprintException">There is no such device.</exception>
    internal Device Open(ParseResult result) => result.GetValue(Device) switch
    {
        "auto" or "cpu" => new CpuDevice(result.GetValue(Threads)),
        "dryrun" => new DryRunDevice(),
        { } name => throw new SprintException($"device '{name}' is not known: choose auto, cpu or dryrun"),
        null => throw new SprintException("--device needs a name: choose auto, cpu or dryrun"),
    };
}
