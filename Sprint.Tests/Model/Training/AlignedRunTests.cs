using System.Text.Json;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Training;
using Sprint.Tests.Engine;
using Sprint.Tests.Model.Data;

namespace Sprint.Tests.Model.Training;

/// <summary>Whole runs that align hidden states with features of another network: three stages of four steps, random, structured and no dropping.</summary>
[TestFixture]
public sealed class AlignedRunTests
{
    private static readonly int[] Shape = [20, 16, 12];

    private TemporaryFolder folder = null!;

    [OneTimeSetUp]
    public void TrainWithoutInterruption()
    {
        folder = new TemporaryFolder();
        File.WriteAllBytes(folder["features.npy"], NpyWriter.Floats(Shape, FeatureFileTests.Numbers(Shape)));
        using var device = new CpuDevice(1) { PoisonsMemory = true };
        Run("whole", device);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    // Accumulated, at a checkpoint, within the stage without dropping.
    [TestCase(1)]
    [TestCase(2, 6, 11)]
    public void An_interrupted_run_ends_with_the_same_bits(params int[] stops)
    {
        string run = $"stopped-{string.Join('-', stops)}";
        foreach (int stop in (int[])[.. stops, int.MaxValue])
        {
            using var device = new CpuDevice(2) { PoisonsMemory = true };
            Run(run, device, stop);
        }

        Assert.That(TinyRun.Checkpoint(folder[run]), Is.EqualTo(TinyRun.Checkpoint(folder["whole"])));
        Assert.That(TinyRun.Metrics(folder[run]), Is.EqualTo(TinyRun.Metrics(folder["whole"])));
    }

    // As DeviceRunTests, which says why; the projection loss is a mean of cosines.
    [TestCase(TestDevice.Emulated)]
    [TestCase(TestDevice.Cuda, Category = "Gpu")]
    public void A_CUDA_device_has_the_losses_of_the_cpu(string name)
    {
        using Device device = TestDevice.Open(name);
        Run(name, device);
        foreach (string key in (string[])["loss", "projection_loss"])
        {
            double[] actual = Numbers(name, key), expected = Numbers("whole", key);
            Assert.That(actual, Has.Length.EqualTo(12));
            Assert.That(actual.Zip(expected, static (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(2.4e-6), key);
        }

        Assert.That(Numbers(name, "flops"), Is.EqualTo(Numbers("whole", "flops")));
    }

    [TestCase(TestDevice.Emulated)]
    [TestCase(TestDevice.Cuda, Category = "Gpu")]
    public void In_mixed_precision_the_losses_follow_those_of_float32(string name)
    {
        using Device device = TestDevice.Open(name);
        using var plainDevice = CpuDevice.WithPlainBFloat16(2);
        Run($"mixed {name}", device, precision: Precision.Bf16);
        Run($"plain {name}", plainDevice, precision: Precision.Bf16);
        foreach (string key in (string[])["loss", "projection_loss"])
        {
            double plain = Difference($"plain {name}"), mixed = Difference($"mixed {name}");
            Assert.That(mixed, Is.GreaterThan(0).And.LessThanOrEqualTo(LowPrecision.Outputs * plain), key);
            Assert.That(plain, Is.LessThan(0.01), key);

            double Difference(string run) => Numbers(run, key).Zip(Numbers("whole", key), static (a, b) => Math.Abs(a - b)).Max();
        }
    }

    [Test]
    public void Hidden_states_come_nearer_to_the_features()
    {
        // The same features of all tokens and images: what there is to learn is their direction.
        float[] same = [.. Enumerable.Repeat(FeatureFileTests.Numbers([12]), 20 * 16).SelectMany(static features => features)];
        File.WriteAllBytes(folder["same.npy"], NpyWriter.Halves(Shape, same));
        using var device = new CpuDevice(2);
        TrainingConfiguration configuration = FeatureFileTests.Aligned with
        {
            Stages = [new StageConfiguration { Steps = 60, BatchSize = 8, DropRatio = 0.75, LearningRate = 3e-3 }],
        };
        Run("learning", device, configuration: configuration, features: "same.npy");
        double[] losses = Numbers("learning", "projection_loss");
        Assert.That(losses[0], Is.GreaterThan(-0.7));
        Assert.That(losses[^5..].Average(), Is.LessThan(-0.95));
        Assert.That(File.Exists(folder["learning/projection-loss.png"]), Is.True);
    }

    [Test]
    public void The_weight_of_the_projection_changes_what_is_learned_but_not_what_is_measured_first()
    {
        using var device = new CpuDevice(2);
        Run("weightless", device, configuration: FeatureFileTests.Aligned with { Loss = new LossConfiguration { ProjectionWeight = 0 } });
        TinyRun.Run(folder["unaligned"], device);
        Assert.That(Numbers("weightless", "projection_loss")[0], Is.EqualTo(Numbers("whole", "projection_loss")[0]).Within(1e-6));
        Assert.That(Numbers("weightless", "loss"), Is.EqualTo(Numbers("unaligned", "loss")), "without weight, the losses of a run that is not aligned");
        Assert.That(Numbers("weightless", "loss"), Is.Not.EqualTo(Numbers("whole", "loss")));
        Assert.That(TinyRun.Metrics(folder["unaligned"]), Has.None.Contains("projection_loss"));
        Assert.That(File.Exists(folder["unaligned/projection-loss.png"]), Is.False);
    }

    [Test]
    public void A_run_is_not_resumed_with_other_features()
    {
        using var device = new CpuDevice(1);
        Run("begun", device, stopAfter: 5);
        File.WriteAllBytes(folder["other.npy"], NpyWriter.Floats(Shape, FeatureFileTests.Numbers(Shape, seed: 6)));
        Assert.That(() => Run("begun", device, features: "other.npy"), new SprintFault("the run was begun with 20 images", "features", "give it its data back"));
    }

    private void Run(
        string name,
        Device device,
        long stopAfter = long.MaxValue,
        Precision precision = Precision.Fp32,
        TrainingConfiguration? configuration = null,
        string features = "features.npy")
    {
        using var cancellation = new CancellationTokenSource();
        using var dataset = new PatternDataset();
        using FeatureFile file = FeatureFile.Open(folder[features]);
        var observer = new RecordingObserver(report =>
        {
            if (report.Step >= stopAfter)
                cancellation.Cancel();
        });
        using Trainer trainer = TinyRun.Open(folder[name], device, dataset, observer, (configuration ?? FeatureFileTests.Aligned) with { Precision = precision }, file);
        trainer.Run(cancellation.Token);
    }

    private double[] Numbers(string name, string key) =>
        [.. File.ReadLines(Path.Combine(folder[name], "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement.GetProperty(key).GetDouble())];
}
