using NUnit.Framework;
using SkiaSharp;
using Sprint.Model.Data;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class ImageFolderBadFilesTests
{
    private static readonly ImageFolderOptions Strict = new() { Size = 4 };
    private static readonly ImageFolderOptions Lenient = Strict with { BadFiles = BadFiles.Skip };

    [TestCase(".png")]
    [TestCase(".jpg")]
    [TestCase(".webp")]
    public void A_file_that_is_cut_short_is_named_and_fatal_or_left_out(string extension)
    {
        using TemporaryFolder folder = Folder();
        byte[] whole = TestImage.Encode(extension, 40, 40, (x, y) => new SKColor((byte)(x * 6), (byte)(y * 6), (byte)(x * y)));
        File.WriteAllBytes(folder["a/cut" + extension], whole[..(whole.Length / 2)]);
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict), new SprintFault("cannot use the image", "cut" + extension, "it is truncated", "bad_files: skip"));
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Lenient);
        Assert.That(data.Count, Is.EqualTo(2));
        Assert.That(data.BadFiles, Is.EqualTo(new[] { new BadFile(folder["a/cut" + extension], "it is truncated") }));
    }

    [TestCase("", "the file is empty")]
    [TestCase("this is a text", "not a PNG, JPEG or WebP image")]
    [TestCase("x", "not a PNG, JPEG or WebP image")]
    public void A_file_that_is_no_image_is_bad(string content, string reason)
    {
        using TemporaryFolder folder = Folder();
        File.WriteAllText(folder["a/bad.jpg"], content);
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict), new SprintFault("bad.jpg", reason));
    }

    [Test]
    public void An_image_that_claims_a_giant_size_is_bad_without_being_decoded()
    {
        using TemporaryFolder folder = Folder();
        byte[] png = TestImage.Encode(".png", 8, 8, (_, _) => SKColors.Red);
        new byte[] { 0, 1, 0, 0, 0, 1, 0, 0 }.CopyTo(png, 16);
        uint checksum = Checksum(png.AsSpan(12, 17));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), checksum);
        File.WriteAllBytes(folder["a/giant.png"], png);
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict), new SprintFault("giant.png", "65536 x 65536 pixels"));
    }

    [Test]
    public void What_is_no_image_by_its_name_is_counted_but_hidden_files()
    {
        using TemporaryFolder folder = Folder();
        File.WriteAllText(folder["a/notes.txt"], "");
        File.WriteAllText(folder["a/.hidden"], "");
        Directory.CreateDirectory(folder["b/below"]);
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Strict);
        Assert.That(data.OtherFiles, Is.EqualTo(new[] { folder["a/notes.txt"], folder["b/below"] }));
        Assert.That(data.BadFiles, Is.Empty);
    }

    [Test]
    public void All_bad_files_are_counted()
    {
        using TemporaryFolder folder = Folder();
        File.WriteAllText(folder["a/bad1.png"], "");
        File.WriteAllText(folder["b/bad2.png"], "");
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict), new SprintFault("bad1.png", "and 1 more of 4 files are bad"));
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Lenient);
        Assert.That(data.BadFiles.Select(file => Path.GetFileName(file.Path)), Is.EqualTo(new[] { "bad1.png", "bad2.png" }));
    }

    [Test]
    public void Damage_found_only_when_decoding_is_fatal_or_replaced_by_an_image_of_the_same_class()
    {
        using TemporaryFolder folder = Folder();
        byte[] png = TestImage.Encode(".png", 40, 40, (x, y) => new SKColor((byte)(x * 6), (byte)(y * 6), (byte)(x * y)));
        for (int index = png.Length / 3; index < png.Length / 2; index++)
            png[index] ^= 0x55;
        File.WriteAllBytes(folder["a/0-damaged.png"], png);
        using (ImageFolderDataset strict = ImageFolderDataset.Open(folder.Path, Strict))
            Assert.That(() => ImageFolderDatasetTests.Read(strict, 0), new SprintFault("0-damaged.png", "bad_files: skip"));
        using ImageFolderDataset data = ImageFolderDataset.Open(folder.Path, Lenient);
        Assert.That(data.BadFiles, Is.Empty);
        Assert.That(ImageFolderDatasetTests.Read(data, 0), Is.EqualTo(ImageFolderDatasetTests.Read(data, 1)));
        Assert.That(data.BadFiles.Single().Path, Is.EqualTo(folder["a/0-damaged.png"]));
        Assert.That(data.Count, Is.EqualTo(3));
    }

    [Test]
    public void Folders_without_classes_or_images_are_named()
    {
        using TemporaryFolder folder = new();
        Assert.That(() => ImageFolderDataset.Open(folder["none"], Strict), new SprintFault("there is no such folder"));
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict), new SprintFault("holds no class subfolders"));
        TestImage.Save(folder["a/good.png"], 4, 4, (_, _) => SKColors.Red);
        Directory.CreateDirectory(folder["b"]);
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict), new SprintFault(folder["b"], "holds no PNG, JPEG or WebP image"));
        File.WriteAllText(folder["b/bad.png"], "");
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Lenient), new SprintFault(folder["b"], "image that can be read"));
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict with { Size = 0 }), new SprintFault("image size is 0"));
        Assert.That(() => ImageFolderDataset.Open(folder.Path, Strict with { Channels = 2 }), new SprintFault("2 channels"));
    }

    private static TemporaryFolder Folder()
    {
        TemporaryFolder folder = new();
        TestImage.Save(folder["a/good.png"], 4, 4, (_, _) => SKColors.Red);
        TestImage.Save(folder["b/good.png"], 4, 4, (_, _) => SKColors.Blue);
        return folder;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint remainder = uint.MaxValue;
        foreach (byte value in bytes)
        {
            remainder ^= value;
            for (int bit = 0; bit < 8; bit++)
                remainder = (remainder >> 1) ^ ((remainder & 1) * 0xEDB88320);
        }

        return ~remainder;
    }
}
