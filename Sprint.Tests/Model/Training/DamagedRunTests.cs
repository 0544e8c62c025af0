using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>What is wrong with a run's folder is named, and a save that fails loses nothing.</summary>
[TestFixture]
public sealed class DamagedRunTests
{
    private TemporaryFolder trained = null!;
    private TemporaryFolder folder = null!;

    private string Run => folder["run"];

    private string Newest => new CheckpointStore(Path.Combine(Run, "checkpoints")).Newest!;

    [OneTimeSetUp]
    public void TrainSixSteps()
    {
        trained = new TemporaryFolder();
        TinyRun.Run(trained["run"], stopAfter: 6);
    }

    [OneTimeTearDown]
    public void RemoveTrained() => trained.Dispose();

    [SetUp]
    public void Copy()
    {
        folder = new TemporaryFolder();
        foreach (string name in trained.Names())
        {
            if (Directory.Exists(trained[name]))
            {
                Directory.CreateDirectory(folder[name]);
            }
            else
            {
                File.Copy(trained[name], folder[name]);
            }
        }
    }

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCase("model.safetensors")]
    [TestCase("ema.safetensors")]
    [TestCase("optimizer.safetensors")]
    [TestCase("state.json")]
    [TestCase("config.yaml")]
    [TestCase("SHA256SUMS")]
    public void A_damaged_checkpoint_is_set_aside_and_the_run_goes_on_from_the_one_before(string name)
    {
        string newest = Newest;
        string file = Path.Combine(newest, name);
        byte[] whole = File.ReadAllBytes(file);
        byte[] flipped = [.. whole];
        flipped[^5] ^= 1;
        string aside = Path.Combine(Run, "checkpoints", "damaged-step-00000006");
        foreach (byte[]? damaged in new byte[]?[] { [], whole[..^20], flipped, null })
        {
            File.Delete(file);
            if (damaged is not null)
            {
                File.WriteAllBytes(file, damaged);
            }

            ResumedRun resumed = Resume();
            Assert.That(resumed.Checkpoint, Is.EqualTo(Path.Combine(Run, "checkpoints", "step-00000004")));
            Assert.That(resumed.Damaged.Select(bad => bad.Path), Is.EqualTo(new[] { aside }));
            Assert.That(resumed.Damaged[0].Reason, Does.Contain(name));
            Assert.That(Directory.Exists(newest), Is.False);
            Directory.Move(aside, newest);
        }

        File.WriteAllBytes(file, flipped);
        TinyRun.Run(Run);
        TinyRun.Run(folder["whole"]);
        Assert.That(TinyRun.Checkpoint(Run), Is.EqualTo(TinyRun.Checkpoint(folder["whole"])), "the steps that are done again have the same bits");
        Assert.That(TinyRun.Metrics(Run), Is.EqualTo(TinyRun.Metrics(folder["whole"])));
        Assert.That(Directory.Exists(aside), "the damaged files are the user's to look at");
    }

    [Test]
    public void A_run_whose_checkpoints_are_all_damaged_is_refused_and_left_as_it_is()
    {
        foreach (string checkpoint in Directory.GetDirectories(Path.Combine(Run, "checkpoints")))
        {
            File.Delete(Path.Combine(checkpoint, "ema.safetensors"));
        }

        string[] before = folder.Names();
        Assert.That(() => Resume(), new SprintFault("every checkpoint in", Run, "step-00000006, its ema.safetensors is missing"));
        Assert.That(folder.Names(), Is.EqualTo(before));
    }

    [Test]
    public void The_hashes_are_in_the_form_of_sha256sum()
    {
        foreach (string line in File.ReadAllLines(Path.Combine(Newest, "SHA256SUMS")))
        {
            string file = Path.Combine(Newest, line[66..]);
            string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)));
            Assert.That(line, Is.EqualTo($"{hash}  {Path.GetFileName(file)}"));
        }

        Assert.That(Directory.GetFiles(Newest), Has.Length.EqualTo(File.ReadAllLines(Path.Combine(Newest, "SHA256SUMS")).Length + 1));
    }

    [Test]
    public void A_damaged_checkpoint_costs_no_good_one_its_place()
    {
        TrainingConfiguration one = TinyRun.Configuration with { Checkpoints = new CheckpointsConfiguration { Every = 100, Keep = 2 } };
        TinyRun.Run(folder["few"], stopAfter: 2, configuration: one);
        TinyRun.Run(folder["few"], stopAfter: 10);
        File.WriteAllText(Path.Combine(folder["few"], "checkpoints", "step-00000010", "model.safetensors"), "");
        TinyRun.Run(folder["few"], stopAfter: 9);
        Assert.That(
            Directory.GetDirectories(Path.Combine(folder["few"], "checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal),
            Is.EqualTo(new[] { "damaged-step-00000010", "step-00000008", "step-00000009" }));
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{\"Version\":2,\"Step\":6,")]
    [TestCase("{\"Version\":3,\"Data\":\"\",\"Step\":6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":[]}")]
    [TestCase("{\"Version\":2,\"Data\":\"\",\"Step\":-6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":[]}")]
    [TestCase("{\"Version\":2,\"Data\":\"\",\"Step\":6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":null}")]
    [TestCase("{\"Version\":2,\"Data\":\"\",\"Step\":6,\"Stage\":1,\"StageStep\":2,\"OptimizerStep\":6,\"Epoch\":1,\"EpochIndex\":1,\"Images\":32,\"Accounts\":[null]}")]
    public void A_state_that_is_none_is_named(string json)
    {
        string file = Path.Combine(Newest, "state.json");
        File.WriteAllText(file, json);
        ChecksumFile.Write(Newest);
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
        ChecksumFile.Write(Newest);
        Assert.That(() => Resume(), new SprintFault(Newest, "does not fit the stages of the configuration or the data"));
    }

    [Test]
    public void A_state_without_the_accounts_of_its_stages_is_refused()
    {
        string file = Path.Combine(Newest, "state.json");
        RunState state = RunState.Load(file);
        state.Accounts.Clear();
        state.Save(file);
        ChecksumFile.Write(Newest);
        Assert.That(() => Resume(), new SprintFault(Newest, "does not fit the stages"));
    }

    [TestCase("model.hidden_size=64", "tensor 'mask_token' has shape [1, 1, 32], the model needs [1, 1, 64]")]
    [TestCase("model.middle_depth=2", "tensor 'middle_blocks.1.", "is missing: is the configuration that of the checkpoint?")]
    [TestCase("model.decoder_depth=0", "tensor 'decoder_blocks.0.", "belongs to no parameter of this model")]
    [TestCase("model.train_mask_token=true", "tensor 'exp_avg.mask_token' is missing")]
    public void Tensors_that_are_not_those_of_the_configuration_are_refused_by_name(params string[] changeAndParts)
    {
        // As if the run had been begun with the changed configuration.
        TrainingConfiguration changed = ConfigurationReader.Read<TrainingConfiguration>(Path.Combine(Run, "config.yaml"), [changeAndParts[0]]);
        foreach (string place in (string[])[Run, Newest])
            File.WriteAllText(Path.Combine(place, "config.yaml"), ConfigurationWriter.Write(changed));
        ChecksumFile.Write(Newest);
        Assert.That(() => Resume(), new SprintFault(changeAndParts[1..]));
    }

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

    private ResumedRun Resume(params string[] changes)
    {
        using var device = new CpuDevice(1);
        using var dataset = new PatternDataset();
        RunFolder opened = RunFolder.Open(Run, changes, out TrainingConfiguration configuration);
        using var trainer = new Trainer(device, configuration, dataset, opened, new RecordingObserver());
        return trainer.Resume();
    }
}
