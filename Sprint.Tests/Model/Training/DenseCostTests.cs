using NUnit.Framework;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

[TestFixture]
public sealed class DenseCostTests
{
    /// <summary>A clock that goes on only when a step runs: a sparse one takes 2 units, a dense one 5, times the load.</summary>
    private sealed class StepClock(Func<int, double> load) : TimeProvider
    {
        private long now;

        public int Sparse { get; private set; }

        public int Dense { get; private set; }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => now;

        public void RunSparse()
        {
            now += (long)(20_000 * load(Sparse + Dense));
            Sparse++;
        }

        public void RunDense()
        {
            now += (long)(50_000 * load(Sparse + Dense));
            Dense++;
        }
    }

    [TestCase(1)]
    [TestCase(7)]
    public void The_ratio_is_that_of_the_steps_whatever_the_load(double load)
    {
        var clock = new StepClock(_ => load);
        Assert.That(DenseCost.TimeRatio(clock, clock.RunSparse, clock.RunDense), Is.EqualTo(2.5).Within(1e-12));
    }

    [Test]
    public void A_load_that_rises_between_pairs_or_disturbs_one_changes_nothing()
    {
        var rising = new StepClock(run => 1 + (run / 2));
        Assert.That(DenseCost.TimeRatio(rising, rising.RunSparse, rising.RunDense), Is.EqualTo(2.5).Within(1e-12));
        var disturbed = new StepClock(run => run == 7 ? 10 : 1);
        Assert.That(DenseCost.TimeRatio(disturbed, disturbed.RunSparse, disturbed.RunDense), Is.EqualTo(2.5).Within(1e-12));
    }

    [Test]
    public void First_steps_which_compile_do_not_count()
    {
        var clock = new StepClock(run => run == 0 ? 100 : run == 1 ? 40 : 1);
        Assert.That(DenseCost.TimeRatio(clock, clock.RunSparse, clock.RunDense), Is.EqualTo(2.5).Within(1e-12));
    }

    [Test]
    public void Steps_alternate_for_a_second_and_three_pairs_at_least()
    {
        var fast = new StepClock(_ => 1);
        DenseCost.TimeRatio(fast, fast.RunSparse, fast.RunDense);
        Assert.That((fast.Sparse, fast.Dense), Is.EqualTo((16, 16)), "a pair to warm up, and 15 of 70 ms");
        var slow = new StepClock(_ => 100);
        DenseCost.TimeRatio(slow, slow.RunSparse, slow.RunDense);
        Assert.That((slow.Sparse, slow.Dense), Is.EqualTo((4, 4)));
    }
}
