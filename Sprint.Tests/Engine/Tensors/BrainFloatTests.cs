using NUnit.Framework;
using Sprint.Engine;

namespace Sprint.Tests.Engine.Tensors;

[TestFixture]
public sealed class BrainFloatTests
{
    /// <summary>Every upper half with lower halves around a tie, infinities and NaN included.</summary>
    [Test]
    public void Many_numbers_are_rounded_as_each_alone_is()
    {
        uint[] lower = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff];
        float[] values = [.. Enumerable.Range(0, 1 << 16).SelectMany(upper => lower.Select(low => BitConverter.UInt32BitsToSingle(((uint)upper << 16) | low)))];
        var bits = new ushort[values.Length];
        BrainFloat.Narrow(values, bits);
        Assert.That(bits, Is.EqualTo(Array.ConvertAll(values, BrainFloat.Narrow)));
    }

    [Test]
    public void Any_length_will_do()
    {
        float[] values = [.. Enumerable.Range(0, 100).Select(i => i * 0.37f)];
        for (int length = 0; length <= values.Length; length++)
        {
            var bits = new ushort[length];
            BrainFloat.Narrow(values.AsSpan(0, length), bits);
            Assert.That(bits, Is.EqualTo(values.Take(length).Select(BrainFloat.Narrow)));
        }

        Assert.That(() => BrainFloat.Narrow(values, new ushort[99]), Throws.ArgumentException.With.Message.Contains("100 numbers do not fit 99"));
    }
}
