using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

[TestFixture]
public sealed class StageAccountTests
{
    [Test]
    public void A_run_costs_what_the_dry_run_counts_also_when_it_was_resumed()
    {
        using TemporaryFolder folder = new();
        TinyRun.Run(folder["run"], threads: 2, stopAfter: 6);
        RunState state = TinyRun.Run(folder["run"], threads: 2);
        TrainingConfiguration configuration = TinyRun.Configuration;
        Assert.That(state.Accounts, Has.Count.EqualTo(3));
        for (int i = 0; i < 3; i++)
        {
            StageConfiguration stage = configuration.Stages[i];
            StageAccount account = state.Accounts[i];
            (double flops, long peak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, stage.Pattern(configuration.Model));
            (double dense, long densePeak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, DropPattern.None(4, 4));
            Assert.That(account.Steps, Is.EqualTo(4));
            Assert.That(account.Flops, Is.EqualTo(4 * flops), stage.Name);
            Assert.That(account.DenseFlops, Is.EqualTo(4 * dense), stage.Name);
            Assert.That(account.PeakBytes, Is.EqualTo(peak), stage.Name);
            Assert.That(account.DensePeakBytes, Is.EqualTo(densePeak), stage.Name);
            Assert.That(account.BackwardFlops, Is.GreaterThan(1.5 * account.ForwardFlops));
            Assert.That(account.OptimizerFlops, Is.GreaterThan(0));
            Assert.That(account.Seconds, Is.GreaterThan(0));
        }

        Assert.That(state.Accounts[0].Flops, Is.LessThan(state.Accounts[0].DenseFlops));
        Assert.That(state.Accounts[1].PeakBytes, Is.LessThan(state.Accounts[1].DensePeakBytes));
        Assert.That(state.Accounts[2].Flops, Is.EqualTo(state.Accounts[2].DenseFlops));
        Assert.That(state.Accounts[2].DenseSeconds, Is.EqualTo(state.Accounts[2].Seconds));
    }

    [Test]
    public void Dense_steps_that_cannot_be_timed_leave_the_run_as_it_is()
    {
        using TemporaryFolder folder = new();
        TrainingConfiguration configuration = TinyRun.Configuration with { Stages = [TinyRun.Configuration.Stages[0]] };
        TinyRun.Run(folder["whole"], configuration: configuration);

        // Only the batch that is read for the timing is spoiled.
        int readings = 0;
        var observer = new RecordingObserver();
        using var device = new CpuDevice(1) { PoisonsMemory = true };
        using var dataset = new PatternDataset { Spoils = _ => readings++ < configuration.Stages[0].BatchSize };
        using Trainer trainer = TinyRun.Open(folder["run"], device, dataset, observer, configuration);
        Assert.That(trainer.Run(), Is.True);
        Assert.That(observer.Busied, Has.Some.StartsWith("dense steps cannot be timed here: the loss became NaN at step 1"));
        StageAccount account = trainer.State.Accounts[0];
        Assert.That(account.DenseTimeUnknown, Is.True);
        Assert.That(account.DenseExtraSecondsPerStep, Is.Zero);

        Dictionary<string, string> checkpoint = TinyRun.Checkpoint(folder["run"]);
        Dictionary<string, string> whole = TinyRun.Checkpoint(folder["whole"]);
        Assert.That(checkpoint["state"].Replace("\"DenseTimeUnknown\":true", "\"DenseTimeUnknown\":false", StringComparison.Ordinal), Is.EqualTo(whole["state"]));
        checkpoint.Remove("state");
        whole.Remove("state");
        Assert.That(checkpoint, Is.EqualTo(whole));
    }

    [Test]
    public void Accumulation_counts_every_micro_batch_and_holds_only_one()
    {
        ModelConfiguration model = TinyRun.Configuration.Model;
        var stage = new StageConfiguration { BatchSize = 12 };
        DropPattern pattern = DropPattern.Structured(4, 4, 0.75);
        (double whole, long wholePeak) = DenseCost.Count(model, stage, new LossConfiguration(), pattern);
        (double parts, long partsPeak) = DenseCost.Count(model, stage with { GradientAccumulationSteps = 4 }, new LossConfiguration(), pattern);
        Assert.That(parts, Is.EqualTo(whole).Within(1).Percent);
        Assert.That(partsPeak, Is.LessThan(wholePeak));
    }
}
