using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class MultiprocessorLimitsTests
{
    [TestCase(80, 32, 0, 256, 0, 8, 64, Description = "threads")]
    [TestCase(80, 64, 0, 256, 0, 4, 32, Description = "registers")]
    [TestCase(80, 128, 0, 512, 0, 1, 16, Description = "registers of half the threads")]
    [TestCase(80, 255, 0, 1024, 0, 0, 0, Description = "too many registers for the block")]
    [TestCase(80, 16, 0, 32, 0, 32, 32, Description = "blocks")]
    [TestCase(86, 16, 0, 32, 0, 16, 16, Description = "blocks")]
    [TestCase(89, 40, 0, 128, 0, 12, 48, Description = "warps")]
    [TestCase(80, 33, 0, 1024, 0, 1, 32, Description = "33 registers round up to 40")]
    [TestCase(80, 32, 16384, 128, 33792, 3, 12, Description = "shared memory and the reserved kilobyte")]
    [TestCase(90, 168, 0, 384, 232448, 1, 12, Description = "all the shared memory of a block")]
    [TestCase(90, 168, 1, 384, 232448, 0, 0, Description = "one byte more")]
    [TestCase(80, 24, 0, 33, 0, 32, 64, Description = "a started warp counts whole")]
    public void OccupancyFollowsTheScarcestResource(int architecture, int registers, int shared, int threads, int dynamicShared, int blocks, int warps)
    {
        KernelResources kernel = new("kernel", $"sm_{architecture}", registers, 0, 0, 0, shared, 0);
        CudaOccupancy occupancy = MultiprocessorLimits.Of(architecture).GetOccupancy(kernel, threads, dynamicShared);
        Assert.That((occupancy.Blocks, occupancy.Warps), Is.EqualTo((blocks, warps)));
    }

    [Test]
    public void UnknownArchitecturesAndBlocksAreRefused()
    {
        Assert.That(() => MultiprocessorLimits.Of(75), Throws.InstanceOf<SprintException>().With.Message.Contains("sm_75"));
        KernelResources kernel = new("kernel", "sm_80", 32, 0, 0, 0, 0, 0);
        Assert.That(() => MultiprocessorLimits.Of(80).GetOccupancy(kernel, 1025), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => MultiprocessorLimits.Of(80).GetOccupancy(kernel, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
