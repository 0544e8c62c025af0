using NUnit.Framework;
using Sprint.Bench.Comparison;
using Sprint.Bench.Results;

namespace Sprint.Tests.Bench;

/// <summary>When <c>compare</c> calls a change more than noise.</summary>
internal sealed class ComparisonTests
{
    private static readonly NoiseRule Rule = new();

    [Test]
    public void Two_runs_of_the_same_thing_are_seldom_told_apart([Values(5, 20)] int samples, [Values(0.01, 0.05, 0.3)] double noise)
    {
        Random random = new(1);
        int flagged = Enumerable.Range(0, 1000).Count(_ => Rule.Judge(Times(random, samples, 1, noise), Times(random, samples, 1, noise)) != Verdict.Same);

        // Few samples make a poor estimate of the noise: 5 of each tell no more than 5% of equal runs apart, 20 no more than 1%.
        Assert.That(flagged, Is.LessThanOrEqualTo(samples == 5 ? 50 : 10));
    }

    [Test]
    public void A_change_of_a_tenth_is_noticed_through_noise_of_three_percent()
    {
        Random random = new(2);
        Assert.That(Enumerable.Range(0, 300).Count(_ => Rule.Judge(Times(random, 20, 1, 0.03), Times(random, 20, 1.1, 0.03)) == Verdict.Worse), Is.GreaterThan(285));
        Assert.That(Enumerable.Range(0, 300).Count(_ => Rule.Judge(Times(random, 20, 1.1, 0.03), Times(random, 20, 1, 0.03)) == Verdict.Better), Is.GreaterThan(285));
    }

    [Test]
    public void One_disturbed_step_of_twenty_changes_nothing()
    {
        double[] quiet = [.. Enumerable.Repeat(1.0, 20)];
        double[] disturbed = [.. quiet];
        disturbed[7] = 40;
        Assert.That(Rule.Judge(Time(quiet), Time(disturbed)), Is.EqualTo(Verdict.Same));
    }

    [TestCase(1.029, Verdict.Same)]
    [TestCase(1.031, Verdict.Worse)]
    [TestCase(0.969, Verdict.Better)]
    [TestCase(double.NaN, Verdict.Worse)]
    public void Without_spread_the_floor_decides(double after, Verdict verdict) => Assert.That(Rule.Judge(Time(1, 1, 1), Time(after, after, after)), Is.EqualTo(verdict));

    [TestCase(1000, Verdict.Same)]
    [TestCase(1001, Verdict.Worse)]
    [TestCase(999, Verdict.Better)]
    [TestCase(double.NaN, Verdict.Worse)]
    public void A_count_that_differs_at_all_has_changed(double after, Verdict verdict) =>
        Assert.That(Rule.Judge(Measurement.Count("c", "FLOP", 1000), Measurement.Count("c", "FLOP", after)), Is.EqualTo(verdict));

    [Test]
    public void A_rate_that_rises_is_better()
    {
        Measurement slow = Measurement.Of("r", "FLOP/s", Better.Higher, [100, 101, 99]);
        Measurement fast = Measurement.Of("r", "FLOP/s", Better.Higher, [200, 201, 199]);
        Assert.That((Rule.Judge(slow, fast), Rule.Judge(fast, slow)), Is.EqualTo((Verdict.Better, Verdict.Worse)));
    }

    [Test]
    public void Figures_of_one_run_alone_are_told_and_times_of_other_machines_are_not_judged()
    {
        BenchResults before = Results(Time(1), Measurement.Count("gone", "B", 1));
        BenchResults after = Results(Time(2), Measurement.Count("new", "B", 1));
        Assert.That(
            ResultComparison.Of(before, after, Rule).Select(figure => (figure.Name, figure.Verdict)),
            Is.EqualTo(new[] { ("t", Verdict.Worse), ("new", Verdict.Added), ("gone", Verdict.Missing) }));
        BenchResults elsewhere = after with { Machine = after.Machine with { Processor = "another" } };
        Assert.That(ResultComparison.Of(before, elsewhere, Rule)[0].Verdict, Is.EqualTo(Verdict.Elsewhere));
        Assert.That(ResultComparison.Of(before, after with { Device = "cuda:0" }, Rule)[0].Verdict, Is.EqualTo(Verdict.Elsewhere));
    }

    [Test]
    public void What_became_worse_comes_first_in_the_table()
    {
        BenchResults before = Results(Measurement.Count("a", "B", 1), Time(1));
        BenchResults after = Results(Measurement.Count("a", "B", 1), Time(2));
        ResultTable table = ResultComparison.Table(ResultComparison.Of(before, after, Rule), Rule);
        Assert.That(table.Title, Is.EqualTo("2 figures: 1 worse, 0 better"));
        Assert.That(table.Rows[0].Take(3), Is.EqualTo(new[] { "t", "worse", "s" }));
        Assert.That(table.Rows[0][7], Is.EqualTo("+100.0%"));
    }

    [TestCase(new[] { 3.0 }, 3, 3, 3)]
    [TestCase(new[] { 4.0, 1, 3, 2 }, 1.75, 2.5, 3.25)]
    [TestCase(new[] { 5.0, 1, 3, 2, 4 }, 2, 3, 4)]
    public void Quartiles_lie_between_the_nearest_measurements(double[] samples, double lower, double median, double upper)
    {
        Spread spread = Spread.Of(samples);
        Assert.That((spread.Lower, spread.Median, spread.Upper), Is.EqualTo((lower, median, upper)));
    }

    [Test]
    public void The_standard_error_of_a_median_is_that_of_many_medians()
    {
        Random random = new(3);
        Spread[] spreads = [.. Enumerable.Range(0, 4000).Select(_ => Times(random, 41, 1, 0.1).Spread!.Value)];
        double deviation = Math.Sqrt(spreads.Average(spread => Math.Pow(spread.Median - 1, 2)));
        Assert.That(spreads.Average(spread => spread.StandardError), Is.EqualTo(deviation).Within(10).Percent);
    }

    private static Measurement Time(params double[] samples) => Measurement.Of("t", "s", Better.Lower, samples);

    private static Measurement Times(Random random, int count, double median, double noise) => Time([.. Enumerable.Range(0, count).Select(_ => median + (noise * Normal(random)))]);

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static BenchResults Results(params Measurement[] measurements) =>
        new() { Command = "step", Title = "t", Subject = "s", Device = "cpu: 2 threads", Measurements = measurements };
}
