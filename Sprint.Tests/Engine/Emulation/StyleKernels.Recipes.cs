using System.Numerics;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>The kernels of recipes.cu.</summary>
internal static partial class StyleKernels
{
    /// <summary>Every kernel of recipes.cu by name.</summary>
    public static readonly IReadOnlyDictionary<string, Check> Recipes = new Dictionary<string, Check>
    {
        ["match_histogram"] = MatchHistogram,
        ["jacobi_persistent"] = Jacobi,
        ["rows_turn"] = RowsTurn,
        ["radix_rank"] = RadixRank,
        ["pcr"] = Tridiagonal,
        ["fft256"] = Fourier,
        ["mutex_sum"] = MutexSum,
        ["union_find"] = UnionFind,
        ["split_k"] = SplitK,
        ["hash_insert"] = HashInsert,
        ["last_block_resets"] = LastBlockResets,
        ["levenshtein"] = Levenshtein,
    };

    private static void MatchHistogram(EmulatorHarness h)
    {
        int[] values = [.. Enumerable.Range(0, 1000).Select(k => k * k % 101)];
        ulong bins = h.Upload(new int[37]);
        h.Launch("match_histogram", new(4), new(96), 0, h.Upload(values), bins, 1000);
        Assert.That(h.Download<int>(bins, 37), Is.EqualTo(Enumerable.Range(0, 37).Select(bin => values.Count(value => value % 37 == bin))));
    }

    private static void Jacobi(EmulatorHarness h)
    {
        float[] line = [.. Enumerable.Range(0, 500).Select(k => (float)(k % 7))];
        ulong a = h.Upload(line), b = h.Upload(new float[500]);
        h.Launch("jacobi_persistent", new(8), new(64), 0, a, b, 500, 6);
        for (int sweep = 0; sweep < 6; sweep++)
            line = [.. line.Select((value, k) => k is 0 or 499 ? value : 0.5f * (line[k - 1] + line[k + 1]))];
        Assert.That(h.Download<float>(a, 500), Is.EqualTo(line));
    }

    private static void RowsTurn(EmulatorHarness h)
    {
        ulong target = h.Reserve<int>(3 * 6 * 64);
        h.Launch("rows_turn", new(6), new(64), 0, h.Reserve<int>(6 * 64), target);
        Assert.That(h.Download<int>(target, 3 * 6 * 64), Is.EqualTo(Enumerable.Range(0, 3 * 6 * 64).Select(k => k / 384 * 100 + (k / 64 + 1) % 6)));
    }

    private static void RadixRank(EmulatorHarness h)
    {
        uint[] keys = [.. Enumerable.Range(0, 256).Select(k => (uint)k * 2654435761u)];
        ulong target = h.Reserve<uint>(256);
        h.Launch("radix_rank", new(1), new(256), 0, h.Upload(keys), target, 12);
        Assert.That(h.Download<uint>(target, 256), Is.EqualTo(keys.OrderBy(key => key >> 12 & 15)));
    }

    private static void Tridiagonal(EmulatorHarness h)
    {
        ulong target = h.Reserve<float>(64);
        h.Launch("pcr", new(1), new(64), 0, target);
        float[] x = h.Download<float>(target, 64);
        for (int k = 0; k < 64; k++)
            Assert.That(4.0 * x[k] - (k > 0 ? x[k - 1] : 0) - (k < 63 ? x[k + 1] : 0), Is.EqualTo(k % 5 + 1).Within(1e-5));
    }

    private static void Fourier(EmulatorHarness h)
    {
        float[] samples = [.. Enumerable.Range(0, 256).Select(k => k * 37 % 64 / 32f - 1)];
        ulong target = h.Reserve<float>(512);
        h.Launch("fft256", new(1), new(256), 0, h.Upload(samples), target);
        float[] actual = h.Download<float>(target, 512);
        for (int f = 0; f < 256; f++)
        {
            Complex sum = samples.Select((value, k) => value * Complex.FromPolarCoordinates(1, -2 * Math.PI * k * f / 256)).Aggregate(Complex.Zero, Complex.Add);
            Assert.That((new Complex(actual[2 * f], actual[2 * f + 1]) - sum).Magnitude, Is.LessThan(1e-4), $"frequency {f}");
        }
    }

    private static void MutexSum(EmulatorHarness h)
    {
        ulong sum = h.Upload(new int[1]);
        h.Launch("mutex_sum", new(3), new(64), 0, h.Upload(new int[1]), sum);
        Assert.That(h.Download<int>(sum, 1)[0], Is.EqualTo(192));
    }

    private static void UnionFind(EmulatorHarness h)
    {
        int[] edges = [.. Enumerable.Range(0, 40).SelectMany(k => new[] { k * 29 % 64, (k * 29 + k % 3 * 8) % 64 })];
        ulong parents = h.Upload(Enumerable.Range(0, 64).ToArray());
        h.Launch("union_find", new(2), new(32), 0, parents, h.Upload(edges), 40);
        int[] actual = h.Download<int>(parents, 64), expected = [.. Enumerable.Range(0, 64)];
        for (int round = 0; round < 64; round++)
        {
            for (int k = 0; k < 40; k++)
                expected[edges[2 * k]] = expected[edges[2 * k + 1]] = Math.Min(expected[edges[2 * k]], expected[edges[2 * k + 1]]);
        }
        Assert.That(Enumerable.Range(0, 64).Select(node => Root(actual, node)), Is.EqualTo(expected));

        static int Root(int[] parents, int node) => parents[node] == node ? node : Root(parents, parents[node]);
    }

    private static void SplitK(EmulatorHarness h)
    {
        float[] a = [.. Enumerable.Range(0, 1024).Select(k => (float)(k % 13))], b = [.. Enumerable.Range(0, 1024).Select(k => (float)(k % 7 - 3))];
        ulong sum = h.Reserve<float>(1), turn = h.Upload(new int[1]);
        h.Launch("split_k", new(8), new(32), 0, h.Upload(a), h.Upload(b), sum, turn, 1024);
        Assert.That(h.Download<float>(sum, 1)[0], Is.EqualTo(a.Zip(b, (x, y) => x * y).Sum()));
        Assert.That(h.Download<int>(turn, 1)[0], Is.Zero);
    }

    private static void HashInsert(EmulatorHarness h)
    {
        uint[] keys = [.. Enumerable.Range(0, 500).Select(k => (uint)(k * k % 997))];
        ulong table = h.Upload(new uint[1024]);
        h.Launch("hash_insert", new(4), new(128), 0, h.Upload(keys), table, 500, 1024);
        Assert.That(h.Download<uint>(table, 1024).Where(key => key > 0).Order(), Is.EqualTo(keys.Select(key => key + 1).Distinct().Order()));
    }

    private static void LastBlockResets(EmulatorHarness h)
    {
        ulong values = h.Upload(Enumerable.Range(0, 320).ToArray()), total = h.Upload(new int[1]), count = h.Upload(new int[1]);
        for (int launch = 0; launch < 2; launch++)
        {
            ulong target = h.Reserve<int>(1);
            h.Launch("last_block_resets", new(5), new(64), 0, values, total, count, target);
            Assert.That(h.Download<int>(target, 1)[0], Is.EqualTo(51040));
        }
        Assert.That(h.Download<int>(count, 1)[0], Is.Zero);
    }

    private static void Levenshtein(EmulatorHarness h)
    {
        int[] a = [.. Enumerable.Range(0, 64).Select(k => k * k % 11)], b = [.. Enumerable.Range(0, 64).Select(k => k * 5 % 13)];
        ulong target = h.Reserve<int>(1);
        h.Launch("levenshtein", new(1), new(96), 0, h.Upload(a), h.Upload(b), target);
        int[,] distance = new int[65, 65];
        for (int i = 0; i <= 64; i++)
        {
            for (int j = 0; j <= 64; j++)
            {
                distance[i, j] = i == 0 ? j : j == 0 ? i
                    : Math.Min(Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1, distance[i - 1, j - 1] + ((a[i - 1] & 3) != (b[j - 1] & 3) ? 1 : 0));
            }
        }
        Assert.That(h.Download<int>(target, 1)[0], Is.EqualTo(distance[64, 64]));
    }
}
