using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine.Accounting;

[TestFixture]
public sealed class PublishedRatesTests
{
    /// <summary>
    /// Results a clock of a multiprocessor: CUDA C++ Programming Guide, "Arithmetic Instructions"; fused multiply-adds of its tensor cores and their clock: the
    /// white papers named by each GPU; transfers a second and bits of the memory bus: the data sheets.
    /// </summary>
    [TestCase("A100", 64, 32, 256, 1024, 1.41e9, 2 * 1215e6, 5120)]
    [TestCase("H100", 128, 64, 256, 2048, 1.83e9, 2 * 2619e6, 5120)]
    [TestCase("RTX 4090", 128, 2, 128, 256, 2.52e9, 21e9, 384)]
    public void Rates_are_units_times_clock(string name, int single, int twice, int half, int tensor, double tensorClock, double transfers, int busBits)
    {
        PublishedRates rates = PublishedRates.All.Single(rates => rates.Name == name);
        double clocks = 2.0 * rates.Multiprocessors * rates.Clock;
        Assert.That(rates.SingleFlops, Is.EqualTo(single * clocks).Within(0.5).Percent);
        Assert.That(rates.DoubleFlops, Is.EqualTo(twice * clocks).Within(0.5).Percent);
        Assert.That(rates.HalfFlops, Is.EqualTo(half * clocks).Within(0.5).Percent);
        Assert.That(rates.TensorFlops, Is.EqualTo(2.0 * rates.Multiprocessors * tensor * tensorClock).Within(0.5).Percent);
        Assert.That(rates.MemoryBytes, Is.EqualTo(transfers * busBits / 8).Within(0.5).Percent);
    }

    [TestCase("NVIDIA A100-SXM4-40GB", 108, 1_215_000, 5120, "A100", 1555e9)]
    [TestCase("NVIDIA A100-SXM4-80GB", 108, 1_593_000, 5120, "A100", 2039e9)]
    [TestCase("NVIDIA H100 80GB HBM3", 132, 2_619_000, 5120, "H100", 3352e9)]
    [TestCase("NVIDIA H200", 132, 0, 6144, "H200", 4800e9)]
    [TestCase("NVIDIA GeForce RTX 4090", 128, 0, 384, "RTX 4090", 1008e9)]
    [TestCase("NVIDIA H100 PCIe", 114, 1_593_000, 5120, null, 0)]
    [TestCase("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 14, 1_215_000, 640, null, 0)]
    [TestCase("NVIDIA GeForce RTX 4080", 76, 11_201_000, 256, null, 0)]
    public void A_device_has_the_rates_of_its_chip_and_of_its_own_memory(string name, int multiprocessors, int memoryClock, int bus, string? rates, double memory)
    {
        CudaDeviceProperties device = TestDevices.Create(80) with { Name = name, MultiprocessorCount = multiprocessors, MemoryClockRate = memoryClock, MemoryBusWidth = bus };
        PublishedRates? found = PublishedRates.Of(device);
        Assert.That(found?.Name, Is.EqualTo(rates));
        Assert.That(found?.MemoryBytes ?? 0, Is.EqualTo(memory).Within(0.1).Percent);
        Assert.That(found?.TensorFlops, Is.EqualTo(rates is null ? null : PublishedRates.All.Append(PublishedRates.H200).Single(known => known.Name == rates).TensorFlops));
    }
}
