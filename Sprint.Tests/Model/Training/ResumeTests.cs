using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

[TestFixture]
public sealed class ResumeTests
{
    private TemporaryFolder folder = null!;
    private Dictionary<string, string> expected = null!;
    private string[] metrics = null!;

    [OneTimeSetUp]
    public void TrainWithoutInterruption()
    {
        folder = new TemporaryFolder();
        TinyRun.Run(folder["whole"]);
        expected = TinyRun.Checkpoint(folder["whole"]);
        metrics = TinyRun.Metrics(folder["whole"]);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void A_run_leaves_what_its_folder_promises()
    {
        string run = folder["whole"];
        string[] files = [.. Directory.GetFiles(run, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(run, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Assert.That(files, Is.EqualTo(new[]
        {
            ".lock",
            "checkpoints/step-00000009/SHA256SUMS", "checkpoints/step-00000009/config.yaml", "checkpoints/step-00000009/ema.safetensors", "checkpoints/step-00000009/model.safetensors",
            "checkpoints/step-00000009/optimizer.safetensors", "checkpoints/step-00000009/state.json",
            "checkpoints/step-00000012/SHA256SUMS", "checkpoints/step-00000012/config.yaml", "checkpoints/step-00000012/ema.safetensors", "checkpoints/step-00000012/model.safetensors",
            "checkpoints/step-00000012/optimizer.safetensors", "checkpoints/step-00000012/state.json",
            "config.yaml", "loss.png", "metrics.jsonl", "samples/step-00000005.png", "samples/step-00000010.png", "samples/step-00000012.png",
        }));
        Assert.That(metrics, Has.Length.EqualTo(12));
        Assert.That(expected.Keys, Is.EquivalentTo(new[] { "model.safetensors", "ema.safetensors", "optimizer.safetensors", "state" }));
    }

    // Within a stage, at an accumulated step, at a checkpoint, at a picture, at the ends of stages, one after the other.
    [TestCase(1)]
    [TestCase(2, 3)]
    [TestCase(4, 8)]
    [TestCase(5, 6, 7, 9, 10, 11)]
    public void An_interrupted_run_ends_with_the_same_bits(params int[] stops)
    {
        string run = folder[$"stopped-{string.Join('-', stops)}"];
        foreach (int stop in stops)
        {
            RunState state = TinyRun.Run(run, stopAfter: stop);
            Assert.That(state.Step, Is.EqualTo(stop));
        }

        TinyRun.Run(run);
        Assert.That(TinyRun.Checkpoint(run), Is.EqualTo(expected));
        Assert.That(TinyRun.Metrics(run), Is.EqualTo(metrics));
        Assert.That(
            Directory.GetFiles(Path.Combine(run, "samples")).Select(file => (Path.GetFileName(file), Convert.ToHexString(File.ReadAllBytes(file)))),
            Is.EquivalentTo(Directory.GetFiles(Path.Combine(folder["whole"], "samples")).Select(file => (Path.GetFileName(file), Convert.ToHexString(File.ReadAllBytes(file))))));
    }

    [Test]
    public void An_interrupted_run_with_SwiGLU_and_modulation_of_low_rank_ends_with_the_same_bits()
    {
        TrainingConfiguration configuration = TinyRun.Configuration with { Model = TinyRun.SwiGluAndLora };
        TinyRun.Run(folder["other"], configuration: configuration);
        foreach (int stop in (int[])[3, 5, 9, 12])
            TinyRun.Run(folder["other-stopped"], stopAfter: stop, configuration: configuration);
        Assert.That(TinyRun.Checkpoint(folder["other-stopped"]), Is.EqualTo(TinyRun.Checkpoint(folder["other"])));
        Assert.That(TinyRun.Metrics(folder["other-stopped"]), Is.EqualTo(TinyRun.Metrics(folder["other"])).And.Not.EqualTo(metrics));
    }

    [TestCase(2)]
    [TestCase(3)]
    public void The_bits_do_not_depend_on_the_threads(int threads)
    {
        string run = folder[$"threads-{threads}"];
        TinyRun.Run(run, threads, stopAfter: 6);
        TinyRun.Run(run, 4 - threads);
        Assert.That(TinyRun.Checkpoint(run), Is.EqualTo(expected));
        Assert.That(TinyRun.Metrics(run), Is.EqualTo(metrics));
    }

    [Test]
    public void Another_seed_gives_other_bits()
    {
        TinyRun.Run(folder["seed"], configuration: TinyRun.Configuration with { Seed = 8 });
        Dictionary<string, string> other = TinyRun.Checkpoint(folder["seed"]);
        Assert.That(other["model.safetensors"], Is.Not.EqualTo(expected["model.safetensors"]));
        Assert.That(other["optimizer.safetensors"], Is.Not.EqualTo(expected["optimizer.safetensors"]));
    }

    [Test]
    public void A_finished_run_resumed_draws_its_last_pictures_again_and_changes_nothing()
    {
        string run = folder["finished"];
        TinyRun.Run(run);
        File.Delete(Path.Combine(run, "loss.png"));
        File.Delete(Path.Combine(run, "samples", "step-00000012.png"));
        TinyRun.Run(run);
        Assert.That(TinyRun.Checkpoint(run), Is.EqualTo(expected));
        Assert.That(File.Exists(Path.Combine(run, "loss.png")));
        Assert.That(File.Exists(Path.Combine(run, "samples", "step-00000012.png")));
    }

    [Test]
    public void A_finished_run_made_longer_has_the_bits_of_one_that_was_so_from_the_start()
    {
        TrainingConfiguration longer = TinyRun.Configuration with { Stages = [.. TinyRun.Configuration.Stages.Take(2).Select(stage => stage with { Steps = 6 })] };
        TrainingConfiguration shorter = longer with { Stages = [longer.Stages[0], longer.Stages[1] with { Steps = 4 }] };
        TinyRun.Run(folder["long"], configuration: longer);
        TinyRun.Run(folder["lengthened"], configuration: shorter);
        using var device = new CpuDevice(1);
        using var dataset = new PatternDataset();
        RunFolder opened = RunFolder.Open(folder["lengthened"], ["stage2.steps=6"], out TrainingConfiguration configuration);
        using var trainer = new Trainer(device, configuration, dataset, opened, new RecordingObserver());
        Assert.That(trainer.Resume().Changes, Is.EqualTo(new[] { new ConfigurationChange("stage2.steps", "4", "6") }));
        Assert.That(trainer.Run());
        Assert.That(TinyRun.Checkpoint(folder["lengthened"]), Is.EqualTo(TinyRun.Checkpoint(folder["long"])));
        Assert.That(TinyRun.Metrics(folder["lengthened"]), Is.EqualTo(TinyRun.Metrics(folder["long"])));
    }

    [Test]
    public void More_steps_can_be_given_to_a_run_but_not_fewer_than_are_done()
    {
        string run = folder["longer"];
        TinyRun.Run(run, stopAfter: 10);
        using var device = new CpuDevice(1);
        using var dataset = new PatternDataset();
        Assert.That(Resume("stage3.steps=1"), new SprintFault("step 10 (stage 3, its step 2) does not fit the stages"));
        Assert.That(Resume("stage1.steps=5"), new SprintFault("the run was begun with stage1.steps 4, not 5: stage 1 is done"));
        Assert.That(Resume("stage3.steps=6"), Throws.Nothing);

        Action Resume(string change) => () =>
        {
            RunFolder opened = RunFolder.Open(run, [change], out TrainingConfiguration configuration);
            using var trainer = new Trainer(device, configuration, dataset, opened, new RecordingObserver());
            trainer.Resume();
        };
    }
}
