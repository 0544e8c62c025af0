using NUnit.Framework;
using Sprint.Bench.Results;
using Sprint.Bench.Steps;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Tests.Engine;

namespace Sprint.Tests.Bench;

/// <summary>What <c>step</c> makes of steps; not how fast they are.</summary>
internal sealed class StepMeasurementTests
{
    private static readonly ModelConfiguration Model = new()
    {
        ContextSize = 8,
        PatchSize = 2,
        HiddenSize = 16,
        NumHeads = 2,
        EncoderDepth = 1,
        MiddleDepth = 1,
        DecoderDepth = 1,
    };

    [Test]
    public void Counts_of_measured_steps_are_those_of_dryrun_and_times_have_a_sample_for_each_round([Values("train", "forward")] string mode)
    {
        using CpuDevice device = new(1);
        BenchResults results = StepCommand.Measure(new StepRequest(Model, [0.5, 0.75], Batch: 2, mode == "train", Rounds: 3, Warmup: 1, Profiles: true), device);
        foreach (string ratio in new[] { "0", "0.5", "0.75" })
        {
            Measurement time = results.Measurements.Single(found => found.Name == $"drop {ratio} batch 2: time of a step");
            Assert.That(time.Samples, Has.Count.EqualTo(3).And.All.GreaterThan(0));
            Assert.That(time.Value, Is.EqualTo(time.Samples!.Order().ElementAt(1)));
        }

        double[] flops = [.. results.Measurements.Where(found => found.Name.EndsWith("FLOPs of a step", StringComparison.Ordinal)).Select(found => found.Value)];
        Assert.That(flops, Is.Ordered.Descending.And.All.GreaterThan(0));
        if (mode == "train")
            Assert.That(flops[0], Is.EqualTo(Sprint.Bench.Counting.StepCount.Of(Model, new LossConfiguration(), Sprint.Bench.ModelOptions.Pattern(Model, 0), 2).Flops));
        Assert.That(results.Tables.Select(table => table.Title), Has.Some.EqualTo("time of each operation, drop 0.75"));
        Assert.That(results.Charts[0].Series.Select(series => series.Name), Does.Contain(StepChart.TimeSaved));
        Assert.That(BenchResults.Parse(results.ToJson(), "x").Measurements, Has.Count.EqualTo(results.Measurements.Count));
    }

    [Test]
    public void Steps_of_the_ratios_are_measured_in_turn_and_each_round_begins_with_another()
    {
        using CpuDevice device = new(1);
        using StepRunner runner = new(device, Model, 1, trains: false);
        int steps = 0;
        IReadOnlyList<StepTimes> times = StepMeasurement.Run(
            runner, [Sprint.Bench.ModelOptions.Pattern(Model, 0), Sprint.Bench.ModelOptions.Pattern(Model, 0.75)], rounds: 4, warmup: 2, () => steps++);
        Assert.That(steps, Is.EqualTo(12));
        Assert.That(times.Select(found => found.Ratio), Is.EqualTo(new[] { 0, 0.75 }));
        Assert.That(times.SelectMany(found => found.Seconds), Is.All.GreaterThan(0));
    }

    /// <summary>As training does it: two steps launched, one captured, the others replayed; what one ratio's steps hold is not held beside another's.</summary>
    [Test]
    public void Steps_on_CUDA_kernels_are_replayed_and_their_memory_is_told_apart()
    {
        DropPattern[] patterns = [Sprint.Bench.ModelOptions.Pattern(Model, 0), Sprint.Bench.ModelOptions.Pattern(Model, 0.75)];
        using CpuDevice cpu = new(1);
        using CudaDevice device = CudaDevice.Emulated();
        using StepRunner onCpu = new(cpu, Model, 4, trains: true), runner = new(device, Model, 4, trains: true);
        IReadOnlyList<StepTimes> expected = StepMeasurement.Run(onCpu, patterns, rounds: 1, warmup: 0, () => { });
        var counter = new LaunchCounter();
        device.Context.LaunchObserver = counter;
        int steps = 0;
        IReadOnlyList<StepTimes> times = StepMeasurement.Run(runner, patterns, rounds: 3, warmup: 1, () => steps++);
        device.Context.LaunchObserver = null;
        Assert.That(steps, Is.EqualTo(8));
        Assert.That(counter.Updates, Is.EqualTo(2 * 3), "updates launched for two patterns: two plain steps and a captured one");
        Assert.That(times.SelectMany(found => found.Seconds), Is.All.GreaterThan(0));
        Assert.That(times.Select(found => found.Flops), Is.EqualTo(expected.Select(found => found.Flops)));
        Assert.That(times[1].PeakBytes, Is.LessThan(times[0].PeakBytes).And.GreaterThan(times[0].PeakBytes / 4));
    }

    [Test]
    public void A_model_that_is_aligned_has_features_to_be_aligned_with([Values("cpu", "emulated")] string name)
    {
        ModelConfiguration aligned = Model with { RepresentationAlign = true, RepresentationDepth = 3, DimProjection = 5, ProjectorHiddenDim = 8 };
        using Device device = TestDevice.Open(name);
        BenchResults results = StepCommand.Measure(new StepRequest(aligned, [0.75], Batch: 2, Trains: true, Rounds: 2, Warmup: 1, Profiles: false), device);
        double flops = results.Measurements.Single(found => found.Name == "drop 0.75 batch 2: FLOPs of a step").Value;
        Assert.That(flops, Is.EqualTo(Sprint.Bench.Counting.StepCount.Of(aligned, new LossConfiguration(), Sprint.Bench.ModelOptions.Pattern(aligned, 0.75), 2).Flops));
    }

    [Test]
    public void A_saving_is_the_median_of_the_rounds_ratios_so_that_drift_cancels()
    {
        StepTimes dense = new(Sprint.Bench.ModelOptions.Pattern(Model, 0), 3);
        StepTimes sparse = new(Sprint.Bench.ModelOptions.Pattern(Model, 0.75), 3);
        (double Dense, double Sparse)[] rounds = [(1, 0.4), (2, 0.8), (4, 1.6)];
        for (int i = 0; i < rounds.Length; i++)
            (dense.Seconds[i], sparse.Seconds[i]) = rounds[i];
        Assert.That(sparse.RatioTo(dense), Is.EqualTo(Spread.Of([0.4, 0.4, 0.4])));
    }

    private sealed class LaunchCounter : ILaunchObserver
    {
        internal int Updates { get; private set; }

        public void Launching(CudaStream stream)
        {
        }

        public void Launched(CudaKernel kernel, CudaStream stream, Dim3 grid, Dim3 block, int dynamicSharedBytes) => Updates += kernel.Name == "adamw_update" ? 1 : 0;
    }

    [TestCase("dryrun", "--device dryrun computes nothing that could be timed")]
    [TestCase("gpu", "device 'gpu' is not known")]
    public void A_device_that_cannot_be_timed_is_refused(string name, string sentence) =>
        Assert.That(() => StepCommand.Open(name, 1), Throws.TypeOf<SprintException>().With.Message.StartsWith(sentence));
}
