using NUnit.Framework;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Train.Kernels;

/// <content>Launches whose blocks meet.</content>
public sealed partial class KernelsRunTests
{
    [Test]
    public void Blocks_meet_in_a_cooperative_launch_alone()
    {
        string path = folder.Write("cooperative.ptx", EmulatorHarness.Resource("cooperative"));
        const string Sum = "--kernel grid_sum --block 64 --arg i32[9]=poison --arg i32[1]=zeros --arg i32:1";
        Assert.That(Row(Succeed($"run {path} --grid 9 --cooperative {Sum}"), "arg1"), Is.EqualTo("arg1 i32[1] 45 45 45 0 0"));
        Assert.That(Succeed($"profile {path} --grid 9 --cooperative {Sum}"), Does.Contain("grid_sum, grid 9x1x1"));
        CommandResult fault = Run($"run {path} --grid 9 {Sum}");
        Assert.That(fault.ExitCode, Is.EqualTo(1), fault.Error);
        Assert.That(fault.Error, Does.StartWith("The kernel executed trap, as grid.sync() does without a cooperative launch").And.Contain("grid_sum was launched with grid 9x1x1 and block 64x1x1; --cooperative launches it so that its blocks may meet"));
        SprintCommand.Refuse(["kernels", .. Split($"run {path} --grid 4000 --cooperative {Sum}")], "Kernel grid_sum was launched cooperatively with 4000 blocks, which must be resident at once; this device holds 3456: 32 of 64 threads");
    }
}
