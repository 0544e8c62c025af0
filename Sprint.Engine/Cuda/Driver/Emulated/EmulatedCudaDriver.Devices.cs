namespace Sprint.Engine.Cuda;

/// <content>The emulated device.</content>
internal sealed partial class EmulatedCudaDriver
{
    /// <summary>
    /// A device of compute capability 8.0 with the limits and published rates of an A100 (40 GB, SXM), so that occupancy and rooflines are
    /// those of a device that exists. Source: NVIDIA A100 data sheet; CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
    /// </summary>
    public CudaDeviceProperties GetDeviceProperties(int ordinal)
    {
        RequireDevice(ordinal);
        return new CudaDeviceProperties
        {
            Ordinal = ordinal,
            Name = "emulated device (limits of an A100)",
            ComputeCapability = new Version(8, 0),
            TotalMemory = memoryBytes,
            MultiprocessorCount = 108,
            ClockRate = 1_410_000,
            MemoryClockRate = 1_215_000,
            MemoryBusWidth = 5120,
            L2CacheSize = 40 << 20,
            WarpSize = 32,
            MaximumThreadsPerBlock = 1024,
            MaximumBlock = (1024, 1024, 64),
            MaximumGrid = (int.MaxValue, 65535, 65535),
            SharedMemoryPerBlock = SharedBytesWithoutAsking,
            SharedMemoryPerBlockOptIn = options.MaximumSharedBytes,
            SharedMemoryPerMultiprocessor = 164 * 1024,
            ReservedSharedMemoryPerBlock = 1024,
            RegistersPerBlock = 65536,
            RegistersPerMultiprocessor = 65536,
            MaximumThreadsPerMultiprocessor = 2048,
            MaximumBlocksPerMultiprocessor = 32,
            HasMemoryPools = true,
            IsEmulated = true,
        };
    }

    private static void RequireDevice(int ordinal)
    {
        if (ordinal != 0)
        {
            throw new CudaException($"There is no device emulated:{ordinal}: there is one, numbered 0.");
        }
    }
}
