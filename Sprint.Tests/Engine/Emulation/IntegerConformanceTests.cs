using System.Numerics;
using NUnit.Framework;
using static Sprint.Tests.Engine.Emulation.Conformance;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Integer instructions against C#, edge values included.</summary>
public sealed class IntegerConformanceTests
{
    [Test]
    public void Arithmetic_of_32_bits_is_right()
    {
        Binary<uint, uint>("add.u32", Integers, (a, b) => a + b);
        Binary<uint, uint>("sub.s32", Integers, (a, b) => a - b);
        Binary<uint, uint>("add.sat.s32", Integers, (a, b) => (uint)(int)Math.Clamp((long)(int)a + (int)b, int.MinValue, int.MaxValue));
        Binary<uint, uint>("sub.sat.s32", Integers, (a, b) => (uint)(int)Math.Clamp((long)(int)a - (int)b, int.MinValue, int.MaxValue));
        Binary<uint, uint>("mul.lo.s32", Integers, (a, b) => a * b);
        Binary<uint, uint>("mul.hi.s32", Integers, (a, b) => (uint)((long)(int)a * (int)b >> 32));
        Binary<uint, uint>("mul.hi.u32", Integers, (a, b) => (uint)((ulong)a * b >> 32));
        Binary<uint, uint>("mul24.lo.u32", Integers, (a, b) => (a & 0xFFFFFF) * (b & 0xFFFFFF));
        Binary<uint, uint>("mul24.hi.s32", Integers, (a, b) => (uint)((long)((int)a << 8 >> 8) * ((int)b << 8 >> 8) >> 16));
        Binary<uint, ulong>("mul.wide.s32", Integers, (a, b) => (ulong)((long)(int)a * (int)b));
        Binary<uint, ulong>("mul.wide.u32", Integers, (a, b) => (ulong)a * b);
        Binary<uint, uint>("min.s32", Integers, (a, b) => (uint)Math.Min((int)a, (int)b));
        Binary<uint, uint>("max.u32", Integers, Math.Max);
        Ternary<uint, uint>("mad.lo.u32", Integers, (a, b, c) => a * b + c);
        Ternary<uint, uint>("mad.hi.s32", Integers, (a, b, c) => (uint)((long)(int)a * (int)b >> 32) + c);
        Ternary<uint, uint>("mad.hi.sat.s32", Integers, (a, b, c) => (uint)(int)Math.Clamp(((long)(int)a * (int)b >> 32) + (int)c, int.MinValue, int.MaxValue));
        Ternary<uint, uint>("sad.s32", Integers, (a, b, c) => c + (uint)Math.Abs((long)(int)a - (int)b));
        Ternary<uint, uint>("sad.u32", Integers, (a, b, c) => c + (a < b ? b - a : a - b));
        Unary<uint, uint>("neg.s32", Integers, a => 0 - a);
        Unary<uint, uint>("abs.s32", Integers, a => (int)a < 0 ? 0 - a : a);
    }

    [Test]
    public void Division_and_remainder_are_right_by_zero_too()
    {
        Binary<uint, uint>("div.u32", Integers, (a, b) => b == 0 ? uint.MaxValue : a / b);
        Binary<uint, uint>("div.s32", Integers, (a, b) => b == 0 ? uint.MaxValue : (uint)((long)(int)a / (int)b));
        Binary<uint, uint>("rem.u32", Integers, (a, b) => b == 0 ? a : a % b);
        Binary<uint, uint>("rem.s32", Integers, (a, b) => b == 0 ? a : (uint)((long)(int)a % (int)b));
        Binary<ulong, ulong>("div.s64", Longs, (a, b) => b == 0 ? ulong.MaxValue : (ulong)(long)((Int128)(long)a / (long)b));
        Binary<ulong, ulong>("rem.u64", Longs, (a, b) => b == 0 ? a : a % b);
    }

    [Test]
    public void Arithmetic_of_64_and_16_bits_is_right()
    {
        Binary<ulong, ulong>("add.s64", Longs, (a, b) => a + b);
        Binary<ulong, ulong>("mul.lo.s64", Longs, (a, b) => a * b);
        Binary<ulong, ulong>("mul.hi.u64", Longs, (a, b) => (ulong)((UInt128)a * b >> 64));
        Binary<ulong, ulong>("mul.hi.s64", Longs, (a, b) => (ulong)(long)((Int128)(long)a * (long)b >> 64));
        Binary<ulong, ulong>("max.s64", Longs, (a, b) => (ulong)Math.Max((long)a, (long)b));
        Ternary<ulong, ulong>("mad.lo.u64", Longs, (a, b, c) => a * b + c);
        ushort[] shorts = [.. Integers.Select(x => (ushort)x)];
        Binary<ushort, ushort>("add.s16", shorts, (a, b) => (ushort)(a + b));
        Binary<ushort, ushort>("mul.lo.u16", shorts, (a, b) => (ushort)(a * b));
        Binary<ushort, ushort>("mul.hi.s16", shorts, (a, b) => (ushort)((short)a * (short)b >> 16));
        Binary<ushort, uint>("mul.wide.s16", shorts, (a, b) => (uint)((short)a * (short)b));
        Binary<ushort, uint>("mul.wide.u16", shorts, (a, b) => (uint)a * b);
        Binary<ushort, ushort>("min.s16", shorts, (a, b) => (ushort)Math.Min((short)a, (short)b));
        Binary<ushort, ushort>("div.s16", shorts, (a, b) => b == 0 ? ushort.MaxValue : (ushort)((short)a / (short)b));
    }

    [Test]
    public void Logic_and_shifts_are_right_for_counts_beyond_the_width()
    {
        Binary<uint, uint>("and.b32", Integers, (a, b) => a & b);
        Binary<ulong, ulong>("xor.b64", Longs, (a, b) => a ^ b);
        Unary<uint, uint>("not.b32", Integers, a => ~a);
        Unary<uint, uint>("cnot.b32", Integers, a => a == 0 ? 1u : 0);
        Binary<uint, uint>("shl.b32", Integers, (a, b) => b > 31 ? 0 : a << (int)b);
        Binary<uint, uint>("shr.u32", Integers, (a, b) => b > 31 ? 0 : a >> (int)b);
        Binary<uint, uint>("shr.s32", Integers, (a, b) => (uint)((int)a >> (int)Math.Min(b, 31)));
        uint[] counts = Longs.Select(x => (uint)x).ToArray();
        ulong[] longs = Longs;
        AssertEqual("shl.b64", Run<ulong>("shl.b64 %d, %a0, %a1;", longs, counts), k => counts[k] > 63 ? 0 : longs[k] << (int)counts[k], k => $"{longs[k]} {counts[k]}");
        AssertEqual("shr.s64", Run<ulong>("shr.s64 %d, %a0, %a1;", longs, counts), k => (ulong)((long)longs[k] >> (int)Math.Min(counts[k], 63)), k => $"{longs[k]} {counts[k]}");
        foreach (int table in new[] { 0x00, 0x80, 0x96, 0xE8, 0xCA, 0x1B, 0xFF })
        {
            (uint[] a, uint[] b) = Pairs(Integers);
            uint[] c = [.. a.Select((x, k) => x ^ b[k] * 3)];
            AssertEqual($"lop3 {table:X}", Run<uint>($"lop3.b32 %d, %a0, %a1, %a2, {table};", a, b, c), k => Lookup(a[k], b[k], c[k], table), k => $"{a[k]}");
        }
    }

    private static uint Lookup(uint a, uint b, uint c, int table)
    {
        uint result = 0;
        for (int bit = 0; bit < 32; bit++)
        {
            int index = (int)((a >> bit & 1) << 2 | (b >> bit & 1) << 1 | (c >> bit & 1));
            result |= (uint)(table >> index & 1) << bit;
        }
        return result;
    }

    [Test]
    public void Bit_counting_and_reversal_are_right()
    {
        Unary<uint, uint>("popc.b32", Integers, a => (uint)BitOperations.PopCount(a));
        Unary<ulong, uint>("popc.b64", Longs, a => (uint)BitOperations.PopCount(a));
        Unary<uint, uint>("clz.b32", Integers, a => (uint)BitOperations.LeadingZeroCount(a));
        Unary<ulong, uint>("clz.b64", Longs, a => (uint)BitOperations.LeadingZeroCount(a));
        Unary<uint, uint>("bfind.u32", Integers, a => a == 0 ? uint.MaxValue : (uint)BitOperations.Log2(a));
        Unary<uint, uint>("bfind.s32", Integers, a => ((int)a < 0 ? ~a : a) is var x && x == 0 ? uint.MaxValue : (uint)BitOperations.Log2(x));
        Unary<uint, uint>("bfind.shiftamt.u32", Integers, a => a == 0 ? uint.MaxValue : 31 - (uint)BitOperations.Log2(a));
        Unary<uint, uint>("brev.b32", Integers, a => Convert.ToUInt32(new string([.. Convert.ToString(a, 2).PadLeft(32, '0').Reverse()]), 2));
        Unary<ulong, ulong>("brev.b64", Longs, a => Convert.ToUInt64(new string([.. Convert.ToString((long)a, 2).PadLeft(64, '0').Reverse()]), 2));
    }

    [Test]
    public void Bit_fields_follow_the_definition_of_the_isa()
    {
        uint[] places = [0, 1, 5, 8, 16, 30, 31, 32, 33, 64, 255, 256];
        (uint[] b, uint[] c) = Pairs(places);
        foreach (uint value in new[] { 0x89ABCDEFu, 0x12345678u, 0xFFFFFFFFu, 0x80000000u })
        {
            uint[] a = [.. b.Select(_ => value)];
            uint[] background = [.. b.Select(_ => 0x0F0FF0F0u)];
            AssertEqual("bfe.u32", Run<uint>("bfe.u32 %d, %a0, %a1, %a2;", a, b, c), k => Extract(a[k], b[k], c[k], false), k => $"{a[k]:X} {b[k]} {c[k]}");
            AssertEqual("bfe.s32", Run<uint>("bfe.s32 %d, %a0, %a1, %a2;", a, b, c), k => Extract(a[k], b[k], c[k], true), k => $"{a[k]:X} {b[k]} {c[k]}");
            AssertEqual("bfi.b32", Run<uint>("bfi.b32 %d, %a0, %a3, %a1, %a2;", a, b, c, background), k => Insert(a[k], background[k], b[k], c[k]), k => $"{a[k]:X} {b[k]} {c[k]}");
        }
    }

    // Bit by bit, as the ISA's pseudo-code has it.
    private static uint Extract(uint a, uint b, uint c, bool signed)
    {
        int position = (int)(b & 0xFF), length = (int)(c & 0xFF);
        uint sign = !signed || length == 0 ? 0 : a >> Math.Min(position + length - 1, 31) & 1;
        uint result = 0;
        for (int k = 0; k < 32; k++)
            result |= (k < length && position + k <= 31 ? a >> (position + k) & 1 : sign) << k;
        return result;
    }

    private static uint Insert(uint a, uint background, uint b, uint c)
    {
        int position = (int)(b & 0xFF), length = (int)(c & 0xFF);
        for (int k = 0; k < length && position + k <= 31; k++)
            background = background & ~(1u << (position + k)) | (a >> k & 1) << (position + k);
        return background;
    }

    [Test]
    public void Permutations_funnel_shifts_and_dot_products_are_right()
    {
        Ternary<uint, uint>("prmt.b32", Integers, (a, b, c) =>
        {
            byte[] bytes = [.. BitConverter.GetBytes(a), .. BitConverter.GetBytes(b)];
            uint result = 0;
            for (int k = 0; k < 4; k++)
            {
                int selector = (int)(c >> 4 * k & 15);
                uint value = (selector & 8) != 0 ? (uint)((sbyte)bytes[selector & 7] >> 7 & 0xFF) : bytes[selector & 7];
                result |= value << 8 * k;
            }
            return result;
        });
        Ternary<uint, uint>("shf.l.wrap.b32", Integers, (a, b, c) => (uint)(((ulong)b << 32 | a) << (int)(c & 31) >> 32));
        Ternary<uint, uint>("shf.r.clamp.b32", Integers, (a, b, c) => (uint)(((ulong)b << 32 | a) >> (int)Math.Min(c, 32)));
        Ternary<uint, uint>("dp4a.s32.u32", Integers, (a, b, c) => (uint)(c + Enumerable.Range(0, 4).Sum(k => (long)(sbyte)(a >> 8 * k) * (byte)(b >> 8 * k))));
        Ternary<uint, uint>("dp2a.hi.u32.s32", Integers, (a, b, c) => (uint)(c + Enumerable.Range(0, 2).Sum(k => (long)(ushort)(a >> 16 * k) * (sbyte)(b >> 16 + 8 * k))));
        Binary<uint, uint>("bmsk.clamp.b32", Integers, (a, b) => (uint)(((1ul << (int)Math.Min(b, 32)) - 1) << (int)Math.Min(a, 32)));
        Binary<uint, uint>("szext.wrap.s32", Integers, (a, b) => (b & 31) == 0 ? 0 : (uint)((int)(a << 32 - (int)(b & 31)) >> 32 - (int)(b & 31)));
    }

    [Test]
    public void Carries_chain_through_long_additions_and_subtractions()
    {
        (ulong[] a, ulong[] b) = Pairs(Longs);
        string Chain(string first, string second) => $$"""
            mov.b64 {%t, %u}, %a0;
            mov.b64 {%v, %w}, %a1;
            {{first}} %t, %t, %v;
            {{second}} %u, %u, %w;
            mov.b64 %d, {%t, %u};
            """;
        AssertEqual("add.cc", Run<ulong>(Chain("add.cc.u32", "addc.u32"), a, b), k => a[k] + b[k], k => $"{a[k]} {b[k]}");
        AssertEqual("sub.cc", Run<ulong>(Chain("sub.cc.u32", "subc.u32"), a, b), k => a[k] - b[k], k => $"{a[k]} {b[k]}");
    }

    [Test]
    public void Comparisons_and_selections_are_right()
    {
        Dictionary<string, Func<uint, uint, bool>> comparisons = new()
        {
            ["eq.s32"] = (a, b) => a == b,
            ["ne.u32"] = (a, b) => a != b,
            ["lt.s32"] = (a, b) => (int)a < (int)b,
            ["le.s32"] = (a, b) => (int)a <= (int)b,
            ["gt.u32"] = (a, b) => a > b,
            ["ge.u32"] = (a, b) => a >= b,
            ["lo.u32"] = (a, b) => a < b,
            ["hs.u32"] = (a, b) => a >= b,
        };
        (uint[] a, uint[] b) = Pairs(Integers);
        foreach ((string comparison, Func<uint, uint, bool> holds) in comparisons)
        {
            AssertEqual(comparison, Run<uint>($"setp.{comparison} %p, %a0, %a1; selp.u32 %d, 7, 9, %p;", a, b), k => holds(a[k], b[k]) ? 7u : 9, k => $"{a[k]} {b[k]}");
            AssertEqual(comparison, Run<uint>($"set.{comparison.Split('.')[0]}.u32.{comparison.Split('.')[1]} %d, %a0, %a1;", a, b), k => holds(a[k], b[k]) ? uint.MaxValue : 0, k => $"{a[k]} {b[k]}");
        }
        AssertEqual("setp pair", Run<uint>("setp.ne.u32 %q, %a1, 1; setp.lt.and.u32 %p|%q, %a0, %a1, %q; selp.u32 %t, 1, 0, %p; selp.u32 %u, 2, 0, %q; or.b32 %d, %t, %u;", a, b),
            k => b[k] == 1 ? 0 : a[k] < b[k] ? 1u : 2u, k => $"{a[k]} {b[k]}");
        AssertEqual("slct", Run<uint>("slct.u32.s32 %d, 3, %a1, %a0;", a, b), k => (int)a[k] >= 0 ? 3u : b[k], k => $"{a[k]} {b[k]}");
    }
}
