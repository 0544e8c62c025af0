using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Train;

namespace Sprint.Tests.Train.Kernels;

[TestFixture]
public sealed class BufferSummaryTests
{
    [Test]
    public void Only_written_numbers_count_and_the_rest_is_told_apart()
    {
        float[] values = [1, float.NaN, -3, 8, float.NaN];
        BufferSummary summary = Of(values, [true, true, true, false, false]);
        Assert.That(summary, Is.EqualTo(new BufferSummary(2, -3, 1, -1, 1, 2)));
    }

    [Test]
    public void A_buffer_without_numbers_has_no_extremes()
    {
        BufferSummary summary = Of([float.NaN], null);
        Assert.That((summary.Numbers, summary.NotANumber, summary.NeverWritten), Is.EqualTo((0, 1, (int?)null)));
        Assert.That((summary.Minimum, summary.Maximum, summary.Mean), Is.EqualTo((double.NaN, double.NaN, double.NaN)));
    }

    [Test]
    public void The_mean_of_great_numbers_does_not_overflow() =>
        Assert.That(BufferSummary.Of(SafetensorsDataType.F64, MemoryMarshal.AsBytes<double>([1.7e308, 1.7e308, 1.7e308]), null).Mean, Is.EqualTo(1.7e308).Within(1e294));

    [TestCase(new[] { float.NegativeInfinity, float.NegativeInfinity, 1 }, double.NegativeInfinity)]
    [TestCase(new[] { 1, float.PositiveInfinity, 2 }, double.PositiveInfinity)]
    [TestCase(new[] { float.PositiveInfinity, float.NegativeInfinity }, double.NaN)]
    public void Infinities_have_the_mean_that_their_sum_says(float[] values, double mean) => Assert.That(Of(values, null).Mean, Is.EqualTo(mean));

    /// <summary>Of what is not written, the last byte is missing.</summary>
    private static BufferSummary Of(float[] values, bool[]? written) => BufferSummary.Of(
        SafetensorsDataType.F32, MemoryMarshal.AsBytes<float>(values), written is null ? null : [.. written.SelectMany(static element => new[] { true, true, true, element })]);
}
