using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// Runs one PTX instruction over arrays of operands, a thread an element, and compares every result bit for bit with a
/// function computed in C#.
/// </summary>
internal static class Conformance
{
    public static readonly uint[] Edges32 =
    [
        0, 1, 2, 3, 5, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x12345678, 0x55555555, 0xAAAAAAAA,
        0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF,
    ];

    public static readonly float[] EdgesSingle =
    [
        0f, -0f, 1f, -1f, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f, 0.1f, 3f, 1e-3f, 123456.79f, 16777216f, 16777217f, 1e10f, -1e10f, 2147483648f, 4294967296f, 1e20f,
        float.Epsilon, -float.Epsilon, 1e-40f, -1e-40f, 1.17549435e-38f, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    public static readonly double[] EdgesDouble =
    [
        0, -0.0, 1, -1, 0.5, 1.5, 2.5, 0.1, 1e-300, -1e-300, 1e300, 4.9e-324, -4.9e-324, 2.2250738585072014e-308, double.MaxValue, double.MinValue,
        double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1e19, -1e19, 123456789.123,
    ];

    /// <summary>Edge values with random ones behind.</summary>
    public static T[] WithRandom<T>(T[] edges, Func<Random, T> next, int count = 40)
    {
        Random random = new(edges.Length);
        return [.. edges, .. Enumerable.Range(0, count).Select(_ => next(random))];
    }

    public static uint[] Integers => WithRandom(Edges32, random => (uint)random.NextInt64(1L << 32));

    public static ulong[] Longs => [.. Integers.Select(x => (ulong)x), .. Integers.Select(x => (ulong)x << 32 | x * 2654435761u), ulong.MaxValue, 1ul << 63, (1ul << 63) - 1];

    public static float[] Singles => WithRandom(EdgesSingle, random => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)));

    public static double[] Doubles => WithRandom(EdgesDouble, random => BitConverter.Int64BitsToDouble(random.NextInt64()));

    /// <summary>All pairs of two arrays.</summary>
    public static (T[] A, T[] B) Pairs<T>(T[] values)
        => ([.. values.SelectMany(a => values.Select(_ => a))], [.. values.SelectMany(_ => values)]);

    /// <summary>
    /// Executes <paramref name="body"/> once a thread: it reads %a0, %a1, ... (registers of each array's element size) and writes %d.
    /// </summary>
    public static TResult[] Run<TResult>(string body, params Array[] operands)
        where TResult : unmanaged
    {
        int count = operands[0].Length;
        using EmulatorHarness harness = new(Program(body, Marshal.SizeOf<TResult>(), [.. operands.Select(SizeOf)]));
        List<object> arguments = [.. operands.Select(operand => (object)harness.Upload<byte>(Bytes(operand)))];
        ulong target = harness.Reserve<TResult>(count);
        arguments.Add(target);
        arguments.Add(count);
        harness.Launch("test", new((uint)(count + 95) / 96), new(96), 0, [.. arguments]);
        return harness.Download<TResult>(target, count);
    }

    public static void AssertEqual<T>(string instruction, T[] actual, Func<int, T> expected, Func<int, string> describe)
        where T : unmanaged
    {
        for (int k = 0; k < actual.Length; k++)
        {
            T wanted = expected(k);
            if (!MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in actual[k])).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in wanted))))
                Assert.Fail($"{instruction} of {describe(k)} gives {actual[k]}, expected {wanted}.");
        }
    }

    public static void Unary<TSource, TResult>(string instruction, TSource[] a, Func<TSource, TResult> expected)
        where TSource : unmanaged
        where TResult : unmanaged
        => AssertEqual(instruction, Run<TResult>($"{instruction} %d, %a0;", a), k => expected(a[k]), k => $"{a[k]}");

    public static void Binary<TSource, TResult>(string instruction, TSource[] values, Func<TSource, TSource, TResult> expected)
        where TSource : unmanaged
        where TResult : unmanaged
    {
        (TSource[] a, TSource[] b) = Pairs(values);
        AssertEqual(instruction, Run<TResult>($"{instruction} %d, %a0, %a1;", a, b), k => expected(a[k], b[k]), k => $"{a[k]} and {b[k]}");
    }

    public static void Ternary<TSource, TResult>(string instruction, TSource[] values, Func<TSource, TSource, TSource, TResult> expected)
        where TSource : unmanaged
        where TResult : unmanaged
    {
        (TSource[] a, TSource[] b) = Pairs(values);
        TSource[] c = [.. Enumerable.Range(0, a.Length).Select(k => values[(k * 7 + k / values.Length) % values.Length])];
        AssertEqual(instruction, Run<TResult>($"{instruction} %d, %a0, %a1, %a2;", a, b, c), k => expected(a[k], b[k], c[k]), k => $"{a[k]}, {b[k]} and {c[k]}");
    }

    /// <summary>The NaN that the hardware makes of 32-bit operations.</summary>
    public static float Canonical(float value) => float.IsNaN(value) ? BitConverter.UInt32BitsToSingle(0x7FFFFFFF) : value;

    private static int SizeOf(Array operand) => Buffer.ByteLength(operand) / operand.Length;

    private static byte[] Bytes(Array operand)
    {
        byte[] bytes = new byte[Buffer.ByteLength(operand)];
        Buffer.BlockCopy(operand, 0, bytes, 0, bytes.Length);
        return bytes;
    }

    private static string Program(string body, int resultSize, int[] sizes)
    {
        string parameters = string.Concat(sizes.Select((_, k) => $".param .u64 p{k}, "));
        string registers = string.Concat(sizes.Select((size, k) => $".reg .b{size * 8} %a{k};\n"));
        string loads = string.Concat(sizes.Select((size, k) => $"ld.param.u64 %address, [p{k}];\nmad.wide.u32 %address, %i, {size}, %address;\nld.global.b{size * 8} %a{k}, [%address];\n"));
        return $$"""
            .version 7.8
            .target sm_90
            .address_size 64
            .visible .entry test({{parameters}}.param .u64 target, .param .u32 count)
            {
            .reg .pred %p, %q, %outside;
            .reg .b32 %i, %n, %t, %u, %v, %w;
            .reg .b16 %h, %g;
            .reg .b64 %address, %x, %y;
            .reg .b{{resultSize * 8}} %d;
            {{registers}}
            mov.u32 %i, %ctaid.x;
            mov.u32 %n, %ntid.x;
            mov.u32 %t, %tid.x;
            mad.lo.u32 %i, %i, %n, %t;
            ld.param.u32 %n, [count];
            setp.ge.u32 %outside, %i, %n;
            @%outside bra DONE;
            {{loads}}
            {{body}}
            ld.param.u64 %address, [target];
            mad.wide.u32 %address, %i, {{resultSize}}, %address;
            st.global.b{{resultSize * 8}} [%address], %d;
            DONE:
            ret;
            }
            """;
    }
}
