using NUnit.Framework;
using Sprint.Model.Training;
using Sprint.Tests.Model;
using Sprint.Tests.Model.Data;
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
        Assert.That(output, Does.Contain("MFLOP in all").And.Contain("peak memory").And.Contain("saved)"));
        Assert.That(output, Does.Contain($"samples: {folder["run"]}").And.Contain("loss.png"));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8));
        SprintCommand.Refuse(["train", configuration, "--out", folder["run"]], "holds a run already: continue it with --resume, or give another folder with --out");
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8), "the run is as it was");
        SprintCommand.Refuse(
            ["train", "--resume", "--out", folder["run"], "--set", "model.hidden_size=64"], "the run was begun with model.hidden_size 32, not 64: what has been learned rests on it");
        SprintCommand.Succeed("train", "--resume", "--out", folder["run"]);
    }

    [Test]
    public void SwiGLU_and_modulation_of_low_rank_train_resume_and_sample()
    {
        File.WriteAllText(
            configuration, File.ReadAllText(configuration).Replace("middle_depth: 1", "middle_depth: 1, use_swiglu: true, use_swiglu_large: false, adaln_type: lora, adaln_lora_dim: 8", StringComparison.Ordinal));
        SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--threads", "1", "--set", "stage2.steps=2");
        Assert.That(SprintCommand.Succeed("train", "--resume", "--out", folder["run"], "--set", "stage2.steps=4"), Does.Contain("resuming after step 6 from"));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8));
        foreach (string guidance in (string[])["none", "cfg", "pdg"])
            SprintCommand.Succeed("sample", "--checkpoint", folder["run"], "--count", "1", "--classes", "2", "--steps", "2", "--guidance", guidance, "--scale", "2", "--out", folder[$"{guidance}.safetensors"]);
        Assert.That(File.ReadAllBytes(folder["cfg.safetensors"]).SequenceEqual(File.ReadAllBytes(folder["none.safetensors"])), Is.False);
        Assert.That(File.ReadAllBytes(folder["pdg.safetensors"]).SequenceEqual(File.ReadAllBytes(folder["cfg.safetensors"])), Is.False);
        Assert.That(SprintCommand.Succeed("train", configuration, "--device", "dryrun"), Does.Contain("FLOP a step"));
        SprintCommand.Refuse(["train", configuration, "--out", folder["other"], "--set", "model.adaln_lora_dim=null"], "model: adaln_type: lora needs adaln_lora_dim");
        SprintCommand.Refuse(
            ["train", "--resume", "--out", folder["run"], "--set", "model.adaln_lora_dim=4"], "the run was begun with model.adaln_lora_dim 8, not 4: what has been learned rests on it");
    }

    [Test]
    public void Hidden_states_are_aligned_with_features_of_a_file()
    {
        string[] aligned = ["--set", "model.representation_align=true", "--set", "model.representation_depth=3", "--set", "model.dim_projection=4", "--set", "model.projector_hidden_dim=8"];
        SprintCommand.Refuse(["train", configuration, "--out", folder["run"], .. aligned], "model.representation_align is true, but there are no features to align with: name their NumPy file with data.features");
        SprintCommand.Refuse(["train", configuration, "--out", folder["run"], .. aligned, "--set", "data.features=none.npy"], "cannot read", "none.npy");
        Assert.That(folder["run"], Does.Not.Exist);
        Assert.That(SprintCommand.Succeed(["train", configuration, "--device", "dryrun", .. aligned]), Does.Contain("nothing was computed"));

        int[] shape = [10000, 16, 4];
        File.WriteAllBytes(folder["features.npy"], NpyWriter.Halves(shape, FeatureFileTests.Numbers(shape)));
        string output = SprintCommand.Succeed(["train", configuration, "--out", folder["run"], .. aligned, "--set", "data.features=features.npy"]);
        Assert.That(output, Does.Contain("  projection ").And.Contain("projection-loss.png"));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8).And.All.Contains("\"projection_loss\":"));
        SprintCommand.Succeed("sample", "--checkpoint", folder["run"], "--classes", "0", "--count", "1", "--steps", "2", "--out", folder["grid.png"]);
        Assert.That(folder["grid.png"], Does.Exist);

        // What cannot be mended within this run is said first, whatever else would be missing.
        shape = [10000, 16, 5];
        File.WriteAllBytes(folder["wide.npy"], NpyWriter.Halves(shape, FeatureFileTests.Numbers(shape)));
        const string Rests = ": what has been learned rests on it; leave it as it was, or begin a new run";
        Resume(["data.features=null"], "the run was begun with data.features features.npy, not null" + Rests);
        Resume(["model.representation_align=false"], "the run was begun with model.representation_align true, not false" + Rests);
        Resume(["model.dim_projection=5", "data.features=wide.npy"], "the run was begun with model.dim_projection 4, not 5" + Rests);
        Resume(["data.features=wide.npy"], "'wide.npy' has 5 features a token, but model.dim_projection is 4: name features of that width, or begin a run with model.dim_projection 5");
        SprintCommand.Succeed("train", configuration, "--out", folder["plain"], "--set", "stage1.steps=1", "--set", "stage2.steps=1");
        SprintCommand.Refuse(["train", "--resume", "--out", folder["plain"], "--set", "data.features=features.npy"], "the run was begun with data.features null, not features.npy" + Rests);

        void Resume(string[] changes, string sentence) => SprintCommand.Refuse(["train", "--resume", "--out", folder["run"], .. changes.SelectMany(static change => new[] { "--set", change })], sentence);
    }

    [Test]
    public void Heads_that_the_device_has_no_kernels_for_are_refused_before_a_run_is_begun()
    {
        SprintCommand.Refuse(
            ["train", configuration, "--out", folder["wide"], "--device", "emulated", "--set", "model.hidden_size=264"],
            "hidden_size 264 over num_heads 2 gives heads of 132 channels: attention on device emulated takes at most 128, raise num_heads or choose device cpu");
        Assert.That(folder["wide"], Does.Not.Exist);
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
        Assert.That(SprintCommand.Run("train", configuration, "--resume").Output, Does.Contain("resuming after step 3 from"));
    }

    [Test]
    public void What_may_change_on_resuming_is_told_and_the_rest_refused()
    {
        SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--set", "stage2.steps=2");
        Assert.That(
            SprintCommand.Succeed("train", "--resume", "--out", folder["run"], "--set", "stage2.steps=3", "--set", "samples.per_class=2"),
            Does.Contain("resuming after step 6 from").And.Contain("changed from here on: stage2.steps 2 -> 3, samples.per_class 1 -> 2"));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(7));
        SprintCommand.Refuse(
            ["train", "--resume", "--out", folder["run"], "--set", "seed=4"], "the run was begun with seed 3, not 4: what has been learned rests on it");
        SprintCommand.Refuse(["train", "--resume", "--out", folder["run"], "--set", "stage1.steps=9"], "the run was begun with stage1.steps 4, not 9: stage 1 is done");
        SprintCommand.Refuse(
            ["train", "--resume", "--out", folder["run"], "--set", "data.split=t10k"], "the run was begun with 10000 images of 1 x 16 x 16", "but the data are now");
        Assert.That(SprintCommand.Succeed("train", "--resume", "--out", folder["run"]), Does.Not.Contain("changed"), "a refused change is no part of the run");
    }

    [Test]
    public void A_configuration_that_differs_from_the_run_s_own_is_told()
    {
        SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--set", "stage1.steps=2", "--set", "stage2.steps=2");
        CommandResult resumed = SprintCommand.Run("train", configuration, "--resume", "--out", folder["run"]);
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        Assert.That(resumed.Error, Does.Contain("goes on with its own configuration, not that of").And.Contain("stage1.steps is 2, not 4, stage2.steps is 2, not 4; --set changes what may change"));
        Assert.That(SprintCommand.Succeed("train", configuration, "--resume", "--out", folder["run"], "--set", "stage1.steps=2", "--set", "stage2.steps=2"), Does.Contain("resuming after step 4"));
    }

    [Test]
    public void A_damaged_checkpoint_is_told_and_the_one_before_taken()
    {
        SprintCommand.Succeed("train", configuration, "--out", folder["run"]);
        Dictionary<string, string> whole = TinyRun.Checkpoint(folder["run"]);
        string newest = folder["run/checkpoints/step-00000008"];
        File.WriteAllText(Path.Combine(newest, "ema.safetensors"), "");
        SprintCommand.Refuse(
            ["sample", "--checkpoint", folder["run"], "--out", folder["grid.png"]],
            "is damaged, its ema.safetensors is not what was saved", "the newest that is whole is", "step-00000006: name it to sample from it");
        SprintCommand.Refuse(["sample", "--checkpoint", newest, "--out", folder["grid.png"]], "ema.safetensors' is damaged");
        SprintCommand.Succeed("sample", "--checkpoint", folder["run/checkpoints/step-00000006"], "--out", folder["grid.png"], "--steps", "1");
        CommandResult resumed = SprintCommand.Run("train", "--resume", "--out", folder["run"]);
        Assert.That(resumed.ExitCode, Is.Zero);
        Assert.That(resumed.Error, Does.Contain("a checkpoint is damaged and set aside as").And.Contain("damaged-step-00000008: its ema.safetensors is not what was saved"));
        Assert.That(resumed.Output, Does.Contain("resuming after step 6 from").And.Contain("the newest that is whole"));
        Assert.That(TinyRun.Checkpoint(folder["run"]), Is.EqualTo(whole));
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
