using NUnit.Framework;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

[TestFixture]
internal sealed class RunFolderLockTests
{
    [Test]
    public void A_folder_that_is_held_is_refused_and_free_again_afterwards()
    {
        using var temporary = new TemporaryFolder();
        string path = Path.Combine(temporary.Path, "run");
        RunFolder folder = RunFolder.Create(path, new TrainingConfiguration());
        using (folder.Hold())
        {
            Assert.That(() => RunFolder.Open(path, [], out _), new SprintFault("another process is at work in", path));
        }

        Assert.That(() => RunFolder.Open(path, [], out _), Throws.Nothing);
    }

    [Test]
    public void A_folder_that_cannot_be_held_for_another_reason_is_not_said_to_be_in_use()
    {
        using var temporary = new TemporaryFolder();
        string path = Path.Combine(temporary.Path, "run");
        RunFolder.Create(path, new TrainingConfiguration());
        File.Delete(Path.Combine(path, ".lock"));
        Directory.CreateDirectory(Path.Combine(path, ".lock"));
        Assert.That(() => RunFolder.Open(path, [], out _), new SprintFault("cannot write in the folder", path));
    }
}
