using Sprint.Engine.Cuda;

namespace Sprint.Engine;

/// <summary>
/// The rates of a GPU as its maker publishes them, without sparsity: what no kernel exceeds. Each arithmetic rate is operations a clock of a multiprocessor
/// (CUDA C++ Programming Guide, "Arithmetic Instructions") times multiprocessors times clock.
/// </summary>
/// <param name="Name">The GPU.</param>
/// <param name="MemoryBytes">Bytes a second of device memory.</param>
/// <param name="SingleFlops">32-bit floating-point operations a second outside tensor cores, a fused multiply-add counting 2.</param>
/// <param name="DoubleFlops">64-bit floating-point operations a second outside tensor cores.</param>
/// <param name="HalfFlops">float16 operations a second outside tensor cores; bfloat16 has half of that on compute capability 8.0, else the same.</param>
/// <param name="TensorFlops">Operations a second of tensor cores on dense bfloat16 with float32 accumulation.</param>
/// <param name="Multiprocessors">Streaming multiprocessors, each with four schedulers and one path of 128 bytes a clock to shared memory.</param>
/// <param name="Clock">Boost clock in Hz.</param>
public sealed record PublishedRates(
    string Name, double MemoryBytes, double SingleFlops, double DoubleFlops, double HalfFlops, double TensorFlops, int Multiprocessors, double Clock)
{
    /// <summary>A100 SXM4 with 40 GB of HBM2; that with 80 GB differs in its memory, of 2,039 GB/s. Source: NVIDIA A100 Tensor Core GPU Architecture and the A100 data sheet.</summary>
    public static PublishedRates A100 { get; } = new("A100", 1555e9, 19.5e12, 9.7e12, 78e12, 312e12, 108, 1.41e9);

    /// <summary>
    /// H100 SXM5 with 80 GB of HBM3; tensor cores are rated at 1.83 GHz, all else at 1.98 GHz. Source: NVIDIA H100 Tensor Core GPU Architecture and the H100 data sheet.
    /// </summary>
    public static PublishedRates H100 { get; } = new("H100", 3350e9, 66.9e12, 33.5e12, 133.8e12, 989.4e12, 132, 1.98e9);

    /// <summary>H200 SXM: the H100's processor with 141 GB of HBM3e. Source: the H200 data sheet.</summary>
    public static PublishedRates H200 { get; } = H100 with { Name = "H200", MemoryBytes = 4800e9 };

    /// <summary>GeForce RTX 4090. Source: NVIDIA Ada GPU Architecture, appendix A.</summary>
    public static PublishedRates Rtx4090 { get; } = new("RTX 4090", 1008e9, 82.6e12, 1.29e12, 82.6e12, 165.2e12, 128, 2.52e9);

    /// <summary>One of each generation, for tables that set GPUs side by side.</summary>
    public static IReadOnlyList<PublishedRates> All { get; } = [A100, H100, Rtx4090];

    private static IReadOnlyList<PublishedRates> Known { get; } = [.. All, H200];

    /// <summary>
    /// The rates of a device, null where it is none of these: its name must say so and its multiprocessors be as many, as an H100 for PCIe or an A100 slice
    /// has other rates. The memory's rate is what the driver tells of its clock and bus, where it does: an A100 with 80 GB has faster memory than one with 40.
    /// </summary>
    /// <param name="device">The device.</param>
    public static PublishedRates? Of(CudaDeviceProperties device)
    {
        ArgumentNullException.ThrowIfNull(device);
        PublishedRates? rates = Known.FirstOrDefault(
            rates => device.Name.Contains(rates.Name, StringComparison.OrdinalIgnoreCase) && device.MultiprocessorCount == rates.Multiprocessors);
        return device.PeakMemoryBandwidth > 0 && rates is not null ? rates with { MemoryBytes = device.PeakMemoryBandwidth } : rates;
    }
}
