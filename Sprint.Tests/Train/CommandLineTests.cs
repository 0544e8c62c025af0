using NUnit.Framework;
using Sprint.Tests.Golden;
using Sprint.Tests.Model;

namespace Sprint.Tests.Train;

/// <summary>Whatever is wrong with a command is told in one line that says what is right, with exit code 2.</summary>
[TestFixture]
public sealed class CommandLineTests
{
    private TemporaryFolder folder = null!;
    private string configuration = null!;

    [SetUp]
    public void Write()
    {
        folder = new TemporaryFolder();
        configuration = SmallConfiguration.Write(folder["small.yaml"]);
    }

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCase("", "no command is given: choose one of train, sample, verify, devices")]
    [TestCase("tarin", "'tarin' is no command: choose one of train, sample, verify, devices")]
    [TestCase("--fast", "'--fast' is no command: choose one of train, sample, verify, devices")]
    [TestCase("train --steps 3", "'--steps' is no option of sprint train: it has --out, --resume, --set, --device, --threads")]
    [TestCase("train --fast", "'--fast' is no option of sprint train")]
    [TestCase("verify -x", "'-x' is no option of sprint verify: it has --tensors, --all, --out, --device, --threads")]
    [TestCase("train a.yaml b.yaml", "'b.yaml' is one argument too many for sprint train")]
    [TestCase("train --threads many", "--threads 'many' is not a whole number; see sprint train --help")]
    [TestCase("train --out", "--out needs a value: FOLDER; see sprint train --help")]
    [TestCase("train --threads 1 --threads 2", "--threads is given more than once")]
    [TestCase("train --threads -1", "The number of threads is -1; it must be from 0 (as many as there are cores) to 1024")]
    [TestCase("train --threads 5000 --device cpu", "The number of threads is 5000; it must be from 0")]
    [TestCase("train --threads -1 --device dryrun", "The number of threads is -1; it must be from 0")]
    [TestCase("train --device gpu", "device 'gpu' is not known: choose auto, cpu, emulated, cuda, cuda:N or dryrun")]
    [TestCase("train --device cuda:x", "device 'cuda:x' is not known")]
    [TestCase("train --device emulated --threads 5000", "The number of threads is 5000; it must be from 0")]
    [TestCase("train no-such.yaml", "cannot read the configuration 'no-such.yaml': there is no such file")]
    [TestCase("train --device dryrun no-such.yaml", "cannot read the configuration 'no-such.yaml'")]
    [TestCase("train {config} --set stage1.stpes=3", "--set stage1.stpes=3: unknown key 'stpes' in stage1: did you mean 'steps'?")]
    [TestCase("train {config} --set stage2.drop_ratio=2", "--set stage2.drop_ratio=2: stage2.drop_ratio is 2, but must be at least 0")]
    [TestCase("train {config} --set model.representation_align=true", "model.representation_align is true, but there are no features to align with: name their NumPy file with data.features")]
    [TestCase("train {config} --set seed", "--set seed: an override is KEY=VALUE")]
    [TestCase("train {config} --set model.num_heads=3", "model: num_heads 3 does not divide hidden_size 32")]
    [TestCase("train {config} --device dryrun --set stage1.drop_ratio=0.7", "stage 1: drop ratio 0.7 cannot be had")]
    [TestCase("train {config} --set data.path=no/such/folder", "no/such/folder")]
    [TestCase("train {config} --set model.context_size=32", "the data are 1 x 16 x 16, the model takes 1 x 32 x 32")]
    [TestCase("train {config} --set model.num_classes=3", "the data have 10 classes, the model 3: set model.num_classes to 10")]
    [TestCase("train --resume --out {folder}/none", "{folder}/none' holds no run to resume")]
    [TestCase("sample", "--checkpoint is missing")]
    [TestCase("sample --checkpoint {folder}/none", "{folder}/none' is no checkpoint")]
    [TestCase("sample --checkpoint {folder} --scale strong", "--scale 'strong' is not a number")]
    [TestCase("sample --checkpoint {folder} --count 3.5", "--count '3.5' is not a whole number")]
    [TestCase("verify", "FOLDER is missing: A folder with config.json")]
    [TestCase("verify {folder}/none", "there is no folder '{folder}/none': give one with config.json")]
    [TestCase("verify {folder}", "folder '{folder}' has no config.json, so it holds no reference's numbers: give one with config.json, weights.safetensors and case files (forward_*, train_* or sample_*.safetensors)")]
    [TestCase("verify {folder} --device dryrun", "device dryrun computes no numbers to verify: choose cpu, emulated or cuda")]
    [TestCase("train {config} --precision bf16 --device cpu", "device cpu computes in float32 only, not in bf16: choose --precision fp32, or a device with tensor cores (cuda, emulated)")]
    [TestCase("train {config} --set precision=bf16 --device cpu", "device cpu computes in float32 only, not in bf16")]
    [TestCase("train {config} --precision half", "--precision 'half' is not known: choose fp32 or bf16")]
    [TestCase("train {config} --set precision=half", "precision is half, but must be one of fp32, bf16")]
    [TestCase("train --out {folder}/run --precision", "--precision needs a value: NAME; see sprint train --help")]
    [TestCase("devices --all", "'--all' is no option of sprint devices")]
    public void A_mistake_is_one_line(string line, params string[] parts)
    {
        string[] arguments = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Place)];
        SprintCommand.Refuse([.. arguments, .. arguments is ["train", ..] && !line.Contains("--out", StringComparison.Ordinal) ? ["--out", folder["run"]] : (string[])[]], [.. parts.Select(Place)]);
        Assert.That(folder["run"], Does.Not.Exist, "a run that cannot begin leaves no folder");
    }

    [Test]
    public void Empty_names_are_refused()
    {
        SprintCommand.Refuse(["train", ""], "CONFIG is empty");
        SprintCommand.Refuse(["train", configuration, "--out", ""], "--out is empty");
        SprintCommand.Refuse(["sample", "--checkpoint", ""], "'' is no checkpoint");
        SprintCommand.Refuse(["verify", ""], "there is no folder ''");
    }

    [Test]
    public void A_precision_that_the_device_lacks_is_refused() => SprintCommand.Refuse(
        ["verify", GoldenFile.PathOf("tiny"), "--device", "cpu", "--precision", "bf16"], "device cpu computes in float32 only, not in bf16");

    [Test]
    public void Data_that_are_damaged_are_named()
    {
        Directory.CreateDirectory(folder["data"]);
        File.WriteAllBytes(folder["data/train-images-idx3-ubyte"], [0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 16, 0, 0, 0, 16, 1]);
        File.WriteAllBytes(folder["data/train-labels-idx1-ubyte"], [0, 0, 8, 1, 0, 0, 0, 1, 1]);
        SprintCommand.Refuse(["train", configuration, "--set", $"data.path={folder["data"]}", "--out", folder["run"]], "train-images-idx3-ubyte", "claims 9 x 16 x 16 bytes, more than the file can hold");
        Assert.That(folder["run"], Does.Not.Exist);
    }

    [Test]
    public void A_place_that_cannot_be_written_is_named()
    {
        File.WriteAllText(folder["file"], "");
        SprintCommand.Refuse(["train", configuration, "--out", Path.Combine(folder["file"], "run")], "cannot create the folder", folder["file"]);
    }

    [Test]
    public void A_golden_folder_that_cannot_be_verified_is_named()
    {
        const string Model = "\"context_size\":8,\"patch_size\":2,\"in_channels\":1,\"num_classes\":3,\"hidden_size\":32,\"num_heads\":2,\"mlp_ratio\":4.0,"
            + "\"encoder_depth\":1,\"middle_depth\":1,\"decoder_depth\":1,\"q_norm\":null,\"k_norm\":null,\"rope_theta\":10000.0,\"class_dropout_prob\":0.1,"
            + "\"cfg_mask_prob\":0.1,\"use_swiglu\":false,\"representation_align\":false,\"use_mask_restore\":true,\"residual_type\":\"concat_linear\"";
        File.WriteAllText(folder["config.json"], $"{{\"constructor_resolved\":{{{Model},\"adaln_type\":\"swiglu\"}}}}");
        SprintCommand.Refuse(["verify", folder.Path], "adaln_type: swiglu", "not built");
        File.WriteAllText(folder["config.json"], $"{{\"constructor_resolved\":{{{Model},\"adaln_type\":\"normal\"}}}}");
        SprintCommand.Refuse(["verify", folder.Path], "holds no case files");
        File.WriteAllText(folder["config.json"], "{");
        SprintCommand.Refuse(["verify", folder.Path], "config.json: cannot be read as JSON");
    }

    [TestCase("--help", "train", "sample", "verify", "devices")]
    [TestCase("train --help", "--precision", "sprint train configs/smoke.yaml --set stage1.steps=50 --out runs/try", "--resume")]
    [TestCase("sample --help", "sprint sample --checkpoint runs/fashion --classes 0-9", "--guidance")]
    [TestCase("verify --help", "--device emulated --precision bf16", "sprint verify Sprint.Tests/Golden/tiny", "FOLDER")]
    [TestCase("devices --help", "sprint devices")]
    [TestCase("kernels --help", "list", "build", "report", "run", "profile")]
    [TestCase("kernels list --help", "sprint kernels list --sources my-kernels")]
    [TestCase("kernels build --help", "sprint kernels build --arch 80,90")]
    [TestCase("kernels report --help", "sprint kernels report --kernel gather --arch 80,90")]
    [TestCase("kernels run --help", "sprint kernels run scale.cu", "TYPE[SHAPE]=FILL", "Exit code 0: the kernel ran; 1: it faulted")]
    [TestCase("kernels profile --help", "sprint kernels profile scale.cu", "--json")]
    public void Help_explains_each_command_with_an_example(string line, params string[] parts)
    {
        string output = SprintCommand.Succeed(line.Split(' '));
        Assert.That(output, Does.Contain("Example"));
        foreach (string part in parts)
        {
            Assert.That(output, Does.Contain(part));
        }
    }

    [Test]
    public void Devices_are_listed() => Assert.That(
        SprintCommand.Succeed("devices"),
        Does.Contain("cpu").And.Contain("dryrun").And.Contain("emulated").And.Contain("cuda").And.Contain("trains and samples"));

    [Test]
    public void A_dry_run_accounts_for_a_configuration_and_writes_nothing()
    {
        string output = SprintCommand.Succeed("train", configuration, "--device", "dryrun", "--out", folder["run"]);
        Assert.That(output, Does.Contain("sparse").And.Contain("dense").And.Contain("nothing was computed"));
        Assert.That(folder["run"], Does.Not.Exist);
    }

    [Test]
    public void A_mistake_ends_a_real_process_with_exit_code_2()
    {
        using SprintProcess process = SprintProcess.Start("train", folder["none.yaml"]);
        (int exitCode, string error) = process.Finish();
        SprintCommand.CheckRefusal(exitCode, error, "cannot read the configuration", "none.yaml");
        Assert.That(process.Output, Is.Empty);
    }

    private string Place(string text) =>
        text.Replace("{config}", configuration, StringComparison.Ordinal).Replace("{folder}", folder.Path, StringComparison.Ordinal);
}
