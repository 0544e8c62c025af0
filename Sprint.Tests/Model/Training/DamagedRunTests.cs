using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>What is wrong with a run's folder is named, and a save that fails loses nothing.</summary>
[TestFixture]
public sealed class DamagedRunTests
{
    private TemporaryFolder folder = null!;

    private string Run => folder["run"];

    private string Newest => new CheckpointStore(Path.Combine(Run, "checkpoints")).Newest!;

    [SetUp]
    public void TrainSixSteps()
    {
        folder = new TemporaryFolder();
        TinyRun.Run(Run, stopAfter: 6);
    }

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCase("model.safetensors")]
    [TestCase("ema.safetensors")]
    [TestCase("optimizer.safetensors")]
    public void A_truncated_or_missing_tensor_file_is_named(string name)
    {
        string file = Path.Combine(Newest, name);
        byte[] whole = File.ReadAllBytes(file);
        foreach (int length in new[] { 0, 7, 100, whole.Length - 1 })
        {
            File.WriteAllBytes(file, whole[..length]);
            Assert.That(() => Resume(), new SprintFault(file, "not a valid safetensors file"), $"{length} bytes");
        }

        File.Delete(file);
        Assert.That(() => Resume(), new SprintFault(file, "there is no such file"));
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{\"Version\":1,\"Step\":6,")]
    [TestCase("{\"Version\":2,\"Step\":6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":[]}")]
    [TestCase("{\"Version\":1,\"Step\":-6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":[]}")]
    [TestCase("{\"Version\":1,\"Step\":6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":null}")]
    [TestCase("{\"Version\":1,\"Step\":6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":[null]}")]
    public void A_state_that_is_none_is_named(string json)
    {
        string file = Path.Combine(Newest, "state.json");
        File.WriteAllText(file, json);
        Assert.That(() => Resume(), new SprintFault(file, "no state of a training run"));
    }

    [TestCase("\"Stage\": 1", "\"Stage\": 7")]
    [TestCase("\"StageStep\": 2", "\"StageStep\": 3")]
    [TestCase("\"Step\": 6", "\"Step\": 7")]
    [TestCase("\"EpochIndex\": 12", "\"EpochIndex\": 20")]
    public void A_state_that_contradicts_the_stages_or_the_data_is_refused(string value, string instead)
    {
        string file = Path.Combine(Newest, "state.json");
        string json = File.ReadAllText(file);
        Assert.That(json, Does.Contain(value));
        File.WriteAllText(file, json.Replace(value, instead, StringComparison.Ordinal));
        Assert.That(() => Resume(), new SprintFault(Newest, "does not fit the stages of the configuration or the data"));
    }

    [Test]
    public void A_state_without_the_accounts_of_its_stages_is_refused()
    {
        string file = Path.Combine(Newest, "state.json");
        RunState state = RunState.Load(file);
        state.Accounts.Clear();
        state.Save(file);
        Assert.That(() => Resume(), new SprintFault(Newest, "does not fit the stages"));
    }

    [TestCase("model.hidden_size=64", "tensor 'x_embedder.proj.weight' has shape [32, 4], the model needs")]
    [TestCase("model.middle_depth=2", "tensor 'middle_blocks.1.", "is missing: is the configuration that of the checkpoint?")]
    [TestCase("model.decoder_depth=0", "tensor 'decoder_blocks.0.", "belongs to no parameter of this model")]
    [TestCase("model.train_mask_token=true", "tensor 'exp_avg.mask_token' is missing")]
    public void A_changed_model_is_refused_by_the_tensor_that_differs(params string[] changeAndParts) =>
        Assert.That(() => Resume(changeAndParts[0]), new SprintFault(changeAndParts[1..]));

    [Test]
    public void A_folder_without_a_run_and_a_folder_with_one_are_told_apart()
    {
        Assert.That(() => RunFolder.Open(folder["none"], [], out _), new SprintFault("'" + folder["none"] + "' holds no run to resume"));
        Assert.That(() => RunFolder.Create(Run, TinyRun.Configuration), new SprintFault("holds a run already", "--resume", "--out"));
        File.Delete(Path.Combine(Run, "config.yaml"));
        Assert.That(() => RunFolder.Create(Run, TinyRun.Configuration), new SprintFault("holds a run already"), "its checkpoints are worth as much");
        File.WriteAllText(folder["file"], "");
        Assert.That(() => RunFolder.Create(Path.Combine(folder["file"], "run"), TinyRun.Configuration), new SprintFault("cannot create the folder"));
    }

    [Test]
    public void What_killed_processes_left_behind_is_removed_on_resume()
    {
        string[] before = folder.Names();
        foreach (string place in new[] { "", "samples", "checkpoints" })
        {
            File.WriteAllText(Path.Combine(Run, place, ".half.png.sprint-part"), "half");
        }

        Directory.CreateDirectory(Path.Combine(Run, "checkpoints", ".step-00000007.sprint-part", "below"));
        RunFolder.Open(Run, [], out _);
        Assert.That(folder.Names(), Is.EqualTo(before));
    }

    [Test]
    public void A_save_that_fails_leaves_the_old_checkpoint_and_the_run_goes_on_from_it()
    {
        Dictionary<string, string> before = TinyRun.Checkpoint(Run);
        string obstacle = Path.Combine(Run, "checkpoints", "step-00000008");
        File.WriteAllText(obstacle, "a file in the way");
        Assert.That(() => TinyRun.Run(Run), new SprintFault("cannot write the folder", "step-00000008", "a file of that name exists"));
        Assert.That(TinyRun.Checkpoint(Run), Is.EqualTo(before));
        Assert.That(folder.Names().Where(name => name.Contains("sprint-part", StringComparison.Ordinal)), Is.Empty);

        File.Delete(obstacle);
        TinyRun.Run(Run);
        TinyRun.Run(folder["whole"]);
        Assert.That(TinyRun.Checkpoint(Run), Is.EqualTo(TinyRun.Checkpoint(folder["whole"])));
    }

    [Test]
    public void Lines_of_the_metrics_that_are_cut_short_or_strange_are_dropped()
    {
        string file = Path.Combine(Run, "metrics.jsonl");
        string[] lines = File.ReadAllLines(file);
        File.WriteAllLines(file, ["5", "[]", "{\"step\":\"x\",\"loss\":1}", "{\"loss\":1}", "", .. lines, "{\"step\":7,\"loss\":1}", "{\"step\":3,\"lo"]);
        using (var log = new MetricsLog(file, 6))
        {
            Assert.That(log.Losses.Select(entry => entry.Step), Is.EqualTo(new long[] { 1, 2, 3, 4, 5, 6 }));
        }

        Assert.That(File.ReadAllLines(file), Is.EqualTo(lines));
    }

    private void Resume(params string[] changes)
    {
        using var device = new CpuDevice(1);
        using var dataset = new PatternDataset();
        RunFolder opened = RunFolder.Open(Run, changes, out TrainingConfiguration configuration);
        using var trainer = new Trainer(device, configuration, dataset, opened, new RecordingObserver());
        trainer.Resume();
    }
}
