using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Kernels as people write them, against the same sums done in C#.</summary>
public sealed class OrdinaryKernelTests
{
    private EmulatorHarness harness = null!;

    [SetUp]
    public void Load() => harness = EmulatorHarness.FromResource("ordinary");

    [TearDown]
    public void Unload() => harness.Dispose();

    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static int[] Integers(int count, int seed, int limit)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(limit))];
    }

    private static void AssertClose(float[] actual, double[] expected, double tolerance)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int k = 0; k < actual.Length; k++)
        {
            if (!(Math.Abs(actual[k] - expected[k]) <= tolerance * (1 + Math.Abs(expected[k]))))
                Assert.Fail($"Element {k} is {actual[k]}, expected {expected[k]}.");
        }
    }

    [Test]
    public void A_tree_reduction_sums_everything([Values(1, 255, 1000, 5000)] int n)
    {
        float[] input = Numbers(n, 1);
        ulong target = harness.Reserve<float>(3);
        harness.Launch("reduce", new(3), new(256), 0, harness.Upload(input), target, n);
        AssertClose([harness.Download<float>(target, 3).Sum()], [input.Sum(x => (double)x)], 1e-4);
    }

    [Test]
    public void The_last_block_sees_what_all_blocks_wrote()
    {
        int[] input = Integers(10_000, 2, 100);
        ulong target = harness.Reserve<int>(1);
        harness.Launch("reduce_last_block", new(20), new(128), 0, harness.Upload(input), harness.Reserve<int>(20), target, input.Length);
        Assert.That(harness.Download<int>(target, 1)[0], Is.EqualTo(input.Sum()));
    }

    [Test]
    public void A_scan_adds_all_before([Values(32, 64, 100, 256)] int threads)
    {
        int[] input = Integers(threads * 2, 3, 1000);
        ulong target = harness.Reserve<int>(threads * 2);
        harness.Launch("scan", new(2), new((uint)threads), threads * 8, harness.Upload(input), target);
        int[] actual = harness.Download<int>(target, threads * 2);
        for (int k = 0; k < actual.Length; k++)
            Assert.That(actual[k], Is.EqualTo(input.Skip(k / threads * threads).Take(k % threads + 1).Sum()));
    }

    [TestCase(16, 16, 16)]
    [TestCase(17, 33, 50)]
    [TestCase(1, 1, 1)]
    [TestCase(40, 20, 113)]
    public void A_tiled_product_with_ragged_edges_is_right(int m, int n, int k)
    {
        float[] a = Numbers(m * k, 4), b = Numbers(k * n, 5);
        ulong target = harness.Reserve<float>(m * n);
        harness.Launch("gemm", new((uint)(n + 15) / 16, (uint)(m + 15) / 16), new(16, 16), 0, harness.Upload(a), harness.Upload(b), target, m, n, k);
        double[] expected = new double[m * n];
        for (int e = 0; e < expected.Length; e++)
        {
            for (int p = 0; p < k; p++)
                expected[e] += (double)a[e / n * k + p] * b[p * n + e % n];
        }
        AssertClose(harness.Download<float>(target, m * n), expected, 1e-5);
    }

    [TestCase(5, 17)]
    [TestCase(8, 147)]
    public void Softmax_of_rows_is_right(int rows, int columns)
    {
        float[] input = Numbers(rows * columns, 6);
        ulong target = harness.Reserve<float>(rows * columns);
        harness.Launch("softmax", new((uint)(rows + 3) / 4), new(128), 0, harness.Upload(input), target, rows, columns);
        double[] expected = new double[rows * columns];
        for (int e = 0; e < expected.Length; e++)
            expected[e] = Math.Exp(input[e]) / input.Skip(e / columns * columns).Take(columns).Sum(x => Math.Exp(x));
        AssertClose(harness.Download<float>(target, expected.Length), expected, 1e-5);
    }

    [TestCase(3, 64, 64)]
    [TestCase(2, 113, 96)]
    public void Layer_norm_of_rows_is_right(int rows, int columns, int threads)
    {
        float[] input = Numbers(rows * columns, 7), gamma = Numbers(columns, 8), beta = Numbers(columns, 9);
        ulong target = harness.Reserve<float>(rows * columns);
        harness.Launch("layer_norm", new((uint)rows), new((uint)threads), 0, harness.Upload(input), harness.Upload(gamma), harness.Upload(beta), target, columns);
        double[] expected = new double[rows * columns];
        for (int row = 0; row < rows; row++)
        {
            double[] x = [.. input.Skip(row * columns).Take(columns).Select(value => (double)value)];
            double mean = x.Average(), variance = x.Average(value => value * value) - mean * mean;
            for (int k = 0; k < columns; k++)
                expected[row * columns + k] = (x[k] - mean) / Math.Sqrt(variance + 1e-5) * gamma[k] + beta[k];
        }
        AssertClose(harness.Download<float>(target, expected.Length), expected, 1e-4);
    }

    [Test]
    public void A_histogram_with_atomics_counts_every_byte()
    {
        byte[] input = new byte[20_000];
        new Random(10).NextBytes(input);
        ulong target = harness.Upload(new int[256]);
        LaunchStatistics statistics = harness.Launch("histogram", new(7), new(96), 0, harness.Upload(input), target, input.Length);
        int[] expected = new int[256];
        foreach (byte value in input)
            expected[value]++;
        Assert.That(harness.Download<int>(target, 256), Is.EqualTo(expected));
        Assert.That(statistics.UsesFloatAtomics, Is.False);
    }

    [TestCase(64, 64)]
    [TestCase(50, 32)]
    public void Attention_with_an_online_softmax_is_right(int tokens, int threads)
    {
        const int head = 8;
        float[] q = Numbers(tokens * head, 11), k = Numbers(tokens * head, 12), v = Numbers(tokens * head, 13);
        ulong target = harness.Reserve<float>(tokens * head);
        harness.Launch("attention", new((uint)(tokens + threads - 1) / (uint)threads), new((uint)threads), 0, harness.Upload(q), harness.Upload(k), harness.Upload(v), target, tokens, 0.35f);
        double[] expected = new double[tokens * head];
        for (int row = 0; row < tokens; row++)
        {
            double[] weights = [.. Enumerable.Range(0, tokens).Select(j => Math.Exp(0.35f * Enumerable.Range(0, head).Sum(d => (double)q[row * head + d] * k[j * head + d])))];
            for (int d = 0; d < head; d++)
                expected[row * head + d] = Enumerable.Range(0, tokens).Sum(j => weights[j] * v[j * head + d]) / weights.Sum();
        }
        AssertClose(harness.Download<float>(target, expected.Length), expected, 1e-4);
    }

    [Test]
    public void Votes_matches_reductions_and_partial_shuffles_agree_with_their_definitions()
    {
        int[] input = Integers(64, 14, 100);
        ulong target = harness.Reserve<uint>(64 * 8);
        harness.Launch("warp_collectives", new(1), new(64), 0, harness.Upload(input), target);
        uint[] actual = harness.Download<uint>(target, 64 * 8);
        for (int t = 0; t < 64; t++)
        {
            int[] warp = input[(t / 32 * 32)..(t / 32 * 32 + 32)];
            int lane = t % 32;
            uint Mask(Func<int, bool> predicate) => (uint)Enumerable.Range(0, 32).Where(k => predicate(warp[k])).Sum(k => 1L << k);
            uint[] expected =
            [
                Mask(x => (x & 1) != 0),
                warp.Any(x => x > 90) ? 1u : 0,
                1,
                Mask(x => (x & 3) == (warp[lane] & 3)),
                (uint)warp.Sum(),
                (uint)warp.Max(),
                (uint)warp[lane % 8 >= 3 ? lane - 3 : lane],
                32,
            ];
            Assert.That(actual[(t * 8)..(t * 8 + 8)], Is.EqualTo(expected), $"thread {t}");
        }
    }

    [Test]
    public void Shared_memory_ordered_by_a_warp_barrier_is_no_race()
    {
        int[] input = Integers(64, 15, 1000);
        ulong target = harness.Reserve<int>(64);
        harness.Launch("transpose_in_warp", new(1), new(64), 0, harness.Upload(input), target);
        Assert.That(harness.Download<int>(target, 64), Is.EqualTo(input[..32].Reverse().Concat(input[32..].Reverse())));
    }

    [Test]
    public void Lanes_that_wait_for_each_other_in_loops_all_make_progress()
    {
        ulong target = harness.Reserve<int>(40);
        harness.Launch("relay", new(1), new(40), 0, harness.Upload(new[] { 0 }), target);
        Assert.That(harness.Download<int>(target, 40), Is.EqualTo(Enumerable.Range(0, 40).Select(k => k * 10)));
        ulong sum = harness.Upload(new[] { 0 });
        harness.Launch("locked_sum", new(2), new(64), 0, harness.Upload(new[] { 0 }), sum);
        Assert.That(harness.Download<int>(sum, 1)[0], Is.EqualTo(2 * 63 * 32));
    }

    [Test]
    public void Recursion_and_function_pointers_work_under_divergence()
    {
        ulong target = harness.Reserve<int>(32);
        harness.Launch("recursion", new(1), new(32), 0, target);
        int[] fibonacci = [0, 1, 1, 2, 3, 5, 8, 13, 21, 34];
        Assert.That(harness.Download<int>(target, 32), Is.EqualTo(Enumerable.Range(0, 32).Select(k => fibonacci[k % 10])));
        ulong floats = harness.Reserve<float>(32);
        harness.Launch("function_pointers", new(1), new(32), 0, floats);
        Assert.That(harness.Download<float>(floats, 32), Is.EqualTo(Enumerable.Range(0, 32).Select(k => k % 2 == 0 ? k + 3f : k * 3f)));
    }

    [Test]
    public void Named_barriers_order_a_producer_and_a_consumer()
    {
        int[] input = Integers(64 * 5, 16, 1000);
        ulong target = harness.Reserve<int>(input.Length);
        harness.Launch("named_barriers", new(1), new(128), 0, harness.Upload(input), target, 5);
        Assert.That(harness.Download<int>(target, input.Length), Is.EqualTo(Enumerable.Range(0, input.Length).Select(k => input[k / 64 * 64 + 63 - k % 64] * 2)));
    }

    [Test]
    public void Barriers_count_and_combine_predicates()
    {
        int[] input = [.. Integers(100, 17, 3).Select(x => x - 0)];
        ulong target = harness.Reserve<int>(100);
        harness.Launch("count_true", new(1), new(100), 0, harness.Upload(input), target);
        Assert.That(harness.Download<int>(target, 100), Has.All.EqualTo(input.Count(x => x > 0) + 1000));
    }

    [TestCase(16)]
    [TestCase(64)]
    public void A_tensor_core_pipeline_with_asynchronous_copies_is_right(int k)
    {
        float[] a = Numbers(16 * k, 18), b = Numbers(8 * k, 19);
        ushort[] Narrow(float[] values) => [.. values.Select(x => (ushort)(BitConverter.SingleToUInt32Bits(x) >> 16))];
        float Widen(ushort x) => BitConverter.UInt32BitsToSingle((uint)x << 16);
        ushort[] na = Narrow(a), nb = Narrow(b);
        ulong target = harness.Reserve<float>(16 * 8);
        LaunchStatistics statistics = harness.Launch("tensor_gemm", new(1), new(32), 0, harness.Upload(na), harness.Upload(nb), target, k);
        double[] expected = new double[16 * 8];
        for (int e = 0; e < expected.Length; e++)
        {
            for (int p = 0; p < k; p++)
                expected[e] += (double)Widen(na[e / 8 * k + p]) * Widen(nb[e % 8 * k + p]);
        }
        AssertClose(harness.Download<float>(target, expected.Length), expected, 1e-5);
        Assert.That(statistics.TensorFlops, Is.EqualTo(2L * 16 * 8 * k));
    }

    [Test]
    public void Loops_of_different_lengths_reconverge()
    {
        int[] input = [.. Integers(256, 20, 5000).Select(x => x + 1)];
        ulong target = harness.Reserve<int>(256);
        harness.Launch("collatz", new(2), new(128), 0, harness.Upload(input), target);
        int Steps(long n)
        {
            int steps = 0;
            for (; n != 1; steps++)
                n = (n & 1) != 0 ? 3 * n + 1 : n >> 1;
            return steps;
        }
        Assert.That(harness.Download<int>(target, 256), Is.EqualTo(Enumerable.Range(0, 256).Select(k => Steps(input[k ^ 1]))));
    }

    [Test]
    public void Float_atomics_are_reported()
    {
        ulong target = harness.Upload(new[] { 0f });
        float[] input = [.. Enumerable.Range(0, 256).Select(k => (float)k)];
        LaunchStatistics statistics = harness.Launch("float_atomics", new(4), new(64), 0, harness.Upload(input), target);
        Assert.That(harness.Download<float>(target, 1)[0], Is.EqualTo(input.Sum()));
        Assert.That(statistics.UsesFloatAtomics, Is.True);
    }

    [Test]
    public void Results_and_counts_do_not_depend_on_workers_or_on_the_schedule()
    {
        float[] input = Numbers(4096, 21);
        float[][] results = new float[6][];
        long[] counts = new long[6];
        for (int run = 0; run < 6; run++)
        {
            harness.Options = new EmulationOptions { Workers = run % 3 + 1, ScheduleSeed = (ulong)run * 77, Counters = run % 2 == 0 };
            ulong target = harness.Reserve<float>(8);
            LaunchStatistics statistics = harness.Launch("reduce", new(8), new(256), 0, harness.Upload(input), target, input.Length);
            results[run] = harness.Download<float>(target, 8);
            counts[run] = statistics.LaneInstructions;
        }
        Assert.That(results, Has.All.EqualTo(results[0]));
        Assert.That(counts, Has.All.EqualTo(counts[0]));
    }
}
