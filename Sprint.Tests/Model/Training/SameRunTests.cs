using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>The same run on two devices: the same tokens, and losses that differ by float32 rounding alone.</summary>
[TestFixture]
public sealed class SameRunTests
{
    /// <summary>
    /// Adam divides a gradient by its own size, so that where a gradient is nearly zero its rounding decides the direction of a full step: losses part by
    /// more than one rounding, and by ever more. Over 20 steps of two stages they stay within 1e-4 of each other.
    /// </summary>
    [Test]
    public void Twenty_steps_on_cpu_and_emulated_have_the_same_losses()
    {
        TrainingConfiguration configuration = TinyRun.Configuration with
        {
            Stages =
            [
                new StageConfiguration { Steps = 12, BatchSize = 4, DropRatio = 0.75, LearningRate = 1e-3, EmaDecay = 0.9 },
                new StageConfiguration { Steps = 8, BatchSize = 4, GradientAccumulationSteps = 2, LearningRate = 1e-3, EmaDecay = 0.9 },
            ],
            Samples = new SamplesConfiguration { PerClass = 1, Classes = 1, Steps = 1 },
        };
        using CpuDevice cpu = new(1);
        using CudaDevice emulated = CudaDevice.Emulated();
        StepReport[] expected = Train(cpu, configuration), actual = Train(emulated, configuration);
        Assert.That(actual, Has.Length.EqualTo(20));
        for (int i = 0; i < 20; i++)
        {
            Assert.That(actual[i].Loss, Is.EqualTo(expected[i].Loss).Within(1e-4 * expected[i].Loss), $"loss of step {i + 1}");
            Assert.That(actual[i].Flops, Is.EqualTo(expected[i].Flops), $"FLOPs of step {i + 1}");
        }
    }

    private static StepReport[] Train(Device device, TrainingConfiguration configuration)
    {
        using TemporaryFolder folder = new();
        var reports = new List<StepReport>();
        using var dataset = new PatternDataset();
        using Trainer trainer = TinyRun.Open(folder["run"], device, dataset, new RecordingObserver(reports.Add), configuration);
        trainer.Run();
        return [.. reports];
    }
}
