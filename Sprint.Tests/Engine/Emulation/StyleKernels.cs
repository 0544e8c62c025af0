using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>The kernels of styles.cu and idioms.cu, each with its launch and the same computation in C#.</summary>
internal static partial class StyleKernels
{
    /// <summary>A launch whose results are compared with what C# computes.</summary>
    public delegate void Check(EmulatorHarness harness);

    /// <summary>Every kernel of styles.cu by name.</summary>
    public static readonly IReadOnlyDictionary<string, Check> Styles = new Dictionary<string, Check>
    {
        ["reduce_interleaved"] = h => Sum(h, "reduce_interleaved", 128, 1),
        ["reduce_legacy"] = h => Sum(h, "reduce_legacy", 256, 2),
        ["reduce_shuffle"] = h => Sum(h, "reduce_shuffle", 128, 1),
        ["reduce_vector"] = h => Sum(h, "reduce_vector", 64, 1),
        ["argmax"] = ArgMax,
        ["scan_blelloch"] = ScanBlelloch,
        ["scan_lookback"] = ScanLookback,
        ["gemm_blocked"] = GemmBlocked,
        ["dgemm_naive"] = DoubleGemm,
        ["layer_norm_welford"] = Welford,
        ["softmax_online"] = SoftmaxOnline,
        ["flash_attention"] = FlashAttention,
        ["bitonic_sort"] = h => Sort(h, "bitonic_sort", 512, 96, 512 * 4),
        ["radix_sort"] = h => Sort(h, "radix_sort", 230, 256, 0),
        ["histogram_aggregated"] = Histogram,
        ["compact"] = Compact,
        ["add_by_cas"] = AddByCas,
        ["float_max"] = FloatMax,
        ["stencil2d"] = Stencil2D,
        ["stencil3d"] = Stencil3D,
        ["transpose_padded"] = Transpose,
        ["convolve"] = Convolve,
        ["spmv"] = Spmv,
        ["bfs_step"] = BreadthFirst,
    };

    /// <summary>Every kernel of idioms.cu by name.</summary>
    public static readonly IReadOnlyDictionary<string, Check> Idioms = new Dictionary<string, Check>
    {
        ["philox_fill"] = Philox,
        ["hashes"] = Hashes,
        ["n_body"] = NBody,
        ["life"] = Life,
        ["virtual_calls"] = h => Each(h, "virtual_calls", 64, t => t % 3 != 0 ? t * t + 4f : 3f * t * t),
        ["nested_recursion"] = h => Each(h, "nested_recursion", 60, t => Ackermann(t % 3, t % 5)),
        ["by_value"] = ByValue,
        ["padded_structs"] = PaddedStructs,
        ["conditional_values"] = ConditionalValues,
        ["several_arrays"] = SeveralArrays,
        ["lambdas"] = Lambdas,
        ["bit_fields"] = BitFields,
        ["switch_table"] = SwitchTable,
        ["pipeline"] = Pipeline,
        ["ticket_lock"] = TicketLock,
        ["flag_between_warps"] = h => Each(h, "flag_between_warps", 64, t => t < 32 ? (31 - t) * 5 : 0, 32),
        ["early_exit"] = EarlyExit,
    };

    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static int[] Integers(int count, int seed, int low, int high)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(low, high))];
    }

    private static T[] Make<T>(int count, Func<int, T> value) => [.. Enumerable.Range(0, count).Select(value)];

    private static void Equal<T>(EmulatorHarness harness, ulong address, T[] expected)
        where T : unmanaged
    {
        T[] actual = harness.Download<T>(address, expected.Length);
        for (int k = 0; k < expected.Length; k++)
        {
            if (!actual[k].Equals(expected[k]))
                Assert.Fail($"Element {k} is {actual[k]}, expected {expected[k]}.");
        }
    }

    private static void Close(EmulatorHarness harness, ulong address, double[] expected, double tolerance)
    {
        float[] actual = harness.Download<float>(address, expected.Length);
        for (int k = 0; k < expected.Length; k++)
        {
            if (!(Math.Abs(actual[k] - expected[k]) <= tolerance * (1 + Math.Abs(expected[k]))))
                Assert.Fail($"Element {k} is {actual[k]}, expected {expected[k]}.");
        }
    }

    private static void Each(EmulatorHarness h, string kernel, int threads, Func<int, float> expected)
    {
        ulong target = h.Reserve<float>(threads);
        h.Launch(kernel, new(1), new((uint)threads), 0, target);
        Equal(h, target, Make(threads, expected));
    }

    private static void Each(EmulatorHarness h, string kernel, int threads, Func<int, int> expected, int results = 0)
    {
        results = results > 0 ? results : threads;
        ulong target = h.Reserve<int>(results);
        h.Launch(kernel, new(1), new((uint)threads), 0, target);
        Equal(h, target, Make(results, expected));
    }

    private static void Sum(EmulatorHarness h, string kernel, int threads, int perThread)
    {
        const int n = 2996;
        int[] input = Integers(n, 1, -1000, 1000);
        uint blocks = (uint)(n + threads * perThread - 1) / (uint)(threads * perThread);
        ulong target = h.Upload(new int[blocks]);
        h.Launch(kernel, new(blocks), new((uint)threads), threads * 4, h.Upload(input), target, n);
        Assert.That(h.Download<int>(target, (int)blocks).Sum(), Is.EqualTo(input.Sum()));
    }

    private static void ArgMax(EmulatorHarness h)
    {
        float[] input = Numbers(5000, 2);
        ulong target = h.Reserve<int>(1);
        h.Launch("argmax", new(1), new(256), 0, h.Upload(input), target, input.Length);
        Equal(h, target, [Array.IndexOf(input, input.Max())]);
    }

    private static void ScanBlelloch(EmulatorHarness h)
    {
        int[] input = Integers(512, 3, 0, 1000);
        ulong target = h.Reserve<int>(512);
        h.Launch("scan_blelloch", new(1), new(256), (512 + 16) * 4, h.Upload(input), target, 512);
        int sum = 0;
        Equal(h, target, [.. input.Select(x => (sum += x) - x)]);
    }

    private static void ScanLookback(EmulatorHarness h)
    {
        const int blocks = 13, threads = 96, n = blocks * threads - 17;
        int[] input = Integers(n, 4, 0, 1000);
        ulong target = h.Reserve<int>(n);
        h.Launch("scan_lookback", new(blocks), new(threads), 0, h.Upload(input), target, n, h.Upload(new int[1]), h.Upload(new int[blocks]), h.Reserve<int>(blocks), h.Reserve<int>(blocks));
        int sum = 0;
        Equal(h, target, [.. input.Select(x => sum += x)]);
    }

    private static double[] Product(float[] a, float[] b, int m, int n, int k)
        => Make(m * n, e => Enumerable.Range(0, k).Sum(p => (double)a[e / n * k + p] * b[p * n + e % n]));

    private static void GemmBlocked(EmulatorHarness h)
    {
        const int m = 64, n = 128, k = 40;
        float[] a = Numbers(m * k, 5), b = Numbers(k * n, 6), c = Numbers(m * n, 7);
        ulong target = h.Upload(c);
        h.Launch("gemm_blocked", new(n / 64, m / 64), new(256), 0, h.Upload(a), h.Upload(b), target, m, n, k, 1.5f, -0.5f);
        Close(h, target, [.. Product(a, b, m, n, k).Select((x, e) => 1.5 * x - 0.5 * c[e])], 1e-5);
    }

    private static void DoubleGemm(EmulatorHarness h)
    {
        const int n = 20;
        double[] a = [.. Numbers(n * n, 8).Select(x => (double)x)], b = [.. Numbers(n * n, 9).Select(x => (double)x)];
        ulong target = h.Reserve<double>(n * n);
        h.Launch("dgemm_naive", new(3, 3), new(8, 8), 0, h.Upload(a), h.Upload(b), target, n);
        Equal(h, target, Make(n * n, e =>
        {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum = Math.FusedMultiplyAdd(a[e / n * n + k], b[k * n + e % n], sum);
            return sum;
        }));
    }

    private static void Welford(EmulatorHarness h)
    {
        const int rows = 6, columns = 77;
        float[] input = Numbers(rows * columns, 10);
        ulong mean = h.Reserve<float>(rows), scale = h.Reserve<float>(rows);
        h.Launch("layer_norm_welford", new(rows / 2), new(64), 0, h.Upload(input), mean, scale, columns);
        double[] means = Make(rows, r => input.Skip(r * columns).Take(columns).Average(x => (double)x));
        Close(h, mean, means, 1e-6);
        Close(h, scale, Make(rows, r => 1 / Math.Sqrt(input.Skip(r * columns).Take(columns).Average(x => (x - means[r]) * (x - means[r])) + 1e-5)), 1e-6);
    }

    private static void SoftmaxOnline(EmulatorHarness h)
    {
        const int rows = 3, columns = 333;
        float[] input = [.. Numbers(rows * columns, 11).Select(x => x * 9)];
        ulong target = h.Reserve<float>(rows * columns);
        h.Launch("softmax_online", new(rows), new(96), 0, h.Upload(input), target, columns);
        double[] sums = Make(rows, r => input.Skip(r * columns).Take(columns).Sum(x => Math.Exp(x)));
        Close(h, target, Make(rows * columns, e => Math.Exp(input[e]) / sums[e / columns]), 1e-5);
    }

    private static void FlashAttention(EmulatorHarness h)
    {
        const int n = 37, head = 32;
        float[] q = Numbers(n * head, 12), k = Numbers(n * head, 13), v = Numbers(n * head, 14);
        ulong target = h.Reserve<float>(n * head);
        h.Launch("flash_attention", new((n + 15) / 16), new(128), 0, h.Upload(q), h.Upload(k), h.Upload(v), target, n, 0.3f);
        double[][] weights = Make(n, i => Make(n, j => Math.Exp(0.3f * Enumerable.Range(0, head).Sum(d => (double)q[i * head + d] * k[j * head + d]))));
        Close(h, target, Make(n * head, e => Enumerable.Range(0, n).Sum(j => weights[e / head][j] * v[j * head + e % head]) / weights[e / head].Sum()), 1e-4);
    }

    private static void Sort(EmulatorHarness h, string kernel, int n, int threads, int shared)
    {
        int[] input = Integers(n, 15, 0, int.MaxValue);
        ulong data = h.Upload(input);
        h.Launch(kernel, new(1), new((uint)threads), shared, data, n);
        Equal(h, data, [.. input.Order()]);
    }

    private static void Histogram(EmulatorHarness h)
    {
        byte[] input = [.. Integers(5000, 16, 0, 256).Select(x => (byte)(x / 16 * 16))];
        ulong target = h.Upload(new int[256]);
        h.Launch("histogram_aggregated", new(5), new(96), 0, h.Upload(input), target, input.Length);
        Equal(h, target, Make(256, b => input.Count(x => x == b)));
    }

    private static void Compact(EmulatorHarness h)
    {
        int[] input = Integers(1000, 17, -50, 50);
        ulong target = h.Reserve<int>(1000), count = h.Upload(new int[1]);
        h.Launch("compact", new(8), new(128), 0, h.Upload(input), target, count, input.Length);
        int[] kept = [.. input.Where(x => x > 0)];
        Equal(h, count, [kept.Length]);
        Assert.That(h.Download<int>(target, kept.Length), Is.EquivalentTo(kept));
    }

    private static void AddByCas(EmulatorHarness h)
    {
        ulong sum = h.Upload(new[] { 0.5 });
        h.Launch("add_by_cas", new(4), new(64), 0, sum);
        Equal(h, sum, [0.5 + 255 * 128]);
    }

    private static void FloatMax(EmulatorHarness h)
    {
        float[] input = [.. Numbers(128, 18).Select(x => x - 1.5f)];
        ulong target = h.Reserve<float>(1);
        h.Launch("float_max", new(1), new(128), 0, h.Upload(input), target);
        Equal(h, target, [input.Max()]);
    }

    private static void Stencil2D(EmulatorHarness h)
    {
        const int w = 45, height = 33;
        float[] input = Numbers(w * height, 19);
        ulong target = h.Reserve<float>(w * height);
        h.Launch("stencil2d", new(2, 3), new(32, 16), 0, h.Upload(input), target, w, height);
        double At(int x, int y) => input[Math.Clamp(y, 0, height - 1) * w + Math.Clamp(x, 0, w - 1)];
        Close(h, target, Make(w * height, e => 0.25 * (At(e % w - 1, e / w) + At(e % w + 1, e / w) + At(e % w, e / w - 1) + At(e % w, e / w + 1)) - At(e % w, e / w)), 1e-6);
    }

    private static void Stencil3D(EmulatorHarness h)
    {
        const int n = 8;
        int[] input = Integers(n * n * n, 20, -100, 100);
        ulong target = h.Reserve<int>(n * n * n);
        h.Launch("stencil3d", new(1), new(n, n), 0, h.Upload(input), target, n);
        int At(int x, int y, int z) => x is < 0 or >= n || y is < 0 or >= n || z is < 0 or >= n ? 0 : input[(z * n + y) * n + x];
        Equal(h, target, Make(n * n * n, e =>
        {
            (int x, int y, int z) = (e % n, e / n % n, e / n / n);
            return At(x - 1, y, z) + At(x + 1, y, z) + At(x, y - 1, z) + At(x, y + 1, z) + At(x, y, z - 1) + At(x, y, z + 1) - 6 * At(x, y, z);
        }));
    }

    private static void Transpose(EmulatorHarness h)
    {
        const int w = 50, height = 70;
        int[] input = Make(w * height, e => e);
        ulong target = h.Reserve<int>(w * height);
        h.Launch("transpose_padded", new(2, 3), new(32, 8), 0, h.Upload(input), target, w, height);
        Equal(h, target, Make(w * height, e => e % height * w + e / height));
    }

    private static void Convolve(EmulatorHarness h)
    {
        const int w = 19, height = 11, channels = 3;
        float[] input = Numbers(w * height * channels, 21), filter = Numbers(9, 22);
        h.Memory.Write(h.Module.GetGlobal("filter").Address, MemoryMarshal.AsBytes<float>(filter));
        ulong target = h.Reserve<float>(input.Length);
        h.Launch("convolve", new(2, 3, channels), new(16, 4), 0, h.Upload(input), target, w, height, channels);
        Close(h, target, Make(input.Length, e =>
        {
            (int x, int y, int c) = (e % w, e / w % height, e / w / height);
            double sum = 0;
            for (int f = 0; f < 9; f++)
            {
                (int gx, int gy) = (x + f % 3 - 1, y + f / 3 - 1);
                sum += gx is >= 0 and < w && gy is >= 0 and < height ? (double)input[(c * height + gy) * w + gx] * filter[f] : 0;
            }
            return sum;
        }), 1e-5);
    }

    private static (int[] Rows, int[] Columns) Graph(int n, int seed)
    {
        Random random = new(seed);
        List<int> rows = [0], columns = [];
        for (int k = 0; k < n; k++)
        {
            for (int edges = random.Next(20); edges > 0; edges--)
                columns.Add(random.Next(n));
            rows.Add(columns.Count);
        }
        return ([.. rows], [.. columns]);
    }

    private static void Spmv(EmulatorHarness h)
    {
        const int n = 53;
        (int[] rows, int[] columns) = Graph(n, 23);
        float[] values = Numbers(columns.Length, 24), x = Numbers(n, 25);
        ulong target = h.Reserve<float>(n);
        h.Launch("spmv", new(4), new(128), 0, h.Upload(rows), h.Upload(columns), h.Upload(values), h.Upload(x), target, n);
        Close(h, target, Make(n, r => Enumerable.Range(rows[r], rows[r + 1] - rows[r]).Sum(k => (double)values[k] * x[columns[k]])), 1e-5);
    }

    private static void BreadthFirst(EmulatorHarness h)
    {
        const int n = 200;
        (int[] rows, int[] columns) = Graph(n, 26);
        int[] expected = Make(n, k => k == 0 ? 0 : -1);
        Queue<int> work = new([0]);
        while (work.TryDequeue(out int node))
        {
            foreach (int next in columns[rows[node]..rows[node + 1]].Where(next => expected[next] < 0))
            {
                expected[next] = expected[node] + 1;
                work.Enqueue(next);
            }
        }
        ulong distance = h.Upload(Make(n, k => k == 0 ? 0 : -1)), r = h.Upload(rows), c = h.Upload(columns), changed = h.Upload(new int[1]);
        int level = 0;
        do
        {
            h.Memory.Fill(changed, 0, 4);
            h.Launch("bfs_step", new(4), new(64), 0, r, c, distance, changed, level++, n);
        }
        while (h.Download<int>(changed, 1)[0] != 0);
        Equal(h, distance, expected);
    }
}
