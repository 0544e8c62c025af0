using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Devices;

/// <summary>Devices by name, and what they cannot do yet.</summary>
public sealed class DeviceSelectionTests
{
    [TestCase("cpu", "cpu")]
    [TestCase("emulated", "emulated")]
    [TestCase("dryrun", "dryrun")]
    public void Devices_are_opened_by_name(string name, string expected)
    {
        using Device device = DeviceSelection.Open(name, threads: 1);
        Assert.That(device.Name, Is.EqualTo(expected));
    }

    [Test]
    public void Auto_opens_a_device_that_runs_every_operation()
    {
        using Device device = DeviceSelection.Open("auto");
        Assert.That(device.Name, Is.EqualTo("cpu").Or.EqualTo("cuda:0"));
        Assert.That(DeviceSelection.MissingOperations(device), Is.Empty);
    }

    [Test]
    [Category("Gpu")]
    public void Auto_takes_the_first_GPU()
    {
        Cuda.CudaRequirements.RequireGpu().Dispose();
        using Device device = DeviceSelection.Open("auto");
        Assert.That(device.Name, Is.EqualTo("cuda:0"));
    }

    [TestCase("gpu")]
    [TestCase("cuda:")]
    [TestCase("cuda:-1")]
    [TestCase("cuda: 1")]
    [TestCase("CPU")]
    public void Other_names_are_refused(string name) => Assert.That(
        () => DeviceSelection.Open(name), Throws.TypeOf<SprintException>().With.Message.EqualTo($"device '{name}' is not known: choose auto, cpu, emulated, cuda, cuda:N or dryrun"));

    [Test]
    public void A_GPU_that_is_not_there_is_refused() => Assert.That(() => DeviceSelection.Open("cuda:99"), Throws.InstanceOf<SprintException>());

    [Test]
    public void A_device_that_lacks_operations_is_refused_with_their_names()
    {
        using var device = new CudaDevice(Sprint.Engine.Cuda.CudaContext.Emulated());
        IReadOnlyList<string> missing = DeviceSelection.MissingOperations(device);
        Assert.That(missing, Does.Not.Contain("token drop"));
        if (missing.Count > 0)
            Assert.That(() => DeviceSelection.RequireEveryOperation(device), Throws.TypeOf<SprintException>().With.Message.Contains(string.Join(", ", missing)).And.Message.EndsWith("choose cpu"));
        else
            Assert.That(() => DeviceSelection.RequireEveryOperation(device), Throws.Nothing);
    }

    [Test]
    public void Devices_tell_which_kernels_they_have()
    {
        using var cpu = new CpuDevice(threads: 1);
        using var dryRun = new DryRunDevice();
        Assert.That((cpu.HasKernels<IAttentionKernels>(), dryRun.HasKernels<IAttentionKernels>()), Is.EqualTo((true, false)));
        Assert.That(DeviceSelection.MissingOperations(dryRun), Is.Empty, "it runs none, and needs none");
    }
}
