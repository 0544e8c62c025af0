using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Kernels that use CUDA's own headers: 16-bit arithmetic, cooperative groups, wmma, pipeline primitives.</summary>
public sealed class HeaderKernelTests
{
    private EmulatorHarness harness = null!;

    [SetUp]
    public void Load() => harness = EmulatorHarness.FromResource("headers");

    [TearDown]
    public void Unload() => harness.Dispose();

    private static float[] Small(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(-16, 17) / 8f)];
    }

    private static ushort Half(double x) => double.IsNaN(x) ? (ushort)0x7FFF : BitConverter.HalfToUInt16Bits((Half)x);

    private static float Wide(ushort x) => (float)BitConverter.UInt16BitsToHalf(x);

    private static ushort Brain(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? (ushort)0x7FFF : (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    private static float WideBrain(ushort x) => BitConverter.UInt32BitsToSingle((uint)x << 16);

    private static uint Pair(ushort low, ushort high) => low | (uint)high << 16;

    [Test]
    public void A_fault_inside_a_header_names_the_line_of_the_kernel_that_calls_it()
    {
        EmulationException fault = harness.LaunchFault("half_arithmetic", new(1), new(32), 0, 0UL, 0UL, 0UL, 32);
        Assert.That(fault.Message, Does.Contain("cuda_fp16.hpp:319, inlined at headers.cu:15, PTX line"));
        Assert.That((fault.SourceFile, fault.SourceLine, fault.CallerFile, fault.CallerLine), Is.EqualTo(("cuda_fp16.hpp", 319, "headers.cu", 15)));
    }

    [Test]
    public void Arithmetic_on_pairs_of_halves_is_right()
    {
        ushort[] a = [.. Small(64, 1).Select(x => Half(x * 1.37))], b = [.. Small(64, 2).Select(x => Half(x * 0.77 + 0.05))];
        Func<float, float, double>[] each =
        [
            (x, y) => x + y, (x, y) => x - y, (x, y) => (double)x * y, (x, y) => (double)x * y + x, (x, y) => -x, (x, y) => Math.Abs(x), (x, y) => Math.Max(x, y), (x, y) => Math.Min(x, y),
            (x, y) => x == y ? 1 : 0, (x, y) => x < y ? 1 : 0, (x, y) => x >= y ? 1 : 0, (x, y) => Math.Clamp(x + y, 0, 1),
        ];
        uint[] rows = Run("half_arithmetic", a, b, 24);
        for (int row = 0; row < each.Length; row++)
        {
            for (int i = 0; i < 32; i++)
                Assert.That(rows[row * 32 + i], Is.EqualTo(Pair(Half(each[row](Wide(a[2 * i]), Wide(b[2 * i]))), Half(each[row](Wide(a[2 * i + 1]), Wide(b[2 * i + 1]))))).Or.EqualTo(Pair(0x8000, 0x8000)), $"row {row}, element {i}");
        }
        for (int i = 0; i < 32; i++)
        {
            (float low, float high) = (Wide(a[2 * i]), Wide(a[2 * i + 1]));
            Assert.That(rows[16 * 32 + i], Is.EqualTo(Pair(low > Wide(b[2 * i]) ? a[2 * i] : b[2 * i + 1], Half(high * 0.5f))));
            Assert.That(rows[18 * 32 + i], Is.EqualTo(Pair(a[2 * i], b[2 * i])));
            Assert.That(rows[21 * 32 + i], Is.EqualTo(Pair(a[2 * i + 1], a[2 * i])));
            Assert.That(rows[22 * 32 + i], Is.EqualTo(Pair(Half(i - 5), Half(i * 3))));
            Assert.That(rows[23 * 32 + i], Is.EqualTo(Pair(a[2 * (i ^ 1)], a[2 * (i ^ 1) + 1])));
        }
    }

    [Test]
    public void Arithmetic_on_pairs_of_bfloat16_is_right()
    {
        ushort[] a = [.. Small(64, 3).Select(x => Brain(x * 1.37f))], b = [.. Small(64, 4).Select(x => Brain(x * 0.77f + 0.05f))];
        Func<float, float, float>[] each =
        [
            (x, y) => x + y, (x, y) => x - y, (x, y) => x * y, (x, y) => (float)((double)x * y + x), (x, y) => -x, (x, y) => Math.Abs(x), (x, y) => Math.Max(x, y), (x, y) => Math.Min(x, y),
        ];
        uint[] rows = Run("bfloat_arithmetic", a, b, 12);
        for (int row = 0; row < each.Length; row++)
        {
            for (int i = 0; i < 32; i++)
                Assert.That(rows[row * 32 + i], Is.EqualTo(Pair(Brain(each[row](WideBrain(a[2 * i]), WideBrain(b[2 * i]))), Brain(each[row](WideBrain(a[2 * i + 1]), WideBrain(b[2 * i + 1]))))).Or.EqualTo(Pair(0x8000, 0x8000)), $"row {row}, element {i}");
        }
    }

    private uint[] Run(string kernel, ushort[] a, ushort[] b, int rows)
    {
        ulong target = harness.Reserve<uint>(32 * rows);
        harness.Launch(kernel, new(1), new(32), 0, harness.Upload(a), harness.Upload(b), target, 32);
        return harness.Download<uint>(target, 32 * rows);
    }

    [Test]
    public void Atomics_on_16_bits_add_up()
    {
        ulong pair = harness.Upload(new uint[1]), single = harness.Upload(new ushort[2]), brain = harness.Upload(new uint[1]);
        LaunchStatistics statistics = harness.Launch("half_atomics", new(2), new(64), 0, pair, single, brain);
        Assert.That(harness.Download<uint>(pair, 1)[0], Is.EqualTo(Pair(Half(128), Half(64))));
        Assert.That(harness.Download<ushort>(single, 1)[0], Is.EqualTo(Half(128)));
        Assert.That(harness.Download<uint>(brain, 1)[0], Is.EqualTo(Pair(Brain(128), Brain(256))));
        Assert.That(statistics.UsesFloatAtomics, Is.True);
    }

    [Test]
    public void Cooperative_groups_do_what_they_say([Values(0, 5, 9)] int seed)
    {
        harness.Options = new EmulationOptions { ScheduleSeed = (ulong)seed };
        Random random = new(5);
        int[] input = [.. Enumerable.Range(0, 96).Select(_ => random.Next(1000))];
        ulong target = harness.Reserve<int>(96 * 7);
        harness.Launch("groups", new(1), new(96), 0, harness.Upload(input), target);
        int[] actual = harness.Download<int>(target, 96 * 7);
        for (int t = 0; t < 96; t++)
        {
            int[] warp = input[(t & ~31)..((t & ~31) + 32)], tile = input[(t & ~7)..((t & ~7) + 8)];
            int[] odd = [.. Enumerable.Range(0, 32).Where(k => (warp[k] & 1) != 0)];
            int[] expected =
            [
                warp.Sum(), tile.Max(), tile.Take(t & 7).Sum(), input[(t & 7) < 6 ? t + 2 : t], Enumerable.Range(0, 8).Sum(k => (tile[k] & 1) << k), input.Sum(),
                (input[t] & 1) == 0 ? -1 : Array.IndexOf(odd, t & 31) + 100 * odd.Length + 10000 * warp[odd[0]],
            ];
            Assert.That(actual[(t * 7)..(t * 7 + 7)], Is.EqualTo(expected), $"thread {t}");
        }
    }

    [Test]
    public void A_product_of_halves_with_wmma_is_right()
    {
        const int m = 32, n = 64, k = 48;
        float[] a = Small(m * k, 6), b = Small(n * k, 7), c = Small(m * n, 8);
        ulong target = harness.Upload(c);
        LaunchStatistics statistics = harness.Launch("wmma_half", new(2, 2), new(64), 0, harness.Upload<ushort>([.. a.Select(x => Half(x))]), harness.Upload<ushort>([.. b.Select(x => Half(x))]), target, m, n, k);
        float[] actual = harness.Download<float>(target, m * n);
        for (int e = 0; e < m * n; e++)
            Assert.That(actual[e], Is.EqualTo(2 * Enumerable.Range(0, k).Sum(p => a[e / n * k + p] * b[e % n * k + p]) + c[e]));
        Assert.That(statistics.TensorFlops, Is.EqualTo(2L * m * n * k));
    }

    // A by columns, B by rows, the result by columns, from and to shared memory; one added to every sum.
    [TestCase("wmma_half_wide", 8, 32)]
    [TestCase("wmma_bfloat_tall", 32, 8)]
    [TestCase("wmma_bfloat_square", 16, 16)]
    [TestCase("wmma_bytes", 16, 16)]
    public void Every_shape_and_type_of_wmma_is_right(string kernel, int m, int n)
    {
        float[] a = [.. Small(m * 16, 9).Select(x => x * 8)], b = [.. Small(n * 16, 10).Select(x => x * 8)];
        Func<float[], ulong> upload = kernel switch
        {
            "wmma_bytes" => values => harness.Upload<sbyte>([.. values.Select(x => (sbyte)x)]),
            "wmma_half_wide" => values => harness.Upload<ushort>([.. values.Select(x => Half(x))]),
            _ => values => harness.Upload<ushort>([.. values.Select(Brain)]),
        };
        ulong target = harness.Reserve<uint>(m * n);
        harness.Launch(kernel, new(1), new(32), 0, upload(a), upload(b), target);
        for (int e = 0; e < m * n; e++)
        {
            double expected = 1 + Enumerable.Range(0, 16).Sum(p => (double)a[p * m + e % m] * b[p * n + e / m]);
            double actual = kernel switch
            {
                "wmma_bytes" => harness.Download<int>(target, m * n)[e],
                "wmma_half_wide" => Wide(harness.Download<ushort>(target, m * n)[e]),
                _ => harness.Download<float>(target, m * n)[e],
            };
            Assert.That(actual, Is.EqualTo(kernel == "wmma_half_wide" ? Wide(Half(expected)) : expected), $"element {e}");
        }
    }

    [Test]
    public void Products_of_tf32_and_doubles_with_wmma_are_right()
    {
        float[] a = Small(16 * 8, 11), b = Small(8 * 16, 12);
        ulong target = harness.Reserve<float>(256);
        harness.Launch("wmma_tf32", new(1), new(32), 0, harness.Upload(a), harness.Upload(b), target);
        float[] actual = harness.Download<float>(target, 256);
        for (int e = 0; e < 256; e++)
            Assert.That(actual[e], Is.EqualTo(Enumerable.Range(0, 8).Sum(p => a[e / 16 * 8 + p] * b[p * 16 + e % 16])));
        double[] x = [.. Small(32, 13).Select(value => value / 3.0)], y = [.. Small(32, 14).Select(value => value / 7.0)];
        ulong doubles = harness.Reserve<double>(64);
        harness.Launch("wmma_double", new(1), new(32), 0, harness.Upload(x), harness.Upload(y), doubles);
        double[] products = harness.Download<double>(doubles, 64);
        for (int e = 0; e < 64; e++)
            Assert.That(products[e], Is.EqualTo(0.5 + Enumerable.Range(0, 4).Sum(p => x[e / 8 * 4 + p] * y[e % 8 * 4 + p])).Within(1e-15));
    }

    [Test]
    public void Pipeline_primitives_copy_asynchronously()
    {
        int[] input = [.. Enumerable.Range(0, 64 * 4 * 5)];
        ulong target = harness.Reserve<int>(input.Length);
        harness.Launch("pipeline_copy", new(1), new(64), 0, harness.Upload(input), target, 5);
        Assert.That(harness.Download<int>(target, input.Length), Is.EqualTo(Enumerable.Range(0, input.Length).Select(e => input[e / 256 * 256 + (63 - e / 4 % 64) * 4 + e % 4])));
    }
}
