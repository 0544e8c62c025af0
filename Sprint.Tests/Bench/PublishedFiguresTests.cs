using NUnit.Framework;
using Sprint.Bench.Counting;

namespace Sprint.Tests.Bench;

internal sealed class PublishedFiguresTests
{
    private static readonly PublishedFigures Figures = new();

    [Test]
    public void Every_figure_of_inference_is_within_half_a_percent()
    {
        Assert.That(Figures.Inference.Select(row => row.Published), Is.EqualTo(new[] { 0.475, 0.477, 0.274, 0.263 }));
        Assert.That(Figures.Inference.Select(row => row.Difference), Is.All.InRange(-0.005, 0.005));
        Assert.That(Figures.InferenceAgrees);
    }

    [TestCase(0.475, true)]
    [TestCase(0.4775, false)]
    [TestCase(double.NaN, false)]
    public void A_count_too_far_off_or_none_at_all_does_not_agree(double counted, bool agrees) =>
        Assert.That(PublishedFigures.Agree([.. Figures.Inference, new PublishedFigure("x", 0.475, counted, "")]), Is.EqualTo(agrees));

    [Test]
    public void Training_of_the_dense_model_is_its_forward_products()
    {
        Assert.That(Figures.Training[0].Difference, Is.EqualTo(0).Within(0.002));
        Assert.That(Figures.Training[1].Difference, Is.EqualTo(0).Within(0.002));
    }

    [Test]
    public void Training_with_dropping_costs_the_published_ratio_within_two_percent_by_the_recipe()
    {
        Assert.That(Figures.CountedRatio, Is.EqualTo(PublishedFigures.PublishedRatio).Within(2).Percent);
        Assert.That(Figures.DenseShare, Is.InRange(0.25, 0.3));
    }

    [Test]
    public void The_fusion_without_padding_saves_the_dropped_rows()
    {
        // Forward: 2 (N - M - 1) D^2 of 4 N D^2.
        Assert.That(Figures.FusionSavings().Rows[0][^1], Is.EqualTo("37.3%"));
        Assert.That(2 * (256 - 64 - 1) / (4.0 * 256), Is.EqualTo(0.373).Within(0.0005));
    }
}
