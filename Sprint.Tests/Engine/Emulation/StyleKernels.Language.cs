namespace Sprint.Tests.Engine.Emulation;

/// <summary>Kernels about integers, simulation, the language and synchronisation.</summary>
internal static partial class StyleKernels
{
    private static void Philox(EmulatorHarness h)
    {
        ulong target = h.Reserve<uint>(4 * 50);
        h.Launch("philox_fill", new(1), new(64), 0, target, 0x12345678_9ABCDEF0ul, 50);
        Equal(h, target, Make(200, e => PhiloxWord((uint)e / 4, 0x12345678_9ABCDEF0, e % 4)));
    }

    private static uint PhiloxWord(uint counter, ulong seed, int word)
    {
        uint[] c = [counter, 0, 0, 0];
        (uint k0, uint k1) = ((uint)seed, (uint)(seed >> 32));
        for (int round = 0; round < 10; round++, k0 += 0x9E3779B9, k1 += 0xBB67AE85)
        {
            ulong p = 0xD2511F53ul * c[0], q = 0xCD9E8D57ul * c[2];
            c = [(uint)(q >> 32) ^ c[1] ^ k0, (uint)q, (uint)(p >> 32) ^ c[3] ^ k1, (uint)p];
        }
        return c[word];
    }

    private static void Hashes(EmulatorHarness h)
    {
        ulong[] input = Make(100, k => (ulong)k * 0x123456789ABCDEF1 ^ (ulong)k << 40);
        ulong target = h.Reserve<ulong>(100);
        h.Launch("hashes", new(1), new(48), 0, h.Upload(input), target, 100);
        Equal(h, target, [.. input.Select(Hash)]);
    }

    private static ulong Hash(ulong x)
    {
        x ^= x >> 33;
        x *= 0xff51afd7ed558ccd;
        x ^= x >> 33;
        x *= 0xc4ceb9fe1a85ec53;
        x ^= x >> 33;
        uint crc = uint.MaxValue;
        for (int b = 0; b < 8; b++)
        {
            crc ^= (byte)(x >> 8 * b);
            for (int k = 0; k < 8; k++)
                crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
        }
        return (x << 17 | x >> 47) + Math.BigMul(x, 0x9E3779B97F4A7C15, out _) ^ (ulong)~crc << 7 ^ x % 1000003 * (x / 977);
    }

    private static void NBody(EmulatorHarness h)
    {
        const int n = 128;
        float[] bodies = Numbers(n * 4, 27);
        ulong target = h.Reserve<float>(n * 3);
        h.Launch("n_body", new(2), new(64), 0, h.Upload(bodies), target, n);
        Close(h, target, Make(n * 3, e =>
        {
            double force = 0;
            for (int j = 0; j < n; j++)
            {
                double[] d = Make(3, k => (double)bodies[j * 4 + k] - bodies[e / 3 * 4 + k]);
                force += d[e % 3] * bodies[j * 4 + 3] * Math.Pow(d.Sum(x => x * x) + 0.01f, -1.5);
            }
            return force;
        }), 2e-4);
    }

    private static void Life(EmulatorHarness h)
    {
        const int w = 40, height = 9;
        byte[] input = [.. Integers(w * height, 28, 0, 2).Select(x => (byte)x)];
        ulong target = h.Reserve<byte>(w * height);
        h.Launch("life", new(2, height), new(32), 0, h.Upload(input), target, w, height);
        Equal(h, target, Make(w * height, e =>
        {
            int alive = Enumerable.Range(0, 9).Where(k => k != 4).Sum(k => input[(e / w + k / 3 - 1 + height) % height * w + (e % w + k % 3 - 1 + w) % w]);
            return (byte)(alive == 3 || (alive == 2 && input[e] != 0) ? 1 : 0);
        }));
    }

    private static int Ackermann(int m, int n) => m == 0 ? n + 1 : n == 0 ? Ackermann(m - 1, 1) : Ackermann(m - 1, Ackermann(m, n - 1));

    private static void ByValue(EmulatorHarness h)
    {
        int[] values = Integers(1000, 29, -99, 99);
        byte[] table = new byte[4004];
        Buffer.BlockCopy(values, 0, table, 0, 4000);
        BitConverter.TryWriteBytes(table.AsSpan(4000), (short)-7);
        ulong target = h.Reserve<int>(96);
        h.Launch("by_value", new(1), new(96), 0, table, target, 123);
        Equal(h, target, Make(96, t => values[(t * 31 + 123) % 1000] - 7));
    }

    private static void PaddedStructs(EmulatorHarness h)
    {
        ulong target = h.Reserve<int>(64);
        h.Launch("padded_structs", new(1), new(64), 0, h.Reserve<byte>(64 * 24), target);
        Equal(h, target, Make(64, t => 63 - (t ^ 1) is var s ? s * 3 + (s & 1) + s + 7 + 1 : 0));
    }

    private static void ConditionalValues(EmulatorHarness h)
    {
        int[] input = Integers(64, 30, 0, 30);
        ulong target = h.Reserve<int>(64);
        h.Launch("conditional_values", new(1), new(64), 0, h.Upload(input), target, 4);
        Equal(h, target, Make(64, t =>
        {
            int x = input[t];
            float f = x;
            for (int k = 1; k < 4; k++)
                f = f * 0.5f + 5;
            return (x > 10 ? x * 3 + 1 : -1) + ((x & 1) != 0 ? (int)f : 0);
        }));
    }

    private static void SeveralArrays(EmulatorHarness h)
    {
        const int n = 48;
        float[] input = Make(n, k => (float)k);
        ulong target = h.Reserve<double>(n);
        h.Launch("several_arrays", new(1), new(n), n * 15, h.Upload(input), target, n);
        Equal(h, target, Make(n, t => (t + 1) % n * 10.0));
    }

    private static void Lambdas(EmulatorHarness h)
    {
        ulong target = h.Reserve<int>(300);
        h.Launch("lambdas", new(2), new(64), 0, target, 300, 3);
        Equal(h, target, Make(300, i => (int)(BitConverter.SingleToUInt32Bits(i * 3 + 5) >> 23)));
    }

    private static void BitFields(EmulatorHarness h)
    {
        uint[] input = [.. Integers(128, 31, int.MinValue, int.MaxValue).Select(x => (uint)x)];
        ulong target = h.Reserve<int>(64);
        h.Launch("bit_fields", new(1), new(64), 0, h.Upload(input), target);
        Equal(h, target, Make(64, t =>
        {
            uint a = input[2 * t];
            int d = (int)(input[2 * t + 1] << 27) >> 27;
            d = (d - 3) << 27 >> 27;
            return (int)(a & 7) + (int)((a >> 3 & 127) + 9 & 127) * 10 + (int)(a >> 10 & 1023) * 2000 + d;
        }));
    }

    private static void SwitchTable(EmulatorHarness h)
    {
        int[] ops = Integers(96, 32, 0, 14);
        ulong target = h.Reserve<int>(96);
        h.Launch("switch_table", new(1), new(96), 0, h.Upload(ops), target);
        Equal(h, target, Make(96, t =>
        {
            (int a, int b) = (t * 7, t - 20);
            return ops[t] switch { 0 => a + b, 1 => a - b, 2 => a * b, 3 => b != 0 ? a / b : 0, 4 => a & b, 5 => a | b, 6 => a ^ b, 7 => a << b, 8 => a >> b, 9 => Math.Min(a, b), 10 => Math.Max(a, b), 11 => ~a, _ => -1 };
        }));
    }

    private static void Pipeline(EmulatorHarness h)
    {
        int[] input = Integers(64 * 7, 33, 0, 1000);
        ulong target = h.Reserve<int>(input.Length);
        h.Launch("pipeline", new(2), new(128), 0, h.Upload(input), target, 7);
        Equal(h, target, Make(input.Length, e => input[e / 64 * 64 + 63 - e % 64] + 1));
    }

    private static void TicketLock(EmulatorHarness h)
    {
        ulong value = h.Upload(new[] { 1 });
        h.Launch("ticket_lock", new(6), new(128), 0, h.Upload(new int[1]), h.Upload(new int[1]), value);
        int expected = 1;
        for (int k = 0; k < 24; k++)
            expected = expected * 3 % 1000003 + 1;
        Equal(h, value, [expected]);
    }

    private static void EarlyExit(EmulatorHarness h)
    {
        const int n = 75;
        int[] input = Integers(n, 34, 0, 1000);
        ulong target = h.Reserve<int>(n);
        h.Launch("early_exit", new(2), new(64), 0, h.Upload(input), target, n);
        Equal(h, target, Make(n, i => (i ^ 1) < n ? input[i ^ 1] : 0));
    }
}
