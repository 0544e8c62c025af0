using NUnit.Framework;
using Sprint.Model.Training;
using Sprint.Tests.Model;
using Sprint.Tests.Model.Training;

namespace Sprint.Tests.Train;

[TestFixture]
public sealed class TrainCommandTests
{
    private TemporaryFolder folder = null!;
    private string configuration = null!;
    private string startedIn = null!;

    [SetUp]
    public void Write()
    {
        folder = new TemporaryFolder();
        configuration = SmallConfiguration.Write(folder["small.yaml"]);
        startedIn = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder.Path;
    }

    [TearDown]
    public void Remove()
    {
        Environment.CurrentDirectory = startedIn;
        folder.Dispose();
    }

    [Test]
    public void A_run_shows_its_stages_and_what_dropping_saved()
    {
        string output = SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--threads", "1");
        Assert.That(output, Does.Contain("sparse: 4 steps of 4 images, drop ratio 0.75").And.Contain("dense: 4 steps of 4 images, drop ratio 0"));
        Assert.That(output, Does.Contain("TFLOP in all").And.Contain("peak memory").And.Contain("saved)"));
        Assert.That(output, Does.Contain($"samples: {folder["run"]}").And.Contain("loss.png"));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8));
        SprintCommand.Refuse(["train", configuration, "--out", folder["run"]], "holds a run already: continue it with --resume, or give another folder with --out");
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8), "the run is as it was");
        SprintCommand.Refuse(
            ["train", "--resume", "--out", folder["run"], "--set", "model.hidden_size=64"], "model.safetensors: tensor 'x_embedder.proj.weight' has shape [32, 16], the model needs");
        SprintCommand.Succeed("train", "--resume", "--out", folder["run"]);
    }

    [Test]
    public void Runs_without_a_folder_are_numbered_and_the_newest_of_a_configuration_is_resumed()
    {
        SprintCommand.Refuse(["train", configuration, "--resume"], "there is no run of 'small' under runs/ to resume");
        Directory.CreateDirectory(folder["runs/small-other"]);
        SprintCommand.Succeed("train", configuration, "--set", "stage1.steps=1", "--set", "stage2.steps=1");
        SprintCommand.Succeed("train", configuration, "--set", "stage1.steps=1", "--set", "stage2.steps=2");
        Assert.That(Directory.GetDirectories(folder["runs"]).Select(Path.GetFileName), Is.EquivalentTo(new[] { "small", "small-2", "small-other" }));
        Directory.SetLastWriteTimeUtc(folder["runs/small"], DateTime.UtcNow.AddDays(-1));
        Directory.SetLastWriteTimeUtc(folder["runs/small-other"], DateTime.UtcNow.AddDays(1));
        Assert.That(SprintCommand.Succeed("train", configuration, "--resume"), Does.Contain("resuming after step 3 from"));
    }

    [Test]
    public void The_resolved_configuration_stands_in_the_run_s_folder()
    {
        SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--set", "stage1.steps=1", "--set", "stage2.steps=1");
        RunFolder.Open(folder["run"], [], out Sprint.Model.Configuration.TrainingConfiguration written);
        Assert.That(written.Stages.Select(stage => stage.Steps), Is.EqualTo(new[] { 1, 1 }));
        Assert.That(written.Seed, Is.EqualTo(3));
        Assert.That(written.Model.HiddenSize, Is.EqualTo(32));
    }
}
