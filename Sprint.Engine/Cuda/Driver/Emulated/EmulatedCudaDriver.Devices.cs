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
        MultiprocessorLimits limits = MultiprocessorLimits.Of(80);
        return new CudaDeviceProperties
        {
            Ordinal = ordinal,
            Name = "emulated device (limits of an A100)",
            ComputeCapability = new Version(8, 0),
            TotalMemory = memoryBytes,
            MultiprocessorCount = PublishedRates.A100.Multiprocessors,
            ClockRate = (int)(PublishedRates.A100.Clock / 1e3),
            MemoryClockRate = 1_215_000,
            MemoryBusWidth = 5120,
            L2CacheSize = 40 << 20,
            WarpSize = 32,
            MaximumThreadsPerBlock = 1024,
            MaximumBlock = (1024, 1024, 64),
            MaximumGrid = (int.MaxValue, 65535, 65535),
            SharedMemoryPerBlock = SharedBytesWithoutAsking,
            SharedMemoryPerBlockOptIn = options.MaximumSharedBytes,
            SharedMemoryPerMultiprocessor = limits.SharedBytes,
            ReservedSharedMemoryPerBlock = 1024,
            RegistersPerBlock = RegistersPerBlock,
            RegistersPerMultiprocessor = RegistersPerBlock,
            MaximumThreadsPerMultiprocessor = limits.Warps * 32,
            MaximumBlocksPerMultiprocessor = limits.Blocks,
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
