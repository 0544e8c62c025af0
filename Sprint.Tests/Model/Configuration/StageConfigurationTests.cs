using NUnit.Framework;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Configuration;

[TestFixture]
public sealed class StageConfigurationTests
{
    [TestCase(0, 0.01)]
    [TestCase(1, 0.01 + (0.99 * 0.25))]
    [TestCase(3, 0.01 + (0.99 * 0.75))]
    [TestCase(4, 1)]
    [TestCase(99, 1)]
    public void The_learning_rate_rises_linearly_from_one_percent_and_stays(int step, double factor)
    {
        var stage = new StageConfiguration { Steps = 100, LearningRate = 0.5, WarmupSteps = 4 };
        Assert.That(stage.Update(step, 1000 + step, 7).LearningRate, Is.EqualTo(0.5 * factor).Within(1e-12));
    }

    [TestCase(0, 0.01)]
    [TestCase(10, 1)]
    [TestCase(15, 0.55)]
    [TestCase(20, 0.1)]
    public void A_cosine_falls_from_the_end_of_the_warm_up_to_a_tenth_at_the_last_step(int step, double factor)
    {
        var stage = new StageConfiguration { Steps = 21, LearningRate = 2, WarmupSteps = 10, LearningRateDecay = LearningRateDecay.Cosine };
        Assert.That(stage.Update(step, step, step).LearningRate, Is.EqualTo(2 * factor).Within(1e-12));
    }

    [Test]
    public void A_stage_all_of_warm_up_or_of_one_step_has_finite_rates()
    {
        var stage = new StageConfiguration { Steps = 3, WarmupSteps = 3, LearningRateDecay = LearningRateDecay.Cosine };
        Assert.That(Enumerable.Range(0, 3).Select(step => stage.Update(step, step, step).LearningRate), Is.Ordered.And.All.LessThan(1e-4));
        Assert.That((stage with { Steps = 1, WarmupSteps = 0 }).Update(0, 0, 0).LearningRate, Is.EqualTo(1e-4));
        Assert.That((stage with { Steps = 4 }).Update(3, 3, 3).LearningRate, Is.EqualTo(1e-4));
    }

    [TestCase(0, 0, 0.1)]
    [TestCase(9, 9, 10.0 / 19)]
    [TestCase(10, 10, 11.0 / 20)]
    [TestCase(500, 8989, 0.999)]
    public void The_average_forgets_its_start_where_it_ramps_up(int stageStep, int runStep, double decay)
    {
        var stage = new StageConfiguration { EmaDecay = 0.999, EmaRampUp = true };
        Assert.That(stage.Update(stageStep, runStep, 0).AverageDecay, Is.EqualTo(decay).Within(1e-12));
        Assert.That((stage with { EmaRampUp = false }).Update(stageStep, runStep, 0).AverageDecay, Is.EqualTo(0.999));
    }

    [Test]
    public void The_average_has_a_decay_of_its_own_while_the_rate_warms_up()
    {
        var stage = new StageConfiguration { EmaDecay = 0.9999, WarmupEmaDecay = 0.99, WarmupSteps = 5 };
        Assert.That(stage.Update(4, 4000, 4).AverageDecay, Is.EqualTo(0.99));
        Assert.That(stage.Update(5, 4001, 5).AverageDecay, Is.EqualTo(0.9999));
        Assert.That((stage with { WarmupEmaDecay = null }).Update(4, 4000, 4).AverageDecay, Is.EqualTo(0.9999));
    }

    [Test]
    public void An_update_gets_the_stage_s_numbers_and_counts_from_the_moments_start()
    {
        var stage = new StageConfiguration { AdamBeta1 = 0.8, AdamBeta2 = 0.95, AdamEpsilon = 1e-6, AdamWeightDecay = 0.1, MaxGradNorm = 3 };
        Assert.That(stage.Update(40, 140, 20), Is.EqualTo(new AdamWSettings(1e-4, 21, 0.8, 0.95, 1e-6, 0.1, 3, 0.9999)));
    }
}
