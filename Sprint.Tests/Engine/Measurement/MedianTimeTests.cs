using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Measurement;

namespace Sprint.Tests.Engine.Measurement;

[TestFixture]
public sealed class MedianTimeTests
{
    [TestCase(new[] { 3.0, 1, 2 }, 2)]
    [TestCase(new[] { 4.0, 1, 3, 2 }, 2.5)]
    [TestCase(new[] { 7.0 }, 7)]
    public void The_median_is_the_middle_or_the_mean_of_the_two_middle_ones(double[] values, double median) => Assert.That(MedianTime.Median(values), Is.EqualTo(median));

    [Test]
    public void Work_runs_as_often_as_asked_and_its_time_is_a_number()
    {
        using CudaDevice device = CudaDevice.Emulated();
        int runs = 0;
        double seconds = MedianTime.Of(device, 3, () =>
        {
            runs++;
            Thread.Sleep(1);
        });
        Assert.That(runs, Is.EqualTo(3));
        Assert.That(seconds, Is.GreaterThanOrEqualTo(0).And.LessThan(double.PositiveInfinity));
        Assert.That(() => MedianTime.Of(device, 0, () => { }), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
