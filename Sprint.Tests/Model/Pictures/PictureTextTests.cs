using NUnit.Framework;
using SkiaSharp;
using Sprint.Model.Pictures;

namespace Sprint.Tests.Model.Pictures;

[TestFixture]
public sealed class PictureTextTests
{
    [Test]
    public void A_character_that_no_font_has_leads_to_the_built_in_strokes()
    {
        using PictureText text = PictureText.Create("step \uE5A7");
        Assert.That(text.UsesSystemFont, Is.False);
        Assert.That(text.Measure("\uE5A7", 20), Is.GreaterThan(0));
    }

    [Test]
    public void Every_printable_ascii_character_leaves_its_own_mark()
    {
        using PictureText text = PictureText.Create("", systemFonts: false);
        HashSet<string> marks = [];
        for (char letter = '!'; letter <= '~'; letter++)
        {
            string mark = Convert.ToHexString(Draw(text, letter.ToString(), 32));
            Assert.That(mark.Distinct().Count(), Is.GreaterThan(1), $"'{letter}' is blank");
            Assert.That(marks.Add(mark), Is.True, $"'{letter}' looks like another character");
        }

        Assert.That(Convert.ToHexString(Draw(text, " ", 32)).Distinct().Count(), Is.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_text_lies_within_its_measure_whichever_way_it_is_aligned(bool systemFonts)
    {
        using PictureText text = PictureText.Create("Width", systemFonts);
        float width = text.Measure("Width", 20);
        Assert.That(width, Is.InRange(30f, 90f));
        foreach ((SKTextAlign align, float left) in new[] { (SKTextAlign.Left, 100f), (SKTextAlign.Center, 100 - (width / 2)), (SKTextAlign.Right, 100 - width) })
        {
            using SKBitmap bitmap = new(200, 40);
            using SKCanvas canvas = new(bitmap);
            text.Draw(canvas, "Width", 100, 20, 20, SKColors.Black, align);
            int[] columns = [.. Enumerable.Range(0, 200).Where(x => Enumerable.Range(0, 40).Any(y => bitmap.GetPixel(x, y).Alpha > 40))];
            Assert.That(columns, Is.Not.Empty);
            Assert.That(columns[0], Is.EqualTo(left).Within(3), align.ToString());
            Assert.That(columns[^1], Is.EqualTo(left + width).Within(3), align.ToString());
        }
    }

    private static byte[] Draw(PictureText text, string letters, int size)
    {
        using SKBitmap bitmap = new(new SKImageInfo(size, size, SKColorType.Gray8));
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(SKColors.White);
        text.Draw(canvas, letters, 4, size / 2, size / 2, SKColors.Black);
        return bitmap.Bytes;
    }
}
