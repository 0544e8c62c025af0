using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Tests.Model.Checkpoints;

[TestFixture]
public sealed class AtomicDirectoryTests
{
    [Test]
    public void All_files_appear_together_and_replace_the_old_ones()
    {
        using TemporaryFolder folder = new();
        Write(folder["step-1"], "a", "b/c");
        Write(folder["step-1"], "d");
        Assert.That(folder.Names(), Is.EqualTo(new[] { "step-1", "step-1/d" }));
    }

    [Test]
    public void A_failure_half_way_leaves_the_old_folder()
    {
        using TemporaryFolder folder = new();
        Write(folder["step-1"], "a");
        Assert.That(
            () => AtomicDirectory.Write(folder["step-1"], part =>
            {
                File.WriteAllText(Path.Combine(part, "b"), "b");
                throw new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);
            }),
            Throws.TypeOf<SprintException>().With.Message.EqualTo($"cannot write the folder '{folder["step-1"]}': the disk is full"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "step-1", "step-1/a" }));
    }

    [Test]
    public void A_parent_that_is_a_file_or_a_file_of_that_name_gives_one_sentence()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");
        Assert.That(() => Write(folder["file"], "a"), Throws.TypeOf<SprintException>().With.Message.Contains("a file of that name exists"));
        Assert.That(() => Write(folder["file/step-1"], "a"), Throws.TypeOf<SprintException>().With.Message.StartsWith("cannot write the folder"));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "file" }));
    }

    [Test]
    public void Clean_up_removes_what_killed_processes_left_and_nothing_else()
    {
        using TemporaryFolder folder = new();
        Write(folder["step-1"], "a");
        Write(folder[".step-2.sprint-part"], "half");
        File.WriteAllText(folder[".latest.json.sprint-part"], "{");
        File.WriteAllText(folder[".hidden"], "mine");
        AtomicDirectory.CleanUp(folder.Path);
        Assert.That(folder.Names(), Is.EqualTo(new[] { ".hidden", "step-1", "step-1/a" }));
    }

    [Test]
    public void A_replacement_killed_between_its_two_renames_is_undone()
    {
        using TemporaryFolder folder = new();
        Write(folder[".step-1.sprint-old"], "old");
        Write(folder[".step-1.sprint-part"], "new");
        AtomicDirectory.CleanUp(folder.Path);
        Assert.That(folder.Names(), Is.EqualTo(new[] { "step-1", "step-1/old" }));
    }

    [Test]
    public void A_replacement_killed_after_its_two_renames_is_finished()
    {
        using TemporaryFolder folder = new();
        Write(folder[".step-1.sprint-old"], "old");
        Write(folder["step-1"], "new");
        AtomicDirectory.CleanUp(folder.Path);
        Assert.That(folder.Names(), Is.EqualTo(new[] { "step-1", "step-1/new" }));
    }

    private static void Write(string path, params string[] names) => AtomicDirectory.Write(path, part =>
    {
        foreach (string name in names)
        {
            string file = Path.Combine(part, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, name);
        }
    });
}
