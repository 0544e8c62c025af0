using NUnit.Framework;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>What may change in a run that is resumed, and what may not. The run has done stage 1 and is within stage 2 of 3.</summary>
[TestFixture]
public sealed class ResumeRulesTests
{
    private static readonly RunState State = new() { Step = 6, Stage = 1, StageStep = 2, Accounts = [new StageAccount(), new StageAccount()] };

    [TestCase("stage2.steps=9")]
    [TestCase("stage2.learning_rate=1e-5")]
    [TestCase("stage2.max_grad_norm=0.5")]
    [TestCase("stage2.ema_decay=0.5")]
    [TestCase("stage2.gradient_accumulation_steps=2")]
    [TestCase("stage2.name=other")]
    [TestCase("stage1.name=other")]
    [TestCase("stage3.drop_ratio=0.5")]
    [TestCase("stage3.batch_size=8")]
    [TestCase("samples.every=1")]
    [TestCase("checkpoints.every=7")]
    [TestCase("model.use_checkpoint=true")]
    [TestCase("data.path=elsewhere")]
    public void What_is_to_come_may_change_and_is_named(string change)
    {
        ConfigurationChange told = ResumeRules.Check(TinyRun.Configuration, Changed(change), State).Single();
        Assert.That(change, Does.StartWith(told.Key + "="));
        Assert.That(told.Before, Is.Not.EqualTo(told.Now));
    }

    [TestCase("seed=8", "seed 7, not 8: what has been learned rests on it")]
    [TestCase("model.hidden_size=64", "model.hidden_size 32, not 64: what has been learned rests on it")]
    [TestCase("model.q_norm=null", "model.q_norm RMSNorm, not null")]
    [TestCase("model.use_swiglu=true", "model.use_swiglu false, not true")]
    [TestCase("model.adaln_lora_dim=8", "model.adaln_lora_dim null, not 8")]
    [TestCase("loss.path_type=cosine", "loss.path_type linear, not cosine")]
    [TestCase("stage1.steps=5", "stage1.steps 4, not 5: stage 1 is done")]
    [TestCase("stage1.learning_rate=1", "stage1.learning_rate 0.002, not 1: stage 1 is done")]
    [TestCase("stage2.batch_size=8", "stage2.batch_size 4, not 8: stage 2 has begun")]
    [TestCase("stage2.drop_ratio=0.5", "stage2.drop_ratio 0.75, not 0.5: stage 2 has begun")]
    [TestCase("stage2.mask_type=random", "stage2.mask_type structured, not random: stage 2 has begun")]
    public void What_has_been_done_may_not(string change, string complaint) =>
        Assert.That(() => ResumeRules.Check(TinyRun.Configuration, Changed(change), State), new SprintFault("the run was begun with " + complaint, "or begin a new run"));

    [Test]
    public void A_stage_that_is_done_can_be_made_longer_until_the_next_begins()
    {
        var between = new RunState { Step = 4, Stage = 1, Accounts = [new StageAccount()] };
        TrainingConfiguration longer = Changed("stage1.steps=9");
        Assert.That(() => ResumeRules.Check(TinyRun.Configuration, Changed("stage1.steps=3"), between), new SprintFault("stage 1 is done"));
        ResumeRules.Reopen(TinyRun.Configuration, longer, between);
        Assert.That((between.Stage, between.StageStep), Is.EqualTo((0, 4L)));
        Assert.That(ResumeRules.Check(TinyRun.Configuration, longer, between).Single(), Is.EqualTo(new ConfigurationChange("stage1.steps", "4", "9")));
        RunState begun = State with { };
        ResumeRules.Reopen(TinyRun.Configuration, longer, begun);
        Assert.That((begun.Stage, begun.StageStep), Is.EqualTo((1, 2L)));
    }

    [Test]
    public void The_same_configuration_has_no_changes_and_stages_can_be_added()
    {
        Assert.That(ResumeRules.Check(TinyRun.Configuration, TinyRun.Configuration, State), Is.Empty);
        TrainingConfiguration longer = TinyRun.Configuration with { Stages = [.. TinyRun.Configuration.Stages, new StageConfiguration()] };
        Assert.That(ResumeRules.Check(TinyRun.Configuration, longer, State).Single(), Is.EqualTo(new ConfigurationChange("stages", "3 in all", "4 in all")));
    }

    private static TrainingConfiguration Changed(string change) =>
        ConfigurationReader.Parse<TrainingConfiguration>(ConfigurationWriter.Write(TinyRun.Configuration), "test", [change]);
}
