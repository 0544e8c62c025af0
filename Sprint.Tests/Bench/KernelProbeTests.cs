using NUnit.Framework;
using Sprint.Bench;
using Sprint.Bench.Kernels;
using Sprint.Bench.Operations;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Bench;

/// <summary>The measurement of kernels, on the emulated device: the same calls as on a GPU.</summary>
internal sealed class KernelProbeTests
{
    private static readonly ModelConfiguration Model = new() { ContextSize = 16, InChannels = 4, HiddenSize = 64, NumHeads = 2 };

    private static readonly OperationCase[] Cases =
        KernelsCommand.Choose(OperationCatalog.Of("T", new OperationSizes(Model, ModelOptions.Pattern(Model, 0.75), Batch: 2)), ["silu", "linear qkv", "tokens gather"]);

    private static readonly string[] SiluKernels = ["silu_forward", "silu_backward"];

    [Test]
    public void Every_launch_is_measured_with_its_counters_time_and_extents()
    {
        using KernelProbe probe = KernelProbe.OnEmulated(new EmulationOptions { Counters = true }, flushedBytes: 4096, out CudaContext context);
        using CudaDevice device = new(context);
        using OperationWorkload workload = Cases.Single(found => found.Operation == "silu").On(device);
        probe.Clear();
        workload.Run();
        Assert.That(probe.Launches.Select(launch => launch.Kernel), Is.EqualTo(SiluKernels));
        foreach (ProbedLaunch launch in probe.Launches)
        {
            Assert.That(launch.Counters!.Kernel, Is.EqualTo(launch.Kernel));
            Assert.That(launch.Counters.Blocks, Is.EqualTo(launch.Grid.Count));
            Assert.That(launch.Seconds, Is.GreaterThan(0));
            Assert.That(launch.Module, Does.StartWith("elementwise.cu -D"));
        }
    }

    [Test]
    public void Repeated_runs_give_a_time_for_each_launch_and_join_with_the_counts()
    {
        IReadOnlyList<IReadOnlyList<ProbedLaunch>> counted = KernelRuns.Count(Cases, ElementType.Float32, threads: 2, () => { });
        using KernelProbe probe = KernelProbe.OnEmulated(new EmulationOptions(), flushedBytes: 64, out CudaContext context);
        using CudaDevice device = new(context);
        KernelRuns.AvoidBlas(device);
        IReadOnlyList<IReadOnlyList<(string Kernel, double[] Seconds)>> timed = KernelRuns.Time(Cases, device, probe, ElementType.Float32, repeats: 3, () => { });
        KernelFigure[] figures = KernelsCommand.Figures(Cases, counted, timed, assembly: null);
        Assert.That(figures.Select(figure => figure.Launch.Kernel), Does.Contain("matrix_product_forward").And.Contain("tokens_gather_backward"));
        Assert.That(figures.Select(figure => figure.Seconds.Count), Is.All.EqualTo(3));
        ResultTable times = KernelTables.Times(figures, "a GPU", PublishedRates.A100);
        Assert.That(times.Rows, Has.Count.EqualTo(figures.Length));
        Assert.That(KernelTables.Times(figures, "a GPU", null).Rows[0], Does.Contain("not known"));
        BlasFigure beside = new(Cases[0], 512, 192, 64, [2e-6, 2e-6], [1e-6, 1e-6]);
        Assert.That(KernelTables.Blas([beside]).Rows[0][^1], Is.EqualTo("0.500"));
    }

    [TestCase(ElementType.Float32)]
    [TestCase(ElementType.BFloat16)]
    public void Every_operation_runs_on_the_emulated_device_in_both_precisions(ElementType element)
    {
        OperationCase[] all = KernelsCommand.Choose(OperationCatalog.Of("T", new OperationSizes(Model, ModelOptions.Pattern(Model, 0.75), Batch: 1)), ["*"]);
        IReadOnlyList<IReadOnlyList<ProbedLaunch>> launches = KernelRuns.Count(all, element, threads: 2, () => { });
        Assert.That(launches.Select(found => found.Count), Is.All.GreaterThan(0));
        Assert.That(launches.SelectMany(found => found).Sum(launch => launch.Counters!.TensorFlops), element == ElementType.BFloat16 ? Is.GreaterThan(0) : Is.Zero);
    }

    [Test]
    public void A_GPU_that_ran_other_kernels_is_noticed()
    {
        IReadOnlyList<IReadOnlyList<ProbedLaunch>> counted = KernelRuns.Count([Cases[0]], ElementType.Float32, threads: 1, () => { });
        Assert.That(
            () => KernelsCommand.Figures([Cases[0]], counted, [[("other", new double[] { 1 })]], assembly: null),
            Throws.TypeOf<SprintException>().With.Message.Contains("launches other kernels on the GPU"));
    }

    [TestCase(ElementType.Float32, 0)]
    [TestCase(ElementType.BFloat16, 2L * 128 * 64 * 192)]
    public void Counts_of_a_linear_layer_are_its_products_on_the_units_of_its_precision(ElementType element, long tensorFlops)
    {
        ProbedLaunch launch = KernelRuns.Count([Cases.Single(found => found.Operation == "linear qkv")], element, threads: 2, () => { })[0][0];
        Assert.That(launch.Kernel, Is.EqualTo("matrix_product_forward"));
        Assert.That(launch.Counters!.TensorFlops, Is.EqualTo(tensorFlops));
        Assert.That(launch.Counters.SingleFlops, Is.GreaterThanOrEqualTo(tensorFlops > 0 ? 1 : 2L * 128 * 64 * 192));
    }

    [Test]
    public void Bad_filters_and_shapes_are_told()
    {
        Assert.That(() => KernelsCommand.Choose(Cases, ["nothing"]), Throws.TypeOf<SprintException>().With.Message.Contains("fits no operation: there are linear qkv, "));
        Assert.That(BlasRuns.Extents("1024x384 -> 1152"), Is.EqualTo((1024, 384, 1152)));
    }

    [Test]
    public void With_NVRTC_registers_and_occupancy_of_each_launch_are_reported_and_without_it_is_said()
    {
        BenchResults results = KernelsCommand.Run(new KernelsRequest("S", 1, ElementType.Float32, ["silu", "tokens*"], Architecture: 80, Threads: 2, Gpu: null, Repeats: 1));
        bool compiles = new KernelLibrary().Compiler is not null;
        Assert.That(results.Tables[0].Rows.Select(row => row[5].Length > 0), Is.All.EqualTo(compiles));
        Assert.That(results.Notes[0], Does.StartWith(compiles ? "registers by NVRTC" : "NVRTC is not installed"));
        Assert.That(results.Measurements.Where(found => found.Name.EndsWith("bytes", StringComparison.Ordinal)).Select(found => found.Value), Is.All.GreaterThan(0));
        if (compiles)
        {
            Assert.That(
                () => KernelsCommand.Run(new KernelsRequest("S", 1, ElementType.Float32, ["silu"], Architecture: 81, Threads: 2, Gpu: null, Repeats: 1)),
                Throws.TypeOf<SprintException>().With.Message.StartsWith("--arch 81: NVRTC"));
        }
    }
}
