using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Philox against its published answers, fills against single blocks, and what numbers must look like.</summary>
[TestFixture]
public sealed class RandomTests
{
    private const int Many = 1 << 20;

    // The known answers that the authors of the generator publish with it.
    [TestCase(0UL, 0UL, 0UL, 0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U)]
    [TestCase(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU)]
    [TestCase(0x299f31d0_a4093822UL, 0x03707344_13198a2eUL, 0x85a308d3_243f6a88UL, 0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U)]
    public void Blocks_are_the_published_ones(ulong seed, ulong stream, ulong counter, uint word0, uint word1, uint word2, uint word3) =>
        Assert.That(Philox.Block(seed, stream, counter), Is.EqualTo((word0, word1, word2, word3)));

    [TestCase(0U, 0f)]
    [TestCase(uint.MaxValue, 1 - (1f / (1 << 24)))]
    [TestCase(0x80000000U, 0.5f)]
    public void A_word_becomes_a_number_below_one(uint word, float expected) => Assert.That(Philox.Uniform(word), Is.EqualTo(expected));

    [TestCase(0U)]
    [TestCase(uint.MaxValue)]
    public void Extreme_words_give_finite_normals(uint word)
    {
        (float first, float second) = Philox.Normal(word, word);
        Assert.That(float.IsFinite(first) && float.IsFinite(second));
        Assert.That(Math.Abs(first), Is.LessThan(6));
    }

    [Test]
    public void Fills_are_the_blocks_in_order([Values(1, 3, 4, 1023, 5000)] int count, [Values(1, 2, 3)] int threads, [Values] bool normal)
    {
        using var device = new CpuDevice(threads) { PoisonsMemory = true };
        var stream = new RandomStream(11, 22, 33);
        using Tensor fill = normal ? RandomNumbers.Normal(device, new Shape(count), stream) : RandomNumbers.Uniform(device, new Shape(count), stream);
        var expected = new float[count + 3];
        for (int i = 0; i < count; i += 4)
        {
            (uint word0, uint word1, uint word2, uint word3) = Philox.Block(11, 22, 33 + (ulong)(i / 4));
            (float, float) low = normal ? Philox.Normal(word0, word1) : (Philox.Uniform(word0), Philox.Uniform(word1));
            (float, float) high = normal ? Philox.Normal(word2, word3) : (Philox.Uniform(word2), Philox.Uniform(word3));
            (expected[i], expected[i + 1], expected[i + 2], expected[i + 3]) = (low.Item1, low.Item2, high.Item1, high.Item2);
        }

        Comparer.AssertSameBits("fill", fill.ToArray(), expected.AsSpan(0, count));
    }

    [TestCase(TestDevice.Emulated)]
    [TestCase(TestDevice.Cuda, Category = "Gpu")]
    public void Every_device_draws_the_bits_of_the_processor(string name)
    {
        using Device cpu = TestDevice.Open(TestDevice.Cpu);
        using Device device = TestDevice.Open(name);
        foreach (int count in (int[])[1, 3, 4, 1023, 5000])
        {
            var stream = new RandomStream(11, 22, ulong.MaxValue - 100);
            using Tensor expectedUniforms = RandomNumbers.Uniform(cpu, new Shape(count), stream);
            using Tensor uniforms = RandomNumbers.Uniform(device, new Shape(count), stream);
            using Tensor expectedNormals = RandomNumbers.Normal(cpu, new Shape(count), stream);
            using Tensor normals = RandomNumbers.Normal(device, new Shape(count), stream);
            Comparer.AssertSameBits($"{count} uniforms", uniforms.ToArray(), expectedUniforms.ToArray());
            Comparer.AssertSameBits($"{count} normals", normals.ToArray(), expectedNormals.ToArray());
        }
    }

    [Test]
    public void A_part_of_a_fill_has_its_numbers([Values(0, 1, 2, 3, 4, 7, 2048)] int first, [Values(1, 2, 5, 301)] int count, [Values] bool normal)
    {
        using var device = new CpuDevice(threads: 2) { PoisonsMemory = true };
        var stream = new RandomStream(11, 22, 33);
        using Tensor whole = normal ? RandomNumbers.Normal(device, new Shape(first + count), stream) : RandomNumbers.Uniform(device, new Shape(first + count), stream);
        using Tensor part = normal ? RandomNumbers.Normal(device, new Shape(count), stream, first) : RandomNumbers.Uniform(device, new Shape(count), stream, first);
        Comparer.AssertSameBits("part", part.ToArray(), whole.ToArray().AsSpan(first));
        Assert.That(() => RandomNumbers.Normal(device, new Shape(1), stream, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void The_host_draws_the_numbers_of_a_fill()
    {
        using var device = new CpuDevice(threads: 1);
        var stream = new RandomStream(1, 2, 3);
        using Tensor fill = RandomNumbers.Uniform(device, new Shape(9), stream);
        var host = new HostRandom(stream);
        Assert.That(Enumerable.Range(0, 9).Select(_ => host.Uniform()), Is.EqualTo(fill.ToArray()));
    }

    [Test]
    public void Normals_are_normal() => Assert.That(Fault(Normals(new RandomStream(5, 6))), Is.Null);

    // What a wrong generator would give must not pass.
    [Test]
    public void What_is_not_normal_is_found_out()
    {
        float[] normals = Normals(new RandomStream(5, 6));
        using var device = new CpuDevice();
        using Tensor uniforms = RandomNumbers.Uniform(device, new Shape(Many), new RandomStream(5, 6));
        Assert.That(Fault([.. normals.Select(value => value + 0.01f)]), Does.StartWith("mean"));
        Assert.That(Fault([.. normals.Select(value => value * 1.01f)]), Does.StartWith("variance"));
        Assert.That(Fault([.. uniforms.ToArray().Select(value => (value - 0.5f) * MathF.Sqrt(12))]), Does.StartWith("kurtosis"));
        Assert.That(Fault([.. normals.Select((_, i) => normals[i / 2])]), Does.StartWith("correlation"));
        Assert.That(Fault([.. normals.Select((value, i) => i == 7 ? float.NaN : value)]), Does.StartWith("mean"));
    }

    [Test]
    public void Uniforms_fill_all_bins_evenly()
    {
        using var device = new CpuDevice();
        using Tensor fill = RandomNumbers.Uniform(device, new Shape(Many), new RandomStream(7, 8));
        float[] values = fill.ToArray();
        Assert.That(values, Is.All.InRange(0f, 1 - (1f / (1 << 24))));
        var bins = new int[256];
        foreach (float value in values)
            bins[(int)(value * bins.Length)]++;
        double expected = (double)Many / bins.Length;
        double chiSquared = bins.Sum(count => (count - expected) * (count - expected) / expected);

        // 255 degrees of freedom: 255 on average, deviation 22.6.
        Assert.That(chiSquared, Is.InRange(255 - (4 * 22.6), 255 + (4 * 22.6)));
    }

    [Test]
    public void Streams_seeds_and_counters_give_unrelated_numbers()
    {
        float[] normals = Normals(new RandomStream(5, 6));
        foreach (RandomStream other in (RandomStream[])[new(5, 7), new(6, 6), new(5, 6, 1UL << 40)])
        {
            float[] others = Normals(other);
            double correlation = normals.Zip(others, (a, b) => (double)a * b).Average();
            Assert.That(Math.Abs(correlation), Is.LessThan(4 / Math.Sqrt(Many)), other.ToString());
        }
    }

    private static float[] Normals(RandomStream stream)
    {
        using var device = new CpuDevice();
        using Tensor fill = RandomNumbers.Normal(device, new Shape(Many), stream);
        return fill.ToArray();
    }

    /// <summary>The first moment that is more than four deviations from that of a normal distribution, or null.</summary>
    private static string? Fault(float[] values)
    {
        double n = values.Length, mean = 0, square = 0, cube = 0, fourth = 0, neighbours = 0, tail = 0;
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            mean += value / n;
            square += value * value / n;
            cube += value * value * value / n;
            fourth += value * value * value * value / n;
            neighbours += value * values[(i + 1) % values.Length] / n;
            tail += Math.Abs(value) > 3 ? 1 / n : 0;
        }

        return !(Math.Abs(mean) <= 4 / Math.Sqrt(n)) ? $"mean {mean}"
            : !(Math.Abs(square - 1) <= 4 * Math.Sqrt(2 / n)) ? $"variance {square}"
            : !(Math.Abs(cube) <= 4 * Math.Sqrt(15 / n)) ? $"skewness {cube}"
            : !(Math.Abs(fourth - 3) <= 4 * Math.Sqrt(96 / n)) ? $"kurtosis {fourth}"
            : !(Math.Abs(neighbours) <= 4 / Math.Sqrt(n)) ? $"correlation {neighbours}"
            : !(Math.Abs(tail - 0.0026998) <= 4 * Math.Sqrt(0.0026998 / n)) ? $"tail {tail}"
            : null;
    }
}
