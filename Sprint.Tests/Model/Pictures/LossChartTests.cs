using NUnit.Framework;
using SkiaSharp;
using Sprint.Model.Pictures;

namespace Sprint.Tests.Model.Pictures;

[TestFixture]
public sealed class LossChartTests
{
    private static readonly double[] Steps = [.. Enumerable.Range(0, 500).Select(step => (double)step)];
    private static readonly double[] Falling = [.. Steps.Select(step => 0.2 + Math.Exp(-step / 50))];

    [TestCase(true, true)]
    [TestCase(false, true)]
    [TestCase(true, false)]
    [TestCase(false, false)]
    public void A_chart_has_its_line_and_text_on_every_side(bool systemFonts, bool logarithmic)
    {
        using TemporaryFolder folder = new();
        LossChart.SavePng(
            folder["loss.png"],
            [new LossSeries("training loss", Steps, Falling)],
            [new LossStage("sparse", 0), new LossStage("dense", 400)],
            new LossChartOptions { Title = "A title", SystemFonts = systemFonts, Logarithmic = logarithmic });
        using Picture picture = new(folder["loss.png"]);
        Assert.That((picture.Width, picture.Height), Is.EqualTo((1200, 640)));
        Assert.That(picture.Count(new SKRectI(84, 15, 400, 45), Picture.IsDark), Is.GreaterThan(50), "title");
        Assert.That(picture.Count(new SKRectI(36, 60, 80, 600), Picture.IsDark), Is.GreaterThan(50), "values");
        Assert.That(picture.Count(new SKRectI(80, 580, 1190, 600), Picture.IsDark), Is.GreaterThan(50), "steps");
        Assert.That(picture.Count(new SKRectI(900, 62, 1168, 84), color => color.Red < 160), Is.GreaterThan(20), "stage");
        Assert.That(picture.Count(new SKRectI(86, 88, 1166, 570), color => color == new SKColor(0x2B, 0x6C, 0xD9)), Is.GreaterThan(1000), "line");
    }

    [Test]
    public void Charts_of_nothing_of_one_point_of_no_finite_value_and_of_a_constant_are_drawn()
    {
        using TemporaryFolder folder = new();
        LossSeries[][] cases =
        [
            [],
            [new LossSeries("none", [], [])],
            [new LossSeries("one", [5], [0.5])],
            [new LossSeries("wild", [1, 2, 3], [double.NaN, double.PositiveInfinity, double.NaN])],
            [new LossSeries("zero", [1, 2], [0, 0])],
            [new LossSeries("constant", Steps, [.. Steps.Select(_ => 0.25)])],
            [new LossSeries("huge", [1, 2, 3], [1e-300, 1e300, 1])],
            [new LossSeries("wide", [1, 2], [1e-99, 1e99])],
            [new LossSeries("narrow", [1, 2], [1e99, Math.BitIncrement(1e99)])],
        ];
        foreach (LossSeries[] series in cases)
        {
            foreach (bool logarithmic in new[] { true, false })
            {
                LossChart.SavePng(folder["loss.png"], series, null, new LossChartOptions { Logarithmic = logarithmic, Width = 400, Height = 300 });
                using Picture picture = new(folder["loss.png"]);
                Assert.That(picture.Width, Is.EqualTo(400));
            }
        }
    }

    [Test]
    public void A_million_points_do_not_hide_the_outliers_within_a_column()
    {
        using TemporaryFolder folder = new();
        double[] steps = [.. Enumerable.Range(0, 1_000_000).Select(step => (double)step)];
        double[] values = [.. steps.Select(step => step % 100 == 37 ? 2.0 : 1.0)];
        LossChart.SavePng(folder["loss.png"], [new LossSeries("loss", steps, values)], null, new LossChartOptions { Logarithmic = false });
        using Picture picture = new(folder["loss.png"]);
        Assert.That(picture.Count(new SKRectI(500, 200, 700, 300), color => color.Red < 230 && color.Blue > color.Red + 20), Is.GreaterThan(10_000));
    }

    [Test]
    public void The_smoothed_line_is_the_mean_without_delay_and_passes_over_gaps()
    {
        double[] ramp = [.. Steps.Select(step => 3 * step)];
        double[] noisy = [.. ramp.Select((value, index) => index % 50 == 9 ? double.NaN : value + (index % 2 == 0 ? 1 : -1))];
        double[] smooth = LossSmoothing.Smooth(noisy, 20, begins: true);
        for (int index = 150; index < 450; index++)
            Assert.That(smooth[index], Is.EqualTo(ramp[index]).Within(2.5));
        Assert.That(LossSmoothing.Smooth([double.NaN], 5, begins: true)[0], Is.NaN);
        Assert.That(LossSmoothing.Smooth([4.0], 5, begins: false)[0], Is.EqualTo(4));
    }

    [Test]
    public void A_mean_beside_a_huge_value_stays_within_the_values()
    {
        double[] diverged = [.. Enumerable.Range(0, 60).Select(i => i == 20 ? 1.7e20 : 1.5)];

        Assert.That(LossSmoothing.Smooth(diverged, 4, begins: true), Is.All.InRange(1.5, 1.7e20));
    }

    [TestCase(0.13, 1.5, true, new[] { 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5 })]
    [TestCase(0.001, 1000, true, new[] { 0.001, 0.01, 0.1, 1, 10, 100, 1000 })]
    [TestCase(0.31, 0.38, true, new[] { 0.31, 0.32, 0.33, 0.34, 0.35, 0.36, 0.37, 0.38 })]
    [TestCase(0, 1, false, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [TestCase(-3, 17, false, new[] { 0.0, 5, 10, 15 })]
    public void Ticks_are_round_and_within_the_axis(double least, double most, bool logarithmic, double[] expected)
    {
        ChartAxis axis = new(least, most, 0, 100, logarithmic);
        Assert.That(axis.Ticks(7), Is.EqualTo(expected).Within(1e-9));
        Assert.That(axis.Position(least), Is.EqualTo(0).Within(1e-4));
        Assert.That(axis.Position(most), Is.EqualTo(100).Within(1e-4));
    }

    [TestCase(0, "0")]
    [TestCase(0.15, "0.15")]
    [TestCase(5000, "5000")]
    [TestCase(25_000, "25k")]
    [TestCase(1_500_000, "1.5M")]
    [TestCase(0.00002, "2e-5")]
    public void Tick_labels_are_short(double value, string expected) => Assert.That(ChartAxis.Format(value), Is.EqualTo(expected));
}
