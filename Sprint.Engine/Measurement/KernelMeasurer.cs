using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Engine.Measurement;

/// <summary>Runs the workloads of <see cref="KernelWorkloads"/> and says of each launch what it did.</summary>
public static class KernelMeasurer
{
    private const int WarmRuns = 3;

    private static readonly ElementType[] Elements = [ElementType.BFloat16, ElementType.Float32];

    /// <summary>Counts on an emulated device: bytes, sectors, bank conflicts, operations.</summary>
    /// <param name="shape">The extents.</param>
    public static IReadOnlyList<KernelMeasurement> Count(KernelShape shape)
    {
        List<LaunchStatistics> counted = [];
        using CudaDevice device = new(CudaContext.Emulated(new EmulationOptions { Counters = true }, counted.Add));
        List<KernelMeasurement> measurements = [];
        foreach (KernelWorkload workload in All(device, shape))
        {
            using (workload)
            {
                using Recorder recorder = new(device, marks: false);
                device.Synchronize();
                counted.Clear();
                device.Context.LaunchObserver = recorder;
                workload.Run();
                device.Synchronize();
                device.Context.LaunchObserver = null;
                measurements.AddRange(recorder.Launches.Select((launch, i) => Describe(workload, launch, counted[i], null)));
            }
        }

        return measurements;
    }

    /// <summary>Times on a GPU, with events around each launch. Products run by the engine's own kernels, also where cuBLAS is installed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="shape">The extents; tensors should be larger than the device's caches.</param>
    /// <param name="runs">How many runs the median is of.</param>
    public static IReadOnlyList<KernelMeasurement> Time(CudaDevice device, KernelShape shape, int runs = 11)
    {
        ArgumentNullException.ThrowIfNull(device);
        ILinearKernels usual = device.Kernels<ILinearKernels>();
        device.Register<ILinearKernels>(new CudaLinear(device, new CudaMatrixProduct(device, static () => null)));
        List<KernelMeasurement> measurements = [];
        try
        {
            foreach (KernelWorkload workload in All(device, shape))
            {
                using (workload)
                {
                    measurements.AddRange(Time(device, workload, runs));
                }

                device.Trim();
            }
        }
        finally
        {
            device.Context.LaunchObserver = null;
            device.Register(usual);
        }

        return measurements;
    }

    private static IEnumerable<KernelWorkload> All(CudaDevice device, KernelShape shape) =>
        Elements.SelectMany(element => KernelWorkloads.MemoryBound(device, shape, element).Concat(KernelWorkloads.Products(device, shape, element)));

    private static KernelMeasurement[] Time(CudaDevice device, KernelWorkload workload, int runs)
    {
        for (int run = 0; run < WarmRuns; run++)
        {
            workload.Run();
        }

        List<double[]> seconds = [];
        IReadOnlyList<LaunchDescription> launches = [];
        for (int run = 0; run < runs; run++)
        {
            using Recorder recorder = new(device, marks: true);
            device.Context.LaunchObserver = recorder;
            workload.Run();
            device.Context.LaunchObserver = null;
            device.Synchronize();
            seconds.Add(recorder.Seconds());
            launches = recorder.Launches;
        }

        return [.. launches.Select((launch, i) => Describe(workload, launch, null, MedianTime.Median([.. seconds.Select(run => run[i])])))];
    }

    private static KernelMeasurement Describe(KernelWorkload workload, LaunchDescription launch, LaunchStatistics? counted, double? seconds) => new(
        workload.Name, workload.Element, launch, workload.Kernels.FirstOrDefault(kernel => kernel.Kernel == launch.Kernel), counted, seconds);

    private sealed class Recorder(CudaDevice device, bool marks) : ILaunchObserver, IDisposable
    {
        private readonly List<LaunchDescription> launches = [];
        private readonly List<(TimeMark Start, TimeMark End)> times = [];
        private TimeMark? start;

        internal IReadOnlyList<LaunchDescription> Launches => launches;

        public void Launching(CudaStream stream) => start = marks ? device.Mark() : null;

        public void Launched(CudaKernel kernel, CudaStream stream, Dim3 grid, Dim3 block, int dynamicSharedBytes)
        {
            launches.Add(new LaunchDescription(device.SpecializationOf(kernel.Module), kernel.Name, grid, block, dynamicSharedBytes));
            if (start is not null)
            {
                times.Add((start, device.Mark()));
            }
        }

        public void Dispose()
        {
            foreach ((TimeMark from, TimeMark to) in times)
            {
                from.Dispose();
                to.Dispose();
            }
        }

        internal double[] Seconds() => [.. times.Select(static time => time.End.SecondsSince(time.Start))];
    }
}
