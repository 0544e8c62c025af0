using NUnit.Framework;
using Sprint.Tests.Model;

namespace Sprint.Tests.Train;

/// <summary>A run in mixed precision by the commands: trained by the CUDA kernels without a GPU, sampled there and on the CPU.</summary>
[TestFixture]
public sealed class PrecisionCommandTests
{
    private TemporaryFolder folder = null!;

    [OneTimeSetUp]
    public void Train()
    {
        folder = new TemporaryFolder();
        string configuration = SmallConfiguration.Write(folder["small.yaml"], sparseSteps: 2);
        string output = SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--device", "emulated", "--precision", "bf16");
        Assert.That(output, Does.Contain("all stages:"));
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void The_precision_is_part_of_the_run_that_a_resume_may_change()
    {
        Assert.That(File.ReadAllText(Path.Combine(folder["run"], "config.yaml")), Does.Contain("precision: bf16"));
        SprintCommand.Refuse(["train", "--resume", "--out", folder["run"], "--device", "cpu", "--set", "stage2.steps=5"], "device cpu computes in float32 only, not in bf16: choose --precision fp32");
        string output = SprintCommand.Succeed("train", "--resume", "--out", folder["run"], "--device", "cpu", "--set", "stage2.steps=5", "--precision", "fp32");
        Assert.That(output, Does.Contain("precision bf16 -> fp32"));
    }

    [Test]
    public void Samples_are_drawn_in_the_precision_of_the_run_where_the_device_has_it()
    {
        string checkpoint = Path.Combine(folder["run"], "checkpoints", "step-00000006");
        Assert.That(Draw("emulated"), Does.Contain(", bf16: "));
        Assert.That(Draw("emulated", "--precision", "fp32"), Does.Contain(", fp32: "));
        Assert.That(Draw("cpu"), Does.Contain(", fp32: "));
        SprintCommand.Refuse(["sample", "--checkpoint", checkpoint, "--device", "cpu", "--precision", "bf16", "--out", folder["grid.png"]], "device cpu computes in float32 only");

        string Draw(string device, params string[] more) => SprintCommand.Succeed(
            ["sample", "--checkpoint", checkpoint, "--device", device, "--classes", "1", "--count", "1", "--out", folder[$"{device}.png"], .. more]);
    }

    [Test]
    public void A_dry_run_says_what_mixed_precision_holds()
    {
        string configuration = SmallConfiguration.Write(folder["counted.yaml"]);
        Assert.That(SprintCommand.Succeed("train", configuration, "--device", "dryrun", "--precision", "bf16"), Does.Contain("memory, bf16"));
        Assert.That(SprintCommand.Succeed("train", configuration, "--device", "dryrun"), Does.Contain("memory, fp32"));
    }
}
