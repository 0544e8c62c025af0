using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

internal static class TestDevices
{
    /// <summary>A device with the limits of an A100, of any architecture.</summary>
    public static CudaDeviceProperties Create(int architecture) => new()
    {
        Ordinal = 0,
        Name = "test device",
        ComputeCapability = new Version(architecture / 10, architecture % 10),
        TotalMemory = 1L << 30,
        MultiprocessorCount = 108,
        ClockRate = 1_410_000,
        MemoryClockRate = 1_215_000,
        MemoryBusWidth = 5120,
        L2CacheSize = 40 << 20,
        WarpSize = 32,
        MaximumThreadsPerBlock = 1024,
        MaximumBlock = (1024, 1024, 64),
        MaximumGrid = (int.MaxValue, 65535, 65535),
        SharedMemoryPerBlock = 48 * 1024,
        SharedMemoryPerBlockOptIn = 163 * 1024,
        SharedMemoryPerMultiprocessor = 164 * 1024,
        ReservedSharedMemoryPerBlock = 1024,
        RegistersPerBlock = 65536,
        RegistersPerMultiprocessor = 65536,
        MaximumThreadsPerMultiprocessor = 2048,
        MaximumBlocksPerMultiprocessor = 32,
        HasMemoryPools = true,
    };
}
