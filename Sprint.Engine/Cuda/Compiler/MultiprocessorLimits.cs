namespace Sprint.Engine.Cuda;

/// <summary>
/// What a multiprocessor of an architecture holds at most, so that occupancy can be told without a device.
/// Source: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
/// </summary>
/// <param name="Warps">Resident warps.</param>
/// <param name="Blocks">Resident blocks.</param>
/// <param name="SharedBytes">Bytes of shared memory.</param>
/// <param name="SharedBytesPerBlock">Bytes of shared memory that one block can ask for.</param>
public sealed record MultiprocessorLimits(int Warps, int Blocks, int SharedBytes, int SharedBytesPerBlock)
{
    private const int WarpSize = 32;
    private const int Registers = 65536;
    private const int Partitions = 4;
    private const int RegisterGranularity = 256;
    private const int SharedGranularity = 128;
    private const int ReservedSharedBytes = 1024;
    private const int MostThreadsPerBlock = 1024;
    private const int Kibibyte = 1024;

    /// <summary>The limits of an architecture.</summary>
    /// <param name="architecture">80, 86, 87, 89 or 90.</param>
    /// <exception cref="SprintException">The architecture is not in the table.</exception>
    public static MultiprocessorLimits Of(int architecture) => architecture switch
    {
        80 => new(64, 32, 164 * Kibibyte, 163 * Kibibyte),
        86 => new(48, 16, 100 * Kibibyte, 99 * Kibibyte),
        87 => new(48, 16, 164 * Kibibyte, 163 * Kibibyte),
        89 => new(48, 24, 100 * Kibibyte, 99 * Kibibyte),
        90 => new(64, 32, 228 * Kibibyte, 227 * Kibibyte),
        _ => throw new SprintException($"The limits of sm_{architecture} are not known: ask for 80, 86, 87, 89 or 90, or measure occupancy on a device."),
    };

    /// <summary>How well blocks of a kernel fill a multiprocessor, as the driver's own calculation has it.</summary>
    /// <param name="kernel">What the kernel needs.</param>
    /// <param name="blockThreads">Threads a block, from 1 to 1,024.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
    /// <returns>The occupancy; no blocks where one does not fit.</returns>
    public CudaOccupancy GetOccupancy(KernelResources kernel, int blockThreads, int dynamicSharedBytes = 0)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockThreads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockThreads, MostThreadsPerBlock);
        ArgumentOutOfRangeException.ThrowIfNegative(dynamicSharedBytes);
        int warps = (blockThreads + WarpSize - 1) / WarpSize;

        // Registers are given to a warp in units, by the quarter of the multiprocessor that runs it.
        int registersPerWarp = RoundUp(Math.Max(1, kernel.Registers) * WarpSize, RegisterGranularity);
        int warpsByRegisters = Registers / Partitions / registersPerWarp * Partitions;
        long shared = (long)kernel.SharedBytes + dynamicSharedBytes;
        int blocksByShared = shared > SharedBytesPerBlock ? 0 : SharedBytes / RoundUp((int)shared + ReservedSharedBytes, SharedGranularity);
        int blocks = Math.Min(Math.Min(Blocks, Warps / warps), Math.Min(warpsByRegisters / warps, blocksByShared));
        return new CudaOccupancy(blocks, blocks * warps, Warps);
    }

    private static int RoundUp(int value, int granularity) => (value + granularity - 1) / granularity * granularity;
}
