namespace Sprint.Engine.Cuda;

/// <summary>The statuses that the engine treats in a way of their own (CUresult).</summary>
internal static class DriverStatus
{
    public const int Success = 0;
    public const int InvalidValue = 1;
    public const int OutOfMemory = 2;
    public const int NotInitialized = 3;
    public const int NoDevice = 100;
    public const int InvalidDevice = 101;
    public const int NoBinaryForGpu = 209;
    public const int InvalidPtx = 218;
    public const int UnsupportedPtxVersion = 222;
    public const int InvalidHandle = 400;
    public const int NotFound = 500;
    public const int NotReady = 600;
    public const int IllegalAddress = 700;
    public const int LaunchOutOfResources = 701;
    public const int LaunchTimeout = 702;
    public const int Assert = 710;
    public const int HardwareStackError = 714;
    public const int MisalignedAddress = 716;
    public const int LaunchFailed = 719;
    public const int CaptureUnsupported = 900;
    public const int CaptureInvalidated = 901;

    /// <summary>Whether the context is lost: every later call fails with the same status.</summary>
    public static bool LosesContext(int status) =>
        status is IllegalAddress or LaunchTimeout or Assert or (>= HardwareStackError and <= LaunchFailed);

    /// <summary>The sentence for memory that a device does not have.</summary>
    /// <param name="call">The call that asked for it.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="memory">The device's memory, or null where it is not known.</param>
    public static CudaException OutOfMemoryFailure(string call, long bytes, CudaMemoryInformation? memory)
    {
        string state = memory is { } known ? $"{Mebibytes(known.FreeBytes)} of {Mebibytes(known.TotalBytes)} are free" : "how much is free is not known";
        return new CudaException($"{call} could not allocate {Mebibytes(bytes)} of device memory: {state}; lower the batch size or turn on activation checkpointing.")
        {
            ErrorCode = OutOfMemory,
            ErrorName = "CUDA_ERROR_OUT_OF_MEMORY",
            Call = call,
        };
    }

    private static string Mebibytes(long bytes) => $"{bytes / (1024.0 * 1024.0):0.0} MiB";
}

/// <summary>CUdevice_attribute.</summary>
internal enum DeviceAttribute
{
    MaximumThreadsPerBlock = 1,
    MaximumBlockX = 2,
    MaximumBlockY = 3,
    MaximumBlockZ = 4,
    MaximumGridX = 5,
    MaximumGridY = 6,
    MaximumGridZ = 7,
    SharedMemoryPerBlock = 8,
    WarpSize = 10,
    RegistersPerBlock = 12,
    ClockRate = 13,
    MultiprocessorCount = 16,
    MemoryClockRate = 36,
    MemoryBusWidth = 37,
    L2CacheSize = 38,
    MaximumThreadsPerMultiprocessor = 39,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    SharedMemoryPerMultiprocessor = 81,
    RegistersPerMultiprocessor = 82,
    SharedMemoryPerBlockOptIn = 97,
    MaximumBlocksPerMultiprocessor = 106,
    ReservedSharedMemoryPerBlock = 111,
    MemoryPoolsSupported = 115,
}

/// <summary>CUjit_option.</summary>
internal enum JitOption
{
    InformationLogBuffer = 3,
    InformationLogSize = 4,
    ErrorLogBuffer = 5,
    ErrorLogSize = 6,
    GenerateLineInformation = 13,
}

/// <summary>CUmemPool_attribute.</summary>
internal enum MemoryPoolAttribute
{
    ReleaseThreshold = 4,
}

/// <summary>CU_MEMHOSTALLOC flags.</summary>
[Flags]
internal enum PinnedMemoryFlags : uint
{
    None = 0,
    Portable = 1,
}

/// <summary>CUstream_flags.</summary>
[Flags]
internal enum StreamFlags : uint
{
    None = 0,
    NonBlocking = 1,
}

/// <summary>CUevent_flags.</summary>
[Flags]
internal enum EventFlags : uint
{
    None = 0,
    DisableTiming = 2,
}

/// <summary>CUstreamCaptureMode.</summary>
internal enum CaptureMode
{
    Global = 0,
    ThreadLocal = 1,
    Relaxed = 2,
}
