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
            Assert.That(account.DenseSeconds, Is.GreaterThan(0));
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
        Assert.That(observer.Notices, Has.Some.StartsWith("dense steps cannot be timed here: the loss became NaN at step 1"));
        StageAccount account = trainer.State.Accounts[0];
        Assert.That(account.DenseSeconds, Is.Null);

        Dictionary<string, string> checkpoint = TinyRun.Checkpoint(folder["run"]);
        Dictionary<string, string> whole = TinyRun.Checkpoint(folder["whole"]);
        Assert.That(checkpoint["state"].Replace("\"DenseSeconds\":null", "\"DenseSeconds\":0", StringComparison.Ordinal), Is.EqualTo(whole["state"]));
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

    [Test]
    public void A_load_that_comes_during_a_stage_lengthens_dense_time_as_it_lengthens_the_stage()
    {
        var account = new StageAccount { DenseSeconds = 0 };
        foreach (double load in new[] { 1.0, 1, 5, 5 })
        {
            account.Add(new PassFlops(1, 2, 1), seconds: 0.5 * load, passSeconds: 0.4 * load, denseRatio: 2, peakBytes: 1);
        }

        Assert.That(account.Seconds, Is.EqualTo(6).Within(1e-12));
        Assert.That(account.DenseSeconds, Is.EqualTo(10.8).Within(1e-12), "passes take twice as long, the rest of a step does not");
    }

    [Test]
    public void Steps_resumed_elsewhere_count_by_the_ratio_there()
    {
        using TemporaryFolder folder = new();
        var before = new RunState { Accounts = [new StageAccount { DenseSeconds = 0 }] };
        before.Accounts[0].Add(default, seconds: 10, passSeconds: 10, denseRatio: 2, peakBytes: 0);
        before.Save(folder["state.json"]);
        StageAccount account = RunState.Load(folder["state.json"]).Accounts[0];
        account.Add(default, seconds: 1, passSeconds: 1, denseRatio: 3, peakBytes: 0);
        Assert.That(account.DenseSeconds, Is.EqualTo(23));
        account.Add(default, seconds: 1, passSeconds: 1, denseRatio: null, peakBytes: 0);
        account.Add(default, seconds: 1, passSeconds: 1, denseRatio: 3, peakBytes: 0);
        Assert.That(account.DenseSeconds, Is.Null, "part of the stage ran where dense steps could not be timed");
    }
}
