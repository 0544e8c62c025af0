using NUnit.Framework;
using SkiaSharp;
using Sprint.Model.Data;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class ImageFolderDatasetTests
{
    private static readonly ImageFolderOptions Small = new() { Size = 4 };

    [Test]
    public void Classes_and_files_are_in_ordinal_order_and_other_files_are_not_looked_at()
    {
        using TemporaryFolder folder = new();
        foreach ((string name, byte red) in new[] { ("b/2.png", 30), ("b/10.PNG", 20), ("B/z.png", 0), ("b/3.webp", 40) }.Select(pair => (pair.Item1, (byte)pair.Item2)))
            TestImage.Save(folder[name], 4, 4, (_, _) => new SKColor(red, red, red));
        File.WriteAllText(folder["b/notes.txt"], "no image");
        File.WriteAllText(folder["b/.hidden.png"], "no image");
        Directory.CreateDirectory(folder[".git"]);
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Small);
        Assert.That(data.ClassNames, Is.EqualTo(new[] { "B", "b" }));
        Assert.That((data.Count, data.Channels, data.Height, data.Width), Is.EqualTo((4, 3, 4, 4)));
        Assert.That(Enumerable.Range(0, 4).Select(data.Label), Is.EqualTo(new[] { 0, 1, 1, 1 }));
        Assert.That(Enumerable.Range(0, 4).Select(index => (double)Read(data, index)[0]), Is.EqualTo(new[] { 0, 20, 30, 40 }.Select(red => (red / 127.5) - 1)).Within(0.02));
        Assert.That(data.BadFiles, Is.Empty);
    }

    [TestCase(8, 4)]
    [TestCase(4, 8)]
    [TestCase(5, 4)]
    [TestCase(16, 4)]
    public void The_short_side_is_scaled_and_the_middle_is_kept(int width, int height)
    {
        using TemporaryFolder folder = new();
        int margin = Math.Abs(width - height) / 2;
        TestImage.Save(folder["a/x.png"], width, height, (x, y) =>
        {
            int along = width > height ? x : y;
            return along < margin || along >= Math.Max(width, height) - Math.Max(margin, 1) ? SKColors.Black : SKColors.White;
        });
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Small);
        float[] image = Read(data, 0);
        Assert.That(image.Average(), Is.GreaterThan(width == 5 ? 0.6 : 0.999));
    }

    [Test]
    public void Shrinking_averages_all_pixels_and_enlarging_keeps_a_ramp()
    {
        using TemporaryFolder folder = new();
        TestImage.Save(folder["a/checks.png"], 64, 64, (x, y) => (x + y) % 2 == 0 ? SKColors.White : SKColors.Black);
        TestImage.Save(folder["a/ramp.png"], 2, 2, (x, _) => x == 0 ? new SKColor(64, 64, 64) : new SKColor(192, 192, 192));
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Small);
        Assert.That(Read(data, 0), Is.All.EqualTo(0).Within(0.02f));
        float[] row = Read(data, 1)[..4];
        Assert.That(row, Is.Ordered.And.Not.All.EqualTo(row[0]));
        Assert.That(row[0] + row[3], Is.EqualTo(0.0078).Within(0.02), "the ramp stays symmetric about its middle");
    }

    [Test]
    public void Channels_are_colour_or_luma_and_transparency_lies_over_white()
    {
        using TemporaryFolder folder = new();
        TestImage.Save(folder["a/1.png"], 4, 4, (_, _) => new SKColor(255, 0, 102));
        TestImage.Save(folder["a/2.png"], 4, 4, (_, _) => new SKColor(0, 0, 0, 0));
        using ImageFolderDataset colour = ImageFolderDataset.Open(folder.Path, Small);
        using ImageFolderDataset grey = ImageFolderDataset.Open(folder.Path, Small with { Channels = 1 });
        float[] image = Read(colour, 0);
        Assert.That((image[0], image[16], image[32]), Is.EqualTo((1f, -1f, (102 / 127.5f) - 1)));
        Assert.That(Read(grey, 0), Is.All.EqualTo((88 / 127.5f) - 1).Within(1e-6f));
        Assert.That(Read(colour, 1), Is.All.EqualTo(1f));
    }

    [TestCase(1, "abcd")]
    [TestCase(2, "badc")]
    [TestCase(3, "dcba")]
    [TestCase(4, "cdab")]
    [TestCase(5, "acbd")]
    [TestCase(6, "cadb")]
    [TestCase(7, "dbca")]
    [TestCase(8, "bdac")]
    public void The_cameras_orientation_is_honoured(byte orientation, string corners)
    {
        using TemporaryFolder folder = new();
        Dictionary<char, byte> grey = new() { ['a'] = 20, ['b'] = 90, ['c'] = 160, ['d'] = 230 };
        byte[] jpeg = TestImage.Encode(".jpg", 32, 32, (x, y) =>
        {
            byte value = grey[(y < 16, x < 16) switch { (true, true) => 'a', (true, false) => 'b', (false, true) => 'c', _ => 'd' }];
            return new SKColor(value, value, value);
        });
        Directory.CreateDirectory(folder["a"]);
        File.WriteAllBytes(folder["a/x.jpg"], TestImage.WithOrientation(jpeg, orientation));
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, new ImageFolderOptions { Size = 32, Channels = 1 });
        float[] image = Read(data, 0);
        int[] places = [(4 * 32) + 4, (4 * 32) + 28, (28 * 32) + 4, (28 * 32) + 28];
        for (int corner = 0; corner < 4; corner++)
            Assert.That((image[places[corner]] + 1) * 127.5, Is.EqualTo((double)grey[corners[corner]]).Within(6));
    }

    [Test]
    public void The_cache_stays_within_its_limit_and_does_not_change_what_is_read()
    {
        using TemporaryFolder folder = new();
        for (int index = 0; index < 10; index++)
            TestImage.Save(folder[$"a/{index}.png"], 4, 4, (x, y) => new SKColor((byte)(index * 20), (byte)(x * 50), (byte)(y * 50)));
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Small with { CacheBytes = 3 * 48 });
        using ImageFolderDataset without = ImageFolderDataset.Open(folder.Path, Small with { CacheBytes = 0 });
        float[][] first = [.. Enumerable.Range(0, 10).Select(index => Read(without, index))];
        Parallel.For(0, 200, round => Assert.That(Read(data, round % 10), Is.EqualTo(first[round % 10])));
        Assert.That(data.CachedBytes, Is.EqualTo(3 * 48));
        Assert.That(without.CachedBytes, Is.Zero);
    }

    [Test]
    public void Progress_ends_at_the_number_of_files()
    {
        using TemporaryFolder folder = new();
        for (int index = 0; index < 5; index++)
            TestImage.Save(folder[$"a/{index}.png"], 1, 1, (_, _) => SKColors.Red);
        List<(int, int)> calls = [];
        ImageFolderDataset.Open(folder.Path, Small with { Progress = (done, all) => calls.Add((done, all)) }).Dispose();
        Assert.That(calls, Is.EqualTo(new[] { (0, 5), (5, 5) }));
    }

    internal static float[] Read(IImageDataset data, int index)
    {
        float[] image = new float[data.Channels * data.Height * data.Width];
        data.Read(index, image);
        return image;
    }
}
