using System.Text.Json;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Measurement;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Verification;
using Sprint.Tests.Engine;
using Sprint.Tests.Model;
using Sprint.Train;

namespace Sprint.Tests.Train;

/// <summary>The command that tells whether a device is right and fast.</summary>
[TestFixture]
public sealed class VerifyAllTests
{
    private static readonly KernelShape Tiny = new(1, 64, 16, 64, 2);

    /// <summary>The whole of it, with kernels counted on small tensors and one golden folder.</summary>
    [TestCase(TestDevice.Emulated)]
    [TestCase(TestDevice.Cuda, Category = "Gpu")]
    public void A_device_passes_and_the_report_says_of_what(string name)
    {
        bool isGpu = name == TestDevice.Cuda;
        using TemporaryFolder folder = new();
        using CudaDevice device = isGpu ? new CudaDevice(Engine.Cuda.CudaRequirements.RequireGpu()) : CudaDevice.Emulated();
        List<string> told = [];
        DeviceReport report = new DeviceVerification(device) { CountedShape = Tiny, GoldenFolders = ["tiny"], Precisions = [Precision.Fp32] }.Run(told.Add);
        DeviceVerification.Write(report, folder["report"]);
        Assert.That(report.Passes, report.ToMarkdown());
        Assert.That(report.Values.Select(static check => check.Case), Is.Unique.And.Member("train_masked").And.Member("sample_ode pdg"));
        Assert.That(report.Reruns, Has.Count.EqualTo(8));
        Assert.That((report.Products.Count, report.Steps.Count), Is.EqualTo(isGpu ? (6, 6) : (0, 0)), "times of an emulator mean nothing");
        Assert.That(report.Kernels.Select(static line => line.Seconds is > 0), isGpu ? Has.Some.True : Is.All.False);
        Assert.That(report.Products.Select(static product => product.Seconds).Concat(report.Steps.Select(static step => step.Seconds)), Is.All.Positive);
        Assert.That(report.Steps.Count(static step => step.IsReplayed), Is.EqualTo(isGpu ? 4 : 0));
        Assert.That(report.Kernels.Select(static line => line.Counted.Launch.Kernel), Is.SupersetOf(new[] { "attention_backward_dq", "adamw_update", "matrix_product_backward_weight" }));
        Assert.That(report.Commit, Does.Match("^[0-9a-f]{40}$|^unknown$"));

        string markdown = File.ReadAllText(folder["report.md"]);
        Assert.That(markdown, Does.StartWith($"# {device.Name}: everything passes").And.Contain("| `tokens_gather_forward` | bf16 |"));
        Assert.That(markdown, isGpu ? Does.Contain("measured") : Does.Not.Contain("measured"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder["report.json"]));
        Assert.That(json.RootElement.GetProperty("Passes").GetBoolean());
        Assert.That(json.RootElement.GetProperty("Kernels").GetArrayLength(), Is.EqualTo(report.Kernels.Count));
        Assert.That(json.RootElement.GetProperty("Kernels")[0].GetProperty("Seconds").ValueKind, Is.EqualTo(isGpu ? JsonValueKind.Number : JsonValueKind.Null));
        Assert.That(told, Is.Not.Empty);
    }

    [Test]
    public void One_wrong_value_or_one_other_bit_fails_the_report()
    {
        DeviceReport good = new("cuda:0", "NVIDIA A100-SXM4-40GB", "", "", "", [new("tiny", "fp32", "case", true, "")], [new RerunCheck("run", true, "")], [], [], []);
        Assert.That(good.Passes);
        Assert.That((good with { Values = [new("tiny", "fp32", "case", false, "x: NaN")] }).ToMarkdown(), Does.StartWith("# cuda:0: NOT everything passes").And.Contain("**FAIL** | x: NaN"));
        Assert.That((good with { Reruns = [new RerunCheck("run", false, "")] }).Passes, Is.False);
    }

    [Test]
    public void Another_kernel_gives_other_bits_and_is_found()
    {
        using CudaDevice device = CudaDevice.Emulated();
        device.Register<ISiluKernels>(new UnsteadySilu(device.Kernels<ISiluKernels>()));
        Assert.That(StepVerification.Reruns(device).Any(static check => !check.Passes));
    }

    [Test]
    public void Mistakes_are_one_line()
    {
        SprintCommand.Refuse(["verify", "--all", "--device", "cpu"], "--all verifies CUDA kernels, which device cpu does not run: choose --device cuda or emulated");
        SprintCommand.Refuse(["verify", "somewhere", "--all"], "leave FOLDER, --tensors and --precision away");
        SprintCommand.Refuse(["verify", "somewhere", "--out", "report"], "--out is where --all writes its report");
        SprintCommand.Refuse(["verify", "--all", "--device", "emulated", "--out", "no/such/report"], "--out no/such/report: there is no folder");
    }

    /// <summary>As a race would: each call leaves something else in one element.</summary>
    private sealed class UnsteadySilu(ISiluKernels inner) : ISiluKernels
    {
        private int calls;

        public void Forward(Tensor input, Tensor output)
        {
            inner.Forward(input, output);
            if (output.ElementType == ElementType.Float32)
            {
                calls++;
                output.CopyFrom<float>(Array.ConvertAll(output.ToArray(), value => value + (1e-3f * calls)));
            }
        }

        public void Backward(Tensor gradient, Tensor input, Tensor inputGradient, bool accumulate) => inner.Backward(gradient, input, inputGradient, accumulate);
    }
}
