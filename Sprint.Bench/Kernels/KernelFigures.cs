using Sprint.Bench.Operations;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Bench.Kernels;

/// <summary>A kernel of an operation: what it executed on the emulated device, and how long it took on a GPU.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Launch">The launch with its counters.</param>
/// <param name="Report">Registers, spills and occupancy, or null without NVRTC.</param>
/// <param name="Seconds">Its times on a GPU; none without one.</param>
internal sealed record KernelFigure(OperationCase Operation, ProbedLaunch Launch, KernelReport? Report, IReadOnlyList<double> Seconds)
{
    /// <summary>The least time on a GPU by its published rates.</summary>
    /// <param name="rates">The GPU.</param>
    public Roofline RooflineOn(PublishedRates rates) => Roofline.Of(Launch.Counters!, rates);
}

/// <summary>cuBLAS beside a linear layer's forward product.</summary>
/// <param name="Operation">The layer.</param>
/// <param name="Rows">Rows of the product.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Depth">Terms of each sum.</param>
/// <param name="Own">Times of the engine's kernel with its epilogue.</param>
/// <param name="Blas">Times of the plain product by cuBLAS.</param>
internal sealed record BlasFigure(OperationCase Operation, int Rows, int Columns, int Depth, IReadOnlyList<double> Own, IReadOnlyList<double> Blas);

/// <summary>Runs operations under a <see cref="KernelProbe"/>.</summary>
internal static class KernelRuns
{
    /// <summary>Runs operations once on the emulated device and counts.</summary>
    /// <param name="cases">The operations.</param>
    /// <param name="element">How activations are stored.</param>
    /// <param name="threads">Threads of the host.</param>
    /// <param name="done">Called after each.</param>
    /// <returns>The launches of each.</returns>
    public static IReadOnlyList<IReadOnlyList<ProbedLaunch>> Count(IReadOnlyList<OperationCase> cases, ElementType element, int threads, Action done)
    {
        using KernelProbe probe = KernelProbe.OnEmulated(new EmulationOptions { Workers = threads, Counters = true }, flushedBytes: 0, out CudaContext context);
        using CudaDevice device = new(context);
        return [.. cases.Select(found =>
        {
            IReadOnlyList<ProbedLaunch> launches = Run(found, device, element, probe);
            done();
            return launches;
        })];
    }

    /// <summary>Runs operations on a device several times.</summary>
    /// <param name="cases">The operations.</param>
    /// <param name="device">The device, whose linear layers shall not go to cuBLAS.</param>
    /// <param name="probe">Measures it.</param>
    /// <param name="element">How activations are stored.</param>
    /// <param name="repeats">How often each is measured.</param>
    /// <param name="done">Called after each operation.</param>
    /// <returns>For each operation the times of each of its launches.</returns>
    /// <exception cref="SprintException">An operation launched something else another time.</exception>
    public static IReadOnlyList<IReadOnlyList<(string Kernel, double[] Seconds)>> Time(
        IReadOnlyList<OperationCase> cases, CudaDevice device, KernelProbe probe, ElementType element, int repeats, Action done) =>
        [.. cases.Select(found =>
        {
            using OperationWorkload workload = found.On(device, element);
            List<IReadOnlyList<ProbedLaunch>> runs = [.. Enumerable.Range(0, repeats).Select(_ => Launches(workload, probe))];
            if (runs.Exists(run => !run.Select(static launch => launch.Kernel).SequenceEqual(runs[0].Select(static launch => launch.Kernel))))
                throw new SprintException($"{found.Name} does not launch the same kernels each time it runs");
            done();
            return (IReadOnlyList<(string, double[])>)[.. runs[0].Select((launch, i) => (launch.Kernel, runs.ConvertAll(run => run[i].Seconds).ToArray()))];
        })];

    /// <summary>Makes a device run its own kernels where it would take cuBLAS.</summary>
    /// <param name="device">The device.</param>
    public static void AvoidBlas(CudaDevice device)
    {
        CudaMatrixProduct products = new(device, static () => null);
        device.Register<Sprint.Engine.Operations.ILinearKernels>(new Sprint.Engine.Operations.CudaLinear(device, products));
        device.Register<Sprint.Engine.Operations.IResidualFusionKernels>(new Sprint.Engine.Operations.CudaResidualFusion(device, products));
    }

    private static ProbedLaunch[] Run(OperationCase found, CudaDevice device, ElementType element, KernelProbe probe)
    {
        using OperationWorkload workload = found.On(device, element);
        return Launches(workload, probe);
    }

    private static ProbedLaunch[] Launches(OperationWorkload workload, KernelProbe probe)
    {
        workload.Device.Synchronize();
        probe.Clear();
        workload.Run();
        workload.Device.Synchronize();
        return [.. probe.Launches];
    }
}
