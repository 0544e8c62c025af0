using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Tests.Model.Checkpoints;

[TestFixture]
public sealed class AtomicFileTests
{
    [Test]
    public void A_written_file_holds_the_content_and_nothing_is_left_beside_it()
    {
        using TemporaryFolder folder = new();
        AtomicFile.WriteText(folder["new/deep/file.txt"], "first");
        AtomicFile.WriteText(folder["new/deep/file.txt"], "second, höher");
        Assert.That(File.ReadAllText(folder["new/deep/file.txt"]), Is.EqualTo("second, höher"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "new", "new/deep", "new/deep/file.txt" }));
    }

    [Test]
    public void Asking_whether_a_file_can_be_written_leaves_what_is_there()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["old.txt"], "old");
        AtomicFile.RequireWritable(folder["old.txt"]);
        AtomicFile.RequireWritable(folder["new/file.txt"]);
        Assert.That(File.ReadAllText(folder["old.txt"]), Is.EqualTo("old"));
        Assert.That(folder.Names(), Is.EquivalentTo(new[] { "new", "old.txt" }));
        Assert.That(() => AtomicFile.RequireWritable(folder["new"]), Throws.TypeOf<SprintException>().With.Message.EqualTo($"cannot write '{folder["new"]}': it is a folder"));
        Assert.That(() => AtomicFile.RequireWritable(folder["old.txt/file.txt"]), Throws.TypeOf<SprintException>().With.Message.StartsWith($"cannot write '{folder["old.txt/file.txt"]}'"));
        Assert.That(() => AtomicFile.RequireWritable(" "), Throws.TypeOf<SprintException>().With.Message.EqualTo("cannot write ' ': a file needs a name"));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(5000)]
    public void A_full_disk_leaves_the_old_file_and_no_temporary_one(long capacity)
    {
        using TemporaryFolder folder = new();
        string path = folder["checkpoint.bin"];
        File.WriteAllText(path, "old");
        Assert.That(
            () => AtomicFile.Write(path, WriteMuch, part => new FaultyStream(part, capacity)),
            Throws.TypeOf<SprintException>().With.Message.EqualTo($"cannot write '{path}': the disk is full"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "checkpoint.bin" }));
    }

    [Test]
    [Platform("Linux", Reason = "the device that is always full is Linux's")]
    public void The_kernels_own_no_space_error_is_named()
    {
        using TemporaryFolder folder = new();
        string path = folder["checkpoint.bin"];
        File.WriteAllText(path, "old");
        Assert.That(
            () => AtomicFile.Write(path, WriteMuch, _ => new FileStream("/dev/full", FileMode.Open, FileAccess.Write)),
            Throws.TypeOf<SprintException>().With.Message.EqualTo($"cannot write '{path}': the disk is full"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
    }

    [Test]
    public void A_folder_whose_parent_is_a_file_gives_one_sentence()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["occupied"], "a file");
        string path = folder["occupied/checkpoint.bin"];
        Assert.That(() => AtomicFile.WriteText(path, "new"), Throws.TypeOf<SprintException>().With.Message.StartsWith($"cannot write '{path}': "));
        Assert.That(File.ReadAllText(folder["occupied"]), Is.EqualTo("a file"));
    }

    [Test]
    public void A_target_that_is_a_folder_is_refused()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["target"]);
        Assert.That(() => AtomicFile.WriteText(folder["target"], "new"), Throws.TypeOf<SprintException>().With.Message.Contains("it is a folder"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "target" }));
    }

    [Test]
    public void A_fault_of_the_writer_passes_through_and_leaves_the_old_file()
    {
        using TemporaryFolder folder = new();
        string path = folder["file.txt"];
        File.WriteAllText(path, "old");
        Assert.That(() => AtomicFile.Write(path, _ => throw new InvalidOperationException("mine")), Throws.InvalidOperationException);
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "file.txt" }));
    }

    [Test]
    public void What_a_killed_process_left_is_overwritten_by_the_next_write()
    {
        using TemporaryFolder folder = new();
        string path = folder["file.txt"];
        File.WriteAllText(AtomicFile.PartPath(path), "half of somethi");
        AtomicFile.WriteText(path, "all");
        Assert.That(File.ReadAllText(path), Is.EqualTo("all"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "file.txt" }));
    }

    [Test]
    public void Two_writers_of_one_file_do_not_mix()
    {
        using TemporaryFolder folder = new();
        string path = folder["file.txt"];
        AtomicFile.Write(path, stream =>
        {
            stream.Write("outer"u8);
            Assert.That(() => AtomicFile.WriteText(path, "inner"), Throws.TypeOf<SprintException>());
        });
        Assert.That(File.ReadAllText(path), Is.EqualTo("outer"));
    }

    private static void WriteMuch(Stream stream)
    {
        for (int block = 0; block < 100; block++)
            stream.Write(new byte[4096], 0, 4096);
    }
}
