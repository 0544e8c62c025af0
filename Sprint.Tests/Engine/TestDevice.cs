using Sprint.Engine;
using Sprint.Engine.Emulation;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine;

/// <summary>
/// The devices that one test body runs on: a fixture with <c>[TestFixture(TestDevice.Cpu)]</c>, <c>[TestFixture(TestDevice.Emulated)]</c> and
/// <c>[TestFixture(TestDevice.Cuda, Category = "Gpu")]</c>. Memory is poisoned before it is handed out.
/// </summary>
internal static class TestDevice
{
    internal const string Cpu = "cpu";
    internal const string Emulated = "emulated";
    internal const string Cuda = "cuda";

    /// <summary>Opens a device.</summary>
    /// <param name="name">One of the names above; <see cref="Cuda"/> without a GPU makes the test ignored.</param>
    /// <param name="variant">From 1 on: that many threads; on an emulated device also another order of warps for each.</param>
    internal static Device Open(string name, int variant = 2) => name switch
    {
        Cpu => new CpuDevice(variant) { PoisonsMemory = true },
        Emulated => CudaDevice.Emulated(Options(variant)),
        _ => new CudaDevice(CudaRequirements.RequireGpu()) { PoisonsMemory = true },
    };

    /// <summary>What a variant is, for messages.</summary>
    internal static string Describe(string name, int variant) => name switch
    {
        Cpu => $"{variant} threads",
        Emulated => $"schedule seed {Options(variant).ScheduleSeed} and {variant} workers",
        _ => $"run {variant}",
    };

    private static EmulationOptions Options(int variant) => new() { Workers = variant, ScheduleSeed = (ulong)(variant - 1) * 0x9e3779b97f4a7c15 };
}
