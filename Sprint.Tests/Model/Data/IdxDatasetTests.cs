using System.IO.Compression;
using NUnit.Framework;
using Sprint.Model.Data;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class IdxDatasetTests
{
    private static readonly byte[] Images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 51, 255, 1, 2, 3];
    private static readonly byte[] Labels = [0, 0, 8, 1, 0, 0, 0, 2, 1, 0];

    [TestCase("train", 10_000)]
    [TestCase("t10k", 2_000)]
    public void The_default_data_are_ten_classes_of_sixteen_by_sixteen(string split, int count)
    {
        using IdxDataset data = IdxDataset.Open(RepositoryFolder.Find("data/fashion-mnist-16"), split);
        Assert.That((data.Count, data.Classes, data.Channels, data.Height, data.Width), Is.EqualTo((count, 10, 1, 16, 16)));
        Assert.That(data.ClassNames[9], Is.EqualTo("ankle boot"));
        Assert.That(Enumerable.Range(0, count).GroupBy(data.Label).Select(group => group.Count()), Is.All.EqualTo(count / 10));
        float[] image = new float[256];
        data.Read(count - 1, image);
        Assert.That(image, Is.All.InRange(-1f, 1f));
        Assert.That(image.Take(16), Is.All.EqualTo(-1f));
        Assert.That(image.Max(), Is.GreaterThan(0));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Plain_and_gzip_files_hold_the_same(bool compressed)
    {
        using TemporaryFolder folder = Folder(Images, Labels, compressed);
        using IdxDataset data = IdxDataset.Open(folder.Path);
        Assert.That((data.Count, data.Classes, data.Height, data.Width), Is.EqualTo((2, 2, 1, 3)));
        Assert.That((data.Label(0), data.Label(1)), Is.EqualTo((1, 0)));
        Assert.That(data.ClassNames, Is.EqualTo(new[] { "0", "1" }));
        float[] image = new float[3];
        data.Read(0, image);
        Assert.That(image, Is.EqualTo(new[] { -1f, -0.6f, 1f }).Within(1e-6f));
    }

    [TestCase(0, 1, "magic number")]
    [TestCase(2, 13, "element type is 0x0D")]
    [TestCase(3, 1, "1 dimensions, where 3 are wanted (images)")]
    [TestCase(7, 0, "dimension 0 is 0")]
    [TestCase(7, 3, "3 x 1 x 3 = 9 bytes, but only 6 follow: it is truncated")]
    [TestCase(7, 1, "but more follow")]
    [TestCase(4, 255, "dimension 0 is 4278190082")]
    [TestCase(4, 100, "more than the file can hold")]
    public void A_faulty_header_is_refused_in_one_sentence(int position, byte value, string reason)
    {
        byte[] damaged = [.. Images];
        damaged[position] = value;
        foreach (bool compressed in new[] { false, true })
        {
            using TemporaryFolder folder = Folder(damaged, Labels, compressed);
            Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("train-images", "not a valid IDX file", reason));
        }
    }

    [Test]
    public void Dimensions_whose_product_overflows_are_refused()
    {
        byte[] damaged = [0, 0, 8, 3, 127, 255, 255, 255, 127, 255, 255, 255, 127, 255, 255, 255, 1];
        using TemporaryFolder folder = Folder(damaged, Labels, compressed: true);
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("more than the file can hold"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_file_cut_at_any_byte_is_refused(bool compressed)
    {
        using TemporaryFolder folder = Folder(Images, Labels, compressed);
        string path = Directory.GetFiles(folder.Path, "train-images*").Single();
        byte[] whole = File.ReadAllBytes(path);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("train-images"), $"cut at {length}");
        }
    }

    [Test]
    public void Damage_inside_gzip_data_is_found_by_its_checksum()
    {
        byte[] noise = new byte[16 + 10_000];
        new Random(1).NextBytes(noise);
        new byte[] { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 50, 0, 0, 0, 100 }.CopyTo(noise, 0);
        using TemporaryFolder folder = Folder(noise, Labels, compressed: true);
        string path = folder["train-images-idx3-ubyte.gz"];
        byte[] damaged = File.ReadAllBytes(path);
        damaged[damaged.Length / 2] ^= 4;
        File.WriteAllBytes(path, damaged);
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("train-images", "gzip data is damaged"));
        damaged[damaged.Length / 2] ^= 4;
        File.WriteAllBytes(path, [.. damaged, .. "junk behind it"u8]);
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("train-images", "gzip data"));
    }

    [Test]
    public void Images_and_labels_must_match()
    {
        using TemporaryFolder folder = Folder(Images, [0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1], compressed: false);
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("holds 2 images, but", "holds 3 labels"));
    }

    [Test]
    public void Class_names_come_from_classes_txt_and_every_label_needs_one()
    {
        using TemporaryFolder folder = Folder(Images, Labels, compressed: false);
        File.WriteAllText(folder["classes.txt"], "cat\nzebra \n");
        using (IdxDataset data = IdxDataset.Open(folder.Path))
            Assert.That(data.ClassNames, Is.EqualTo(new[] { "cat", "zebra" }));
        File.WriteAllText(folder["classes.txt"], "cat");
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("label 0", "is 1, but classes.txt names only 1"));
        File.WriteAllText(folder["classes.txt"], "cat\n\ndog");
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("line 2", "is empty"));
    }

    [Test]
    public void Missing_and_doubled_files_are_named()
    {
        using TemporaryFolder folder = Folder(Images, Labels, compressed: false);
        Assert.That(() => IdxDataset.Open(folder.Path, "t10k"), new SprintFault(folder.Path, "no file t10k-images-idx3-ubyte"));
        Assert.That(() => IdxDataset.Open(folder["none"]), new SprintFault("there is no such folder"));
        File.Copy(folder["train-images-idx3-ubyte"], folder["train-images-idx3-ubyte.gz"]);
        Assert.That(() => IdxDataset.Open(folder.Path), new SprintFault("holds both 'train-images-idx3-ubyte' and"));
    }

    private static TemporaryFolder Folder(byte[] images, byte[] labels, bool compressed)
    {
        TemporaryFolder folder = new();
        Write(folder["train-images-idx3-ubyte"], images, compressed);
        Write(folder["train-labels-idx1-ubyte"], labels, compressed);
        return folder;
    }

    private static void Write(string path, byte[] content, bool compressed)
    {
        if (!compressed)
        {
            File.WriteAllBytes(path, content);
            return;
        }

        using GZipStream stream = new(File.Create(path + ".gz"), CompressionLevel.Optimal);
        stream.Write(content);
    }
}
