using NUnit.Framework;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Configuration;

[TestFixture]
public sealed class ConfigurationOverrideTests
{
    [Test]
    public void Overrides_reach_every_value_also_one_that_the_file_leaves_out()
    {
        SampleConfiguration configuration = Parse(
            "stages: [{name: a, steps: 5}, {name: b}]",
            "stage1.drop_ratio=0.5",
            "stages[1].lr = 0.25",
            "model.hidden_size=64",
            "teacher.tokens=9",
            "note=C:\\data: x # y",
            "betas=[0.1, 0.2]",
            "beta2=0.3",
            "sampler=SiT-XL/2");
        Assert.That(configuration.Stages[0], Is.EqualTo(new SampleStage { Name = "a", Steps = 5, DropRatio = 0.5 }));
        Assert.That(configuration.Stages[1], Is.EqualTo(new SampleStage { Name = "b", LearningRate = 0.25f }));
        Assert.That(configuration.Model.HiddenSize, Is.EqualTo(64));
        Assert.That(configuration.Teacher, Is.EqualTo(new SampleModel { Tokens = 9 }));
        Assert.That(configuration.Note, Is.EqualTo("C:\\data: x # y"));
        Assert.That(configuration.Betas, Is.EqualTo(new[] { 0.1, 0.3 }));
        Assert.That(configuration.Sampler, Is.EqualTo(SampleSampler.Large));
    }

    [Test]
    public void The_last_of_two_overrides_wins_and_an_empty_value_is_none()
    {
        SampleConfiguration configuration = Parse("{note: x, teacher: {tokens: 3}}", "seed=1", "seed=2", "note=", "teacher.tokens=null", "stages=[{steps: 8}]", "stage1.name=n");
        Assert.That(configuration.Seed, Is.EqualTo(2));
        Assert.That(configuration.Note, Is.Null);
        Assert.That(configuration.Teacher, Is.EqualTo(new SampleModel()));
        Assert.That(configuration.Stages, Is.EqualTo(new[] { new SampleStage { Steps = 8, Name = "n" } }));
    }

    [TestCase("seed", "an override is KEY=VALUE")]
    [TestCase("=3", "an override is KEY=VALUE")]
    [TestCase("sed=3", "unknown key 'sed': did you mean 'seed'?")]
    [TestCase("stage1.stpes=3", "unknown key 'stpes' in stage1: did you mean 'steps'?")]
    [TestCase("stage3.steps=3", "stages has 2 entries, there is no stage3")]
    [TestCase("stage0.steps=3", "unknown key 'stage0'")]
    [TestCase("stages[99999999999].steps=3", "there is no stages[2147483647]")]
    [TestCase("stages.steps=3", "stages has no keys below it")]
    [TestCase("seed.x=3", "seed has no keys below it")]
    [TestCase("seed[0]=3", "seed is not a list")]
    [TestCase("model..x=3", "'' is not a key")]
    [TestCase("stage1.steps=abc", "stage1.steps is abc, but must be a whole number")]
    [TestCase("stage2.steps=0", "stage2.steps is 0, but must be at least 1")]
    [TestCase("stages[1].steps=0", "stages[1].steps is 0, but must be at least 1")]
    [TestCase("stage1.steps.x=0", "stage1.steps has no keys below it")]
    [TestCase("beta2=abc", "beta2 is abc, but must be a finite number")]
    [TestCase("betas=[0.1", "not valid YAML")]
    [TestCase("stage1={nme: 3}", "unknown key 'nme' in stage1: did you mean 'name'?")]
    public void A_wrong_override_is_named(string change, string sentence) =>
        Assert.That(() => Parse("", change), new SprintFault($"--set {change}: ", sentence));

    private static SampleConfiguration Parse(string yaml, params string[] overrides) =>
        ConfigurationReader.Parse<SampleConfiguration>(yaml, "test.yaml", overrides);
}
