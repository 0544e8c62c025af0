using NUnit.Framework;
using Sprint.Engine;

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
}
