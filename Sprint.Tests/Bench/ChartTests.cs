using System.Xml.Linq;
using NUnit.Framework;
using SkiaSharp;
using Sprint.Bench.Charts;

namespace Sprint.Tests.Bench;

internal sealed class ChartTests
{
    private static readonly LineChart Chart = new(
        "A <title> & more",
        "drop ratio",
        "saved",
        AxisFormat.Percent,
        [
            new ChartSeries("counted", [new ChartPoint(0, 0), new ChartPoint(0.5, 0.4, 0.35, 0.45), new ChartPoint(0.75, 0.62)]),
            new ChartSeries("theory", [new ChartPoint(0, 0), new ChartPoint(0.75, 0.6)], IsTheory: true),
        ]);

    [Test]
    public void A_chart_as_svg_is_well_formed_and_has_its_words_lines_and_points()
    {
        XDocument svg = XDocument.Parse(SvgChart.Document(Chart));
        XNamespace ns = "http://www.w3.org/2000/svg";
        Assert.That(svg.Root!.Name, Is.EqualTo(ns + "svg"));
        string[] words = [.. svg.Descendants(ns + "text").Select(text => text.Value)];
        Assert.That(words, Does.Contain("A <title> & more").And.Contain("counted").And.Contain("theory").And.Contain("drop ratio").And.Contain("saved").And.Contain("60%"));
        Assert.That(svg.Descendants(ns + "polyline").Count(), Is.EqualTo(2));
        Assert.That(svg.Descendants(ns + "circle").Count(), Is.EqualTo(3), "theory has no points");
        Assert.That(svg.ToString(), Does.Contain("prefers-color-scheme:dark").And.Not.Contain("NaN"));
    }

    [Test]
    public void Points_lie_where_the_axes_say()
    {
        XNamespace ns = "http://www.w3.org/2000/svg";
        XElement[] circles = [.. XDocument.Parse(SvgChart.Document(Chart)).Descendants(ns + "circle")];
        double[] xs = [.. circles.Select(circle => (double)circle.Attribute("cx")!)];
        double[] ys = [.. circles.Select(circle => (double)circle.Attribute("cy")!)];
        Assert.That((xs[1] - xs[0]) / (xs[2] - xs[0]), Is.EqualTo(0.5 / 0.75).Within(1e-3));
        Assert.That((ys[0] - ys[1]) / (ys[0] - ys[2]), Is.EqualTo(0.4 / 0.62).Within(1e-3));
    }

    [TestCase(0, 0.9375, 0, 0.8)]
    [TestCase(-0.1, 0.3, 0, 1)]
    [TestCase(0, 0, 0.5, 0.5)]
    [TestCase(0, 123456, 1, 4096)]
    public void Axes_hold_every_point_between_round_numbers(double low, double high, double left, double right)
    {
        ChartScale scale = ChartScale.Of(Chart with { Series = [new ChartSeries("s", [new ChartPoint(left, low), new ChartPoint(right, high)])] });
        Assert.That(scale.Bottom, Is.LessThanOrEqualTo(low));
        Assert.That(scale.Top, Is.GreaterThanOrEqualTo(high).And.GreaterThan(scale.Bottom));
        Assert.That((scale.Left, scale.Right), Is.EqualTo((left, right)).Or.Matches<(double L, double R)>(ends => ends.L < left && ends.R > right));
        Assert.That(scale.YTicks, Has.Count.InRange(2, 14));
        Assert.That(scale.YTicks, Is.Ordered.Ascending);
    }

    [Test]
    public void A_chart_is_written_as_a_png_with_text_or_refused_where_there_is_no_font()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"chart-{Guid.NewGuid():N}.png");
        try
        {
            if (SKFontManager.Default.FontFamilyCount == 0)
            {
                Assert.That(() => ChartFile.Save(path, Chart), Throws.Exception.With.Message.Contains("no font is installed"));
                return;
            }

            ChartFile.Save(path, Chart);
            using SKBitmap picture = SKBitmap.Decode(path);
            Assert.That((picture.Width, picture.Height), Is.EqualTo((1200, 720)));
            int dark = 0;
            for (int x = 300; x < 900; x++)
            {
                for (int y = 5; y < 50; y++)
                    dark += picture.GetPixel(x, y).Red < 128 ? 1 : 0;
            }

            Assert.That(dark, Is.GreaterThan(200), "the title is missing");
        }
        finally
        {
            File.Delete(path);
        }
    }
}
