using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Atomic operations: every thread once on one cell, in global and in shared memory, against the same steps in C#.</summary>
public sealed class AtomicConformanceTests
{
    private static string Program(string operation, int size, bool shared, bool compare) => $$"""
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry test(.param .u64 cell, .param .u64 values, .param .u64 old)
        {
        .shared .align 8 .b8 s[8];
        .reg .pred %p; .reg .b32 %t; .reg .b64 %c, %v, %o, %place;
        .reg .b{{size * 8}} %x, %y, %z;
        ld.param.u64 %c, [cell]; ld.param.u64 %v, [values]; ld.param.u64 %o, [old];
        mov.u32 %t, %tid.x;
        mad.wide.u32 %v, %t, {{size}}, %v;
        mad.wide.u32 %o, %t, {{size}}, %o;
        mov.u64 %place, {{(shared ? "s" : "%c")}};
        ld.global.b{{size * 8}} %x, [%v];
        setp.eq.u32 %p, %t, 0;
        {{(shared ? $"@%p ld.global.b{size * 8} %y, [%c]; @%p st.shared.b{size * 8} [%place], %y;" : "")}}
        bar.sync 0;
        {{(compare ? "mov.b" + size * 8 + " %z, 77;" : "")}}
        {{operation.Replace("SPACE", shared ? "shared" : "global")}} %y, [%place], %x{{(compare ? ", %z" : "")}};
        st.global.b{{size * 8}} [%o], %y;
        bar.sync 0;
        {{(shared ? $"@%p ld.shared.b{size * 8} %y, [%place]; @%p st.global.b{size * 8} [%c], %y;" : "")}}
        ret;
        }
        """;

    private static void Check<T>(string operation, T start, T[] values, Func<T, T, T> step, bool compare = false)
        where T : unmanaged
    {
        foreach (bool shared in new[] { false, true })
        {
            using EmulatorHarness harness = new(Program(operation, Marshal.SizeOf<T>(), shared, compare));
            ulong cell = harness.Upload<T>([start]), old = harness.Reserve<T>(values.Length);
            harness.Launch("test", new(1), new((uint)values.Length), 0, cell, harness.Upload(values), old);
            // Within one warp lanes go in order.
            T state = start;
            T[] expected = new T[values.Length];
            for (int k = 0; k < values.Length; k++)
            {
                expected[k] = state;
                state = step(state, values[k]);
            }
            Assert.That(harness.Download<T>(old, values.Length), Is.EqualTo(expected), operation);
            Assert.That(harness.Download<T>(cell, 1)[0], Is.EqualTo(state), operation);
        }
    }

    private static readonly uint[] Values = [5, 0, 0xFFFFFFFF, 7, 0x80000000, 3, 3, 9, 100, 2];

    [Test]
    public void Integer_atomics_do_what_they_say()
    {
        Check("atom.SPACE.add.u32", 3u, Values, (a, b) => a + b);
        Check("atom.SPACE.min.s32", 3u, Values, (a, b) => (uint)Math.Min((int)a, (int)b));
        Check("atom.SPACE.min.u32", 30u, Values, Math.Min);
        Check("atom.SPACE.max.s32", 3u, Values, (a, b) => (uint)Math.Max((int)a, (int)b));
        Check("atom.SPACE.max.u32", 3u, Values, Math.Max);
        Check("atom.SPACE.and.b32", 0xFFu, Values, (a, b) => a & b);
        Check("atom.SPACE.or.b32", 0x100u, Values, (a, b) => a | b);
        Check("atom.SPACE.xor.b32", 0x1234u, Values, (a, b) => a ^ b);
        Check("atom.SPACE.exch.b32", 1u, Values, (a, b) => b);
        Check("atom.SPACE.inc.u32", 6u, Values, (a, b) => a >= b ? 0 : a + 1);
        Check("atom.SPACE.dec.u32", 6u, Values, (a, b) => a == 0 || a > b ? b : a - 1);
        Check("atom.SPACE.cas.b32", 5u, Values, (a, b) => a == b ? 77u : a, compare: true);
    }

    [Test]
    public void Long_and_floating_point_atomics_do_what_they_say()
    {
        ulong[] longs = [.. Values.Select(x => (ulong)x << 20 | x)];
        Check("atom.SPACE.add.u64", 3ul, longs, (a, b) => a + b);
        Check("atom.SPACE.max.s64", 3ul, longs, (a, b) => (ulong)Math.Max((long)a, (long)b));
        Check("atom.SPACE.cas.b64", longs[0], longs, (a, b) => a == b ? 77ul : a, compare: true);
        Check("atom.SPACE.add.f32", 0.5f, [1.1f, 2.7f, -1e6f, 1e-6f, 3e8f], (a, b) => a + b);
        Check("atom.SPACE.add.f64", 0.5, [1.1, 2.7, -1e6, 1e-6, 3e8], (a, b) => a + b);
        ushort[] halves = [.. new[] { 1.5f, -0.25f, 1000f, 0.001f }.Select(x => BitConverter.HalfToUInt16Bits((Half)x))];
        Check("atom.SPACE.add.noftz.f16", (ushort)0x3C00, halves, (a, b) => BitConverter.HalfToUInt16Bits(BitConverter.UInt16BitsToHalf(a) + BitConverter.UInt16BitsToHalf(b)));
        Check("atom.SPACE.cas.b16", halves[0], halves, (a, b) => a == b ? (ushort)77 : a, compare: true);
    }

    [Test]
    public void Integer_atomics_of_many_blocks_lose_nothing([Values(1, 2, 5)] int workers)
    {
        const string ptx = """
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry test(.param .u64 cell)
            {
            .reg .b64 %c; .reg .b32 %t;
            ld.param.u64 %c, [cell];
            mov.u32 %t, %tid.x;
            red.global.add.u32 [%c], %t;
            red.add.u32 [%c+4], 1;
            ret;
            }
            """;
        using EmulatorHarness harness = new(ptx);
        harness.Options = new EmulationOptions { Workers = workers };
        ulong cell = harness.Upload(new uint[2]);
        harness.Launch("test", new(100), new(128), 0, cell);
        Assert.That(harness.Download<uint>(cell, 2), Is.EqualTo(new uint[] { 100 * 127 * 64, 12800 }));
    }
}
