using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Bench.Kernels;

/// <summary>A kernel that ran.</summary>
/// <param name="Kernel">Its entry point.</param>
/// <param name="Module">The module's name: source, macros, target.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads a block.</param>
/// <param name="DynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
/// <param name="Seconds">The time between events around it; on an emulated device the host's.</param>
/// <param name="Counters">What an emulated device counted, or null on a GPU.</param>
internal sealed record ProbedLaunch(string Kernel, string Module, Dim3 Grid, Dim3 Block, int DynamicSharedBytes, double Seconds, LaunchStatistics? Counters);

/// <summary>
/// Measures each launch of a context by itself: memory as large as twice the second-level cache is overwritten before it, so that it finds nothing there that a run before left,
/// and events stand around it. A launch waits for its end before the next begins.
/// </summary>
internal sealed class KernelProbe : ILaunchObserver, IDisposable
{
    private readonly CudaContext context;
    private readonly CudaEvent start;
    private readonly CudaEvent end;
    private readonly CudaDeviceVariable<byte>? flushed;
    private readonly List<ProbedLaunch> launches = [];
    private LaunchStatistics? counted;

    private KernelProbe(CudaContext context, long flushedBytes)
    {
        this.context = context;
        start = new CudaEvent(context);
        end = new CudaEvent(context);
        flushed = flushedBytes > 0 ? new CudaDeviceVariable<byte>(context, flushedBytes) : null;
        context.LaunchObserver = this;
    }

    /// <summary>The launches since <see cref="Clear"/>.</summary>
    public IReadOnlyList<ProbedLaunch> Launches => launches;

    /// <summary>A probe of a GPU.</summary>
    /// <param name="context">The GPU's context.</param>
    public static KernelProbe OnGpu(CudaContext context) => new(context, 2L * context.Device.L2CacheSize);

    /// <summary>A probe of an emulated device.</summary>
    /// <param name="options">How it emulates.</param>
    /// <param name="flushedBytes">Bytes overwritten before each launch; an emulated device has no cache.</param>
    /// <param name="context">The device's context, which the caller disposes after the probe.</param>
    public static KernelProbe OnEmulated(EmulationOptions options, long flushedBytes, out CudaContext context)
    {
        KernelProbe? probe = null;
        context = CudaContext.Emulated(options, statistics =>
        {
            if (probe is not null)
                probe.counted = statistics;
        });
        return probe = new KernelProbe(context, flushedBytes);
    }

    /// <summary>Forgets what was measured.</summary>
    public void Clear() => launches.Clear();

    /// <inheritdoc/>
    public void Launching(CudaStream stream)
    {
        if (flushed is not null)
        {
            using CudaContext.Scope scope = context.Enter();
            context.Driver.Fill(flushed.DevicePointer, 0, 1, flushed.Length, stream.Handle);
        }

        start.Record(stream);
    }

    /// <inheritdoc/>
    public void Launched(CudaKernel kernel, CudaStream stream, Dim3 grid, Dim3 block, int dynamicSharedBytes)
    {
        end.Record(stream);
        counted = null;
        end.Synchronize();
        launches.Add(new ProbedLaunch(kernel.Name, kernel.Module.Name, grid, block, dynamicSharedBytes, CudaEvent.ElapsedMilliseconds(start, end) / 1e3, counted));
    }

    /// <summary>Times something else the same way.</summary>
    /// <param name="stream">Where it runs.</param>
    /// <param name="work">Puts it into the stream.</param>
    /// <returns>Seconds.</returns>
    public double Time(CudaStream stream, Action work)
    {
        Launching(stream);
        work();
        end.Record(stream);
        end.Synchronize();
        return CudaEvent.ElapsedMilliseconds(start, end) / 1e3;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        context.LaunchObserver = null;
        flushed?.Dispose();
        start.Dispose();
        end.Dispose();
    }
}
