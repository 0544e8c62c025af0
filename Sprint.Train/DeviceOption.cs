using System.CommandLine;
using Sprint.Engine;

namespace Sprint.Train;

/// <summary>The option <c>--device</c> with its threads.</summary>
internal sealed class DeviceOption
{
    internal Option<string> Device { get; } = new("--device")
    {
        Description = $"Where to compute: {DeviceSelection.Names}. auto takes the first GPU if it runs every operation, else the CPU; emulated checks the CUDA kernels without a GPU; dryrun counts shapes and costs.",
        DefaultValueFactory = _ => "auto",
        HelpName = "NAME",
    };

    internal Option<int> Threads { get; } = new("--threads")
    {
        Description = "CPU threads (cpu, emulated); 0 for as many as there are cores.",
        HelpName = "COUNT",
    };

    internal void AddTo(Command command)
    {
        command.Options.Add(Device);
        command.Options.Add(Threads);
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="SprintException">There is no such device, or it cannot run a model.</exception>
    internal Device Open(ParseResult result)
    {
        string name = result.GetValue(Device) ?? throw new SprintException($"--device needs a name: choose {DeviceSelection.Names}");
        Device device = DeviceSelection.Open(name, result.GetValue(Threads));
        try
        {
            DeviceSelection.RequireEveryOperation(device);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }
}
