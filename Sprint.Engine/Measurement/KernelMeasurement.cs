using Sprint.Engine.Emulation;

namespace Sprint.Engine.Measurement;

/// <summary>One launch of a workload, as counted by the emulator or timed on a GPU.</summary>
/// <param name="Workload">What was run.</param>
/// <param name="Element">How tensors are stored.</param>
/// <param name="Launch">The launch.</param>
/// <param name="Least">What it must do at the least, or null for a small helper of the kernel before it.</param>
/// <param name="Counted">What the emulator counted, or null.</param>
/// <param name="Seconds">The median time of several runs on a GPU, from one event of the stream to the next, or null.</param>
public sealed record KernelMeasurement(
    string Workload, ElementType Element, LaunchDescription Launch, KernelTraffic? Least, LaunchStatistics? Counted, double? Seconds)
{
    /// <summary>Floating-point operations: of the products where the kernel has any, else as the emulator counted.</summary>
    public long Flops => Least is { TensorFlops: > 0 } ? Least.TensorFlops : Counted?.SingleFlops ?? 0;

    /// <summary>Whether <see cref="Flops"/> run on tensor cores.</summary>
    public bool UsesTensorCores => Element == ElementType.BFloat16 && Least is { TensorFlops: > 0 };

    /// <summary>The least time on a GPU: that of its bytes or of its operations at the published rate, whichever is longer.</summary>
    /// <param name="rates">The GPU.</param>
    /// <returns>Seconds, and whether memory is the bound.</returns>
    public (double Seconds, bool BoundByMemory) Roof(PublishedRates rates)
    {
        ArgumentNullException.ThrowIfNull(rates);
        double memory = (Least?.Bytes ?? 0) / rates.MemoryBytes;
        double arithmetic = Flops / (UsesTensorCores ? rates.TensorFlops : rates.SingleFlops);
        return (Math.Max(memory, arithmetic), memory >= arithmetic);
    }
}
