using NUnit.Framework;
using Sprint.Tests.Engine;
using Sprint.Tests.Model;
using Sprint.Tests.Model.Training;

namespace Sprint.Tests.Train;

/// <summary>The command's whole two-stage job by CUDA kernels: trained, made longer and sampled from.</summary>
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class DeviceJobTests(string deviceName)
{
    [TestCase("fp32")]
    [TestCase("bf16")]
    public void Both_stages_are_trained_resumed_and_sampled_from(string precision)
    {
        if (deviceName == TestDevice.Cuda)
            Engine.Cuda.CudaRequirements.RequireGpu().Dispose();
        using TemporaryFolder folder = new();
        string configuration = SmallConfiguration.Write(folder["small.yaml"]);
        string output = SprintCommand.Succeed("train", configuration, "--out", folder["run"], "--device", deviceName, "--precision", precision);
        Assert.That(output, Does.Contain("sparse: 4 steps of 4 images, drop ratio 0.75").And.Contain("dense: 4 steps of 4 images, drop ratio 0").And.Contain("saved)"));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(8));

        SprintCommand.Succeed("train", "--resume", "--out", folder["run"], "--device", deviceName, "--set", "stage2.steps=7");
        SprintCommand.Succeed("train", configuration, "--out", folder["whole"], "--device", deviceName, "--precision", precision, "--set", "stage2.steps=7");
        Assert.That(TinyRun.Metrics(folder["run"]), Is.EqualTo(TinyRun.Metrics(folder["whole"])));

        SprintCommand.Succeed("sample", "--checkpoint", folder["run"], "--out", folder["grid.png"], "--device", deviceName, "--steps", "2", "--guidance", "pdg", "--count", "1");
        Assert.That(new FileInfo(folder["grid.png"]).Length, Is.Positive);
    }
}
