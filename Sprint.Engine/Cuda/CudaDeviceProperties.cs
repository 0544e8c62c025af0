namespace Sprint.Engine.Cuda;

/// <summary>What is to be known of a CUDA device before a kernel is compiled for it or launched on it.</summary>
public sealed record CudaDeviceProperties
{
    /// <summary>The device's number, from 0.</summary>
    public required int Ordinal { get; init; }

    /// <summary>The marketing name.</summary>
    public required string Name { get; init; }

    /// <summary>Compute capability, e.g. 8.0.</summary>
    public required Version ComputeCapability { get; init; }

    /// <summary>Bytes of device memory.</summary>
    public required long TotalMemory { get; init; }

    /// <summary>Streaming multiprocessors.</summary>
    public required int MultiprocessorCount { get; init; }

    /// <summary>Core clock in kHz.</summary>
    public required int ClockRate { get; init; }

    /// <summary>Memory clock in kHz.</summary>
    public required int MemoryClockRate { get; init; }

    /// <summary>Memory bus width in bits.</summary>
    public required int MemoryBusWidth { get; init; }

    /// <summary>Bytes of second-level cache.</summary>
    public required int L2CacheSize { get; init; }

    /// <summary>Threads a warp.</summary>
    public required int WarpSize { get; init; }

    /// <summary>Most threads a block.</summary>
    public required int MaximumThreadsPerBlock { get; init; }

    /// <summary>Most threads a block along each axis.</summary>
    public required Dim3 MaximumBlock { get; init; }

    /// <summary>Most blocks a grid along each axis.</summary>
    public required Dim3 MaximumGrid { get; init; }

    /// <summary>Bytes of shared memory a block gets without asking.</summary>
    public required int SharedMemoryPerBlock { get; init; }

    /// <summary>Bytes of shared memory a block can ask for.</summary>
    public required int SharedMemoryPerBlockOptIn { get; init; }

    /// <summary>Bytes of shared memory of a multiprocessor.</summary>
    public required int SharedMemoryPerMultiprocessor { get; init; }

    /// <summary>Bytes of shared memory that the system takes of each block.</summary>
    public required int ReservedSharedMemoryPerBlock { get; init; }

    /// <summary>32-bit registers of a block.</summary>
    public required int RegistersPerBlock { get; init; }

    /// <summary>32-bit registers of a multiprocessor.</summary>
    public required int RegistersPerMultiprocessor { get; init; }

    /// <summary>Most resident threads of a multiprocessor.</summary>
    public required int MaximumThreadsPerMultiprocessor { get; init; }

    /// <summary>Most resident blocks of a multiprocessor.</summary>
    public required int MaximumBlocksPerMultiprocessor { get; init; }

    /// <summary>Whether memory can be allocated in the order of a stream.</summary>
    public required bool HasMemoryPools { get; init; }

    /// <summary>Whether the device is emulated: it runs PTX and no machine code, and watches every byte of its memory.</summary>
    public bool IsEmulated { get; init; }

    /// <summary>Compute capability as NVRTC numbers it: 80 for 8.0, 120 for 12.0.</summary>
    public int Architecture => (ComputeCapability.Major * 10) + ComputeCapability.Minor;

    /// <summary>Published-style peak memory bandwidth in bytes a second: two transfers a clock over the whole bus.</summary>
    public double PeakMemoryBandwidth => 2.0 * MemoryClockRate * 1e3 * (MemoryBusWidth / 8.0);
}
