using System.Runtime.InteropServices;
using System.Text;
using NUnit.Framework;
using Sprint.Model.Data;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class LatentDatasetTests
{
    private const string Header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1, 2), }";
    private static readonly float[] Moments = [1, 2, 3, 4, 10, 20, 30, 40];

    [TestCase(1)]
    [TestCase(2)]
    public void A_sample_is_mean_plus_deviation_times_noise(byte version)
    {
        using TemporaryFolder folder = Folder(Npy(Header, Moments, version));
        using LatentDataset data = LatentDataset.Open(folder.Path, (index, normal) => normal.Fill(index + 1), scale: 0.5f);
        Assert.That((data.Count, data.Classes, data.Channels, data.Height, data.Width), Is.EqualTo((2, 4, 2, 1, 2)));
        Assert.That((data.Label(0), data.Label(1)), Is.EqualTo((3, 0)));
        Assert.That(ImageFolderDatasetTests.Read(data, 0), Is.EqualTo(new[] { 5.5f, 11, 16.5f, 22 }));
        float[] moments = new float[8];
        data.ReadMoments(0, moments);
        Assert.That(moments, Is.EqualTo(Moments));
        using LatentDataset mean = LatentDataset.Open(folder.Path, scale: 2);
        Assert.That(ImageFolderDatasetTests.Read(mean, 1), Is.EqualTo(new[] { 2f, 4, 6, 8 }));
    }

    [TestCase("{'descr': '<f8', 'fortran_order': False, 'shape': (4, 1, 2), }", "element type is '<f8'")]
    [TestCase("{'descr': '<f4', 'fortran_order': True, 'shape': (4, 1, 2), }", "Fortran order")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1, 3), }", "needs 48 bytes, but 32 follow")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2), }", "needs 24 bytes, but 32 follow")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 1, 2), }", "larger than any memory")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 2000000000, 2000000000), }", "larger than any memory")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (8,), }", "where (2C, h, w) is wanted")]
    [TestCase("{'descr': '<f4', 'fortran_order': False}", "not a dictionary of descr")]
    [TestCase("import os", "not a dictionary of descr")]
    public void A_faulty_header_is_refused(string header, string reason)
    {
        using TemporaryFolder folder = Folder(Npy(header, Moments, 1));
        Assert.That(() => LatentDataset.Open(folder.Path), new SprintFault("0.npy", reason));
    }

    [Test]
    public void A_file_cut_at_any_byte_is_refused()
    {
        byte[] whole = Npy(Header, Moments, 1);
        for (int length = 0; length < whole.Length; length++)
        {
            using TemporaryFolder folder = Folder(whole[..length]);
            Assert.That(() => LatentDataset.Open(folder.Path), new SprintFault("0.npy"), $"cut at {length}");
        }
    }

    [TestCase("{", "not valid JSON")]
    [TestCase("{}", "has no list 'labels'")]
    [TestCase("""{"labels": null}""", "has no list 'labels'")]
    [TestCase("""{"labels": []}""", "has no list 'labels'")]
    [TestCase("""{"labels": [["s/0.npy"]]}""", "entry 0 of 'labels'")]
    [TestCase("""{"labels": [["s/0.npy", 0], ["s/0.npy", -1]]}""", "entry 1 of 'labels'")]
    [TestCase("""{"labels": [["s/0.npy", 2000000000]]}""", "entry 0 of 'labels'")]
    [TestCase("""{"labels": [["../0.npy", 0]]}""", "names '../0.npy', which is not inside the folder")]
    [TestCase("""{"labels": [["/etc/passwd", 0]]}""", "which is not inside the folder")]
    [TestCase("""{"labels": [["s/0.npy", 0], ["s/9.npy", 0]]}""", "does not exist")]
    public void A_faulty_index_is_refused(string index, string reason)
    {
        using TemporaryFolder folder = Folder(Npy(Header, Moments, 1));
        File.WriteAllText(folder["dataset.json"], index);
        Assert.That(() => LatentDataset.Open(folder.Path), new SprintFault(folder.Path.Length > 0 && reason == "does not exist" ? "9.npy" : "dataset.json", reason));
    }

    [Test]
    public void Files_of_another_shape_are_named()
    {
        using TemporaryFolder folder = Folder(Npy(Header, Moments, 1));
        byte[] turned = Npy(Header.Replace("(4, 1, 2)", "(4, 2, 1)", StringComparison.Ordinal), Moments, 1);
        File.WriteAllBytes(folder["s/1.npy"], turned);
        using (LatentDataset data = LatentDataset.Open(folder.Path))
            Assert.That(() => ImageFolderDatasetTests.Read(data, 1), new SprintFault("1.npy", "shape (4, 2, 1), where (4, 1, 2) is wanted"));
        File.WriteAllBytes(folder["s/1.npy"], [.. turned, 0]);
        Assert.That(() => LatentDataset.Open(folder.Path), new SprintFault("1.npy", "all must have one shape"));
    }

    private static TemporaryFolder Folder(byte[] npy)
    {
        TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["s"]);
        File.WriteAllBytes(folder["s/0.npy"], npy);
        File.WriteAllBytes(folder["s/1.npy"], npy);
        File.WriteAllText(folder["dataset.json"], """{"labels": [["s/0.npy", 3], ["s/1.npy", 0]]}""");
        return folder;
    }

    private static byte[] Npy(string header, float[] values, byte version)
    {
        byte[] text = Encoding.Latin1.GetBytes(header.PadRight(117) + "\n");
        byte[] length = version == 1 ? [(byte)text.Length, 0] : [(byte)text.Length, 0, 0, 0];
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. MemoryMarshal.AsBytes(values.AsSpan())];
    }
}
