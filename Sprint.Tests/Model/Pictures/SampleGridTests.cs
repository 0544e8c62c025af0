using NUnit.Framework;
using SkiaSharp;
using Sprint.Model.Pictures;

namespace Sprint.Tests.Model.Pictures;

[TestFixture]
public sealed class SampleGridTests
{
    [Test]
    public void Pixels_are_enlarged_without_blur_and_placed_row_by_row()
    {
        using TemporaryFolder folder = new();
        float[] images = [-1, 1, 0, -0.5f, /* second image */ 1, 1, 1, 1, /* third */ float.NaN, 9, -9, 0.5f];
        SampleGrid.SavePng(folder["grid.png"], images, 1, 2, 2, new SampleGridOptions { Columns = 2, Scale = 5, Spacing = 4 });
        using Picture picture = new(folder["grid.png"]);
        Assert.That((picture.Width, picture.Height), Is.EqualTo((16 + 10 + 4 + 10 + 16, 16 + 10 + 4 + 10 + 16)));
        byte[] expected = [0, 255, 128, 64];
        for (int y = 0; y < 10; y++)
        {
            for (int x = 0; x < 10; x++)
            {
                byte grey = expected[(y / 5 * 2) + (x / 5)];
                Assert.That(picture[16 + x, 16 + y], Is.EqualTo(new SKColor(grey, grey, grey)));
            }
        }

        Assert.That(picture[30, 16], Is.EqualTo(SKColors.White));
        Assert.That(picture[16, 30], Is.EqualTo(SKColors.Black), "NaN");
        Assert.That(picture[21, 30], Is.EqualTo(SKColors.White), "above 1");
        Assert.That(picture[16, 35], Is.EqualTo(SKColors.Black), "below -1");
    }

    [Test]
    public void Three_channels_are_red_green_and_blue()
    {
        using TemporaryFolder folder = new();
        SampleGrid.SavePng(folder["grid.png"], [1, -1, 0], 3, 1, 1);
        using Picture picture = new(folder["grid.png"]);
        Assert.That(picture[16, 16], Is.EqualTo(new SKColor(255, 0, 128)));
        Assert.That(picture.Width, Is.EqualTo(16 + 64 + 16), "a small image is enlarged by itself");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Row_labels_and_title_are_there_with_and_without_fonts_on_the_machine(bool systemFonts)
    {
        using TemporaryFolder folder = new();
        SampleGridOptions options = new() { Columns = 1, Scale = 40, SystemFonts = systemFonts };
        float[] white = [1, 1];
        SampleGrid.SavePng(folder["plain.png"], white, 1, 1, 1, options);
        SampleGrid.SavePng(folder["labelled.png"], white, 1, 1, 1, options with { RowLabels = ["ankle boot", "bag"], Title = "Step 1" });
        using Picture plain = new(folder["plain.png"]);
        using Picture labelled = new(folder["labelled.png"]);
        int left = labelled.Width - plain.Width;
        int top = labelled.Height - plain.Height;
        Assert.That(plain.Count(new SKRectI(0, 0, plain.Width, plain.Height), Picture.IsDark), Is.Zero);
        Assert.That(labelled.Count(new SKRectI(0, 0, labelled.Width, top), Picture.IsDark), Is.GreaterThan(50), "title");
        Assert.That(labelled.Count(new SKRectI(0, top, left + 16, top + 60), Picture.IsDark), Is.GreaterThan(50), "first label");
        Assert.That(labelled.Count(new SKRectI(0, top + 60, left + 16, labelled.Height), Picture.IsDark), Is.GreaterThan(20), "second label");
    }

    [Test]
    public void A_picture_that_cannot_be_made_gives_one_sentence()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");
        Assert.That(() => SampleGrid.SavePng(folder["file/grid.png"], [0], 1, 1, 1), new SprintFault("cannot write", "grid.png"));
        Assert.That(() => SampleGrid.SavePng(folder["grid.png"], [0], 1, 1, 1, new SampleGridOptions { Scale = 40_000 }), new SprintFault("40032 x 40032 pixels"));
        Assert.That(() => SampleGrid.SavePng(folder["grid.png"], [0, 0, 0], 1, 1, 2), Throws.ArgumentException);
        Assert.That(folder.Names(), Is.EqualTo(new[] { "file" }));
    }
}
