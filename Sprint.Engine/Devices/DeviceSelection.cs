using System.Globalization;
using Sprint.Engine.Cpu;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>Devices by the names that users give.</summary>
public static class DeviceSelection
{
    /// <summary>The names, for help and errors.</summary>
    public const string Names = "auto, cpu, emulated, cuda, cuda:N or dryrun";

    /// <summary>The most threads of the host that a device computes with (<c>cpu</c>, <c>emulated</c>): more would only take turns on the cores.</summary>
    public const int MaximumThreads = 1024;

    /// <summary>
    /// Opens a device. <c>auto</c> is the first GPU if it runs every operation (<see cref="MissingOperations"/>), else the CPU.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="threads">Threads of the host where they compute (<c>cpu</c>, <c>emulated</c>); 0 for as many as there are cores.</param>
    /// <returns>A device that the caller disposes.</returns>
    /// <exception cref="SprintException">There is no such device, or it cannot be used on this machine; or the threads are not from 0 to 1024.</exception>
    public static Device Open(string name, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        int workers = WorkerPool.Resolve(threads);
        return name switch
        {
            "auto" => (Device?)OpenGpuThatTrains() ?? new CpuDevice(workers),
            "cpu" => new CpuDevice(workers),
            "emulated" => CudaDevice.Emulated(new EmulationOptions { Workers = workers }),
            "dryrun" => new DryRunDevice(),
            "cuda" => CudaDevice.Open(),
            _ when name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal) =>
                CudaDevice.Open(ordinal),
            _ => throw new SprintException($"device '{name}' is not known: choose {Names}"),
        };
    }

    /// <summary>The operations that a model needs and the device has no kernels for; empty where it can train and sample.</summary>
    /// <param name="device">The device.</param>
    public static IReadOnlyList<string> MissingOperations(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (!device.Executes)
        {
            return [];
        }

        (string Operation, bool Exists)[] operations =
        [
            ("linear", device.HasKernels<ILinearKernels>()),
            ("attention", device.HasKernels<IAttentionKernels>()),
            ("adaptive layer norm", device.HasKernels<IAdaptiveLayerNormKernels>()),
            ("gated residual", device.HasKernels<IGatedResidualKernels>()),
            ("token drop", device.HasKernels<ITokenDropKernels>()),
            ("residual fusion", device.HasKernels<IResidualFusionKernels>()),
            ("patchify", device.HasKernels<IPatchifyKernels>()),
            ("timestep embedding", device.HasKernels<ITimestepEmbeddingKernels>()),
            ("label embedding", device.HasKernels<ILabelEmbeddingKernels>()),
            ("silu", device.HasKernels<ISiluKernels>()),
            ("addition", device.HasKernels<IAdditionKernels>()),
            ("flow matching", device.HasKernels<IFlowMatchingKernels>()),
            ("cosine loss", device.HasKernels<ICosineLossKernels>()),
            ("adamw", device.HasKernels<IAdamWKernels>()),
            ("random", device.HasKernels<IRandomKernels>()),
        ];
        return [.. operations.Where(static operation => !operation.Exists).Select(static operation => operation.Operation)];
    }

    /// <summary>Refuses a device that lacks an operation before anything is begun on it.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="SprintException">It lacks one: the message names them.</exception>
    public static void RequireEveryOperation(Device device)
    {
        if (MissingOperations(device) is { Count: > 0 } missing)
        {
            throw new SprintException($"device {device.Name} cannot run a model yet: it has no kernels for {string.Join(", ", missing)}; choose cpu");
        }
    }

    private static CudaDevice? OpenGpuThatTrains()
    {
        CudaDevice device;
        try
        {
            device = CudaDevice.Open();
        }
        catch (SprintException)
        {
            // No driver, no GPU, or one that the kernels do not fit: what auto is for.
            return null;
        }

        if (MissingOperations(device).Count == 0)
        {
            return device;
        }

        device.Dispose();
        return null;
    }
}
