using System.Runtime.Intrinsics;
using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

/// <summary>Partial loads and stores touch what they should and nothing else; reductions have one order.</summary>
[TestFixture]
public sealed unsafe class VectorMemoryTests
{
    [Test]
    public void LoadPartial_reads_the_first_lanes_and_fills_with_zeros([Range(0, 16)] int count)
    {
        float* source = stackalloc float[32];
        for (int index = 0; index < 32; index++)
            source[index] = index + 1;
        Vector512<float> value = VectorMemory.LoadPartial(source, count);
        for (int lane = 0; lane < 16; lane++)
            Assert.That(value[lane], Is.EqualTo(lane < count ? lane + 1f : 0f), $"lane {lane}");
    }

    [Test]
    public void StorePartial_writes_the_first_lanes_only([Range(0, 16)] int count)
    {
        float* destination = stackalloc float[32];
        new Span<float>(destination, 32).Fill(-7);
        VectorMemory.StorePartial(Vector512.CreateSequence(1f, 1f), destination, count);
        for (int index = 0; index < 32; index++)
            Assert.That(destination[index], Is.EqualTo(index < count ? index + 1f : -7f), $"element {index}");
    }

    [Test]
    public void Sum_adds_by_halves()
    {
        Random random = new(5);
        for (int round = 0; round < 100; round++)
        {
            float[] lanes = [.. Enumerable.Range(0, 16).Select(_ => (float)(random.NextDouble() * 2 - 1))];
            float[] partial = [.. lanes];
            for (int width = 8; width > 0; width /= 2)
            {
                for (int lane = 0; lane < width; lane++)
                    partial[lane] += partial[lane + width];
            }

            Assert.That(VectorMemory.Sum(Vector512.Create(lanes)), Is.EqualTo(partial[0]));
            Assert.That(VectorMemory.Max(Vector512.Create(lanes)), Is.EqualTo(lanes.Max()));
        }
    }
}
