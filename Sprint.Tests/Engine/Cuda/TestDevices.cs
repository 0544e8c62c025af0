using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

internal static class TestDevices
{
    /// <summary>A device with the limits of the emulated one, of any architecture, that counts as a GPU.</summary>
    public static CudaDeviceProperties Create(int architecture) => new EmulatedCudaDriver(EmulationOptions.Default, null, 1L << 30).GetDeviceProperties(0) with
    {
        Name = "test device",
        ComputeCapability = new Version(architecture / 10, architecture % 10),
        IsEmulated = false,
    };
}
