using System.Numerics;
using FsCheck;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Integer arithmetic of all widths on random operands, against arithmetic on integers without bounds (PTX ISA, Integer Arithmetic Instructions).</summary>
public sealed class IntegerPropertyTests
{
    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Integer_arithmetic_is_that_of_unbounded_integers_cut_to_the_width(DoNotSize<int> seed)
        => InstructionForm.Check(seed.Item, new[] { 16, 32, 64 }.SelectMany(bits => Arithmetic(bits, false).Concat(Arithmetic(bits, true))));

    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Saturated_24_bit_and_wide_forms_are_right(DoNotSize<int> seed)
    {
        BigInteger[] Values(ulong[] a) => [.. a.Select(x => Value(x, 32, true))];
        BigInteger Saturate(BigInteger x) => BigInteger.Max(int.MinValue, BigInteger.Min(int.MaxValue, x));
        BigInteger Short(ulong x, bool signed) => Value(x & 0xFFFFFF, 24, signed);
        List<InstructionForm> forms =
        [
            Form("add.sat.s32", 32, 2, a => Saturate(Values(a)[0] + Values(a)[1])),
            Form("sub.sat.s32", 32, 2, a => Saturate(Values(a)[0] - Values(a)[1])),
            Form("mad.hi.sat.s32", 32, 3, a => Saturate((Values(a)[0] * Values(a)[1] >> 32) + Values(a)[2])),
            Form("mad24.hi.sat.s32", 32, 3, a => Saturate((Short(a[0], true) * Short(a[1], true) >> 16) + Values(a)[2])),
        ];
        foreach (bool signed in new[] { false, true })
        {
            char letter = signed ? 's' : 'u';
            forms.Add(Form($"mul24.lo.{letter}32", 32, 2, a => Short(a[0], signed) * Short(a[1], signed)));
            forms.Add(Form($"mul24.hi.{letter}32", 32, 2, a => Short(a[0], signed) * Short(a[1], signed) >> 16));
            forms.Add(Form($"mad24.lo.{letter}32", 32, 3, a => Short(a[0], signed) * Short(a[1], signed) + a[2]));
            forms.Add(Form($"mad24.hi.{letter}32", 32, 3, a => (Short(a[0], signed) * Short(a[1], signed) >> 16) + a[2]));
            foreach (int bits in new[] { 16, 32 })
            {
                forms.Add(new($"mul.wide.{letter}{bits}", bits * 2, [bits, bits], a => Cut(Value(a[0], bits, signed) * Value(a[1], bits, signed), bits * 2)));
                forms.Add(new($"mad.wide.{letter}{bits}", bits * 2, [bits, bits, bits * 2], a => Cut(Value(a[0], bits, signed) * Value(a[1], bits, signed) + a[2], bits * 2)));
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Carries_go_through_chains_of_every_length_and_kind(DoNotSize<int> seed)
    {
        const string split = "mov.b64 {%t, %u}, %a0; mov.b64 {%v, %w}, %a1;";
        const string carry = "addc.u32 %n, 0, 0; shl.b32 %n, %n, 31; xor.b32 %u, %u, %n; mov.b64 %d, {%t, %u};";
        InstructionForm.Check(seed.Item,
        [
            // The last carry is shown in the top bit.
            new($"{split} add.cc.u32 %t, %t, %v; addc.cc.u32 %u, %u, %w; {carry}", 64, [64, 64],
                a => a[0] + a[1] ^ (UInt128.MaxValue >> 64 < (UInt128)a[0] + a[1] ? 1ul << 63 : 0)),
            new($"{split} sub.cc.u32 %t, %t, %v; subc.cc.s32 %u, %u, %w; subc.u32 %n, 0, 0; and.b32 %n, %n, 1; shl.b32 %n, %n, 31; xor.b32 %u, %u, %n; mov.b64 %d, {{%t, %u}};", 64, [64, 64],
                a => a[0] - a[1] ^ (a[0] < a[1] ? 1ul << 63 : 0)),
            new("add.cc.u64 %x, %a0, %a1; addc.u64 %d, %a2, %a3;", 64, [64, 64, 64, 64], a => (ulong)(((UInt128)a[2] << 64 | a[0]) + ((UInt128)a[3] << 64 | a[1]) >> 64)),
            new("sub.cc.s64 %x, %a0, %a1; subc.s64 %d, %a2, %a3;", 64, [64, 64, 64, 64], a => (ulong)(((UInt128)a[2] << 64 | a[0]) - ((UInt128)a[3] << 64 | a[1]) >> 64)),
            // The product of 32 bits in full, added to 64.
            new("mov.b64 {%t, %u}, %a2; mad.lo.cc.u32 %t, %a0, %a1, %t; madc.hi.u32 %u, %a0, %a1, %u; mov.b64 %d, {%t, %u};", 64, [32, 32, 64], a => a[0] * a[1] + a[2]),
            new("mov.b64 {%t, %u}, %a2; mad.lo.cc.s32 %t, %a0, %a1, %t; madc.hi.s32 %u, %a0, %a1, %u; mov.b64 %d, {%t, %u};", 64, [32, 32, 64],
                a => (ulong)((long)(int)a[0] * (int)a[1]) + a[2]),
        ]);
    }

    /// <summary>The bits as a number.</summary>
    internal static BigInteger Value(ulong x, int bits, bool signed)
        => signed && (x >> (bits - 1) & 1) != 0 ? (BigInteger)x - (BigInteger.One << bits) : x;

    /// <summary>The lowest bits of a number.</summary>
    internal static ulong Cut(BigInteger x, int bits) => (ulong)(x & (BigInteger.One << bits) - 1);

    private static InstructionForm Form(string instruction, int bits, int operands, Func<ulong[], BigInteger> expected)
        => new(instruction, bits, [.. Enumerable.Repeat(bits, operands)], a => Cut(expected(a), bits));

    private static IEnumerable<InstructionForm> Arithmetic(int bits, bool signed)
    {
        string type = $"{(signed ? 's' : 'u')}{bits}";
        InstructionForm Of(string name, int operands, Func<BigInteger, BigInteger, BigInteger, BigInteger> expected)
            => Form($"{name}.{type}", bits, operands, a => expected(Value(a[0], bits, signed), operands > 1 ? Value(a[1], bits, signed) : 0, operands > 2 ? Value(a[2], bits, signed) : 0));
        yield return Of("add", 2, (a, b, _) => a + b);
        yield return Of("sub", 2, (a, b, _) => a - b);
        yield return Of("mul.lo", 2, (a, b, _) => a * b);
        yield return Of("mul.hi", 2, (a, b, _) => a * b >> bits);
        yield return Of("mad.lo", 3, (a, b, c) => a * b + c);
        yield return Of("mad.hi", 3, (a, b, c) => (a * b >> bits) + c);
        yield return Of("sad", 3, (a, b, c) => c + BigInteger.Abs(a - b));
        // Division by zero is unspecified: the emulator gives all ones, and the dividend as the remainder, as devices do.
        yield return Of("div", 2, (a, b, _) => b.IsZero ? -1 : BigInteger.Divide(a, b));
        yield return Of("rem", 2, (a, b, _) => b.IsZero ? a : BigInteger.Remainder(a, b));
        yield return Of("min", 2, (a, b, _) => BigInteger.Min(a, b));
        yield return Of("max", 2, (a, b, _) => BigInteger.Max(a, b));
        if (signed)
        {
            yield return Of("neg", 1, (a, _, _) => -a);
            yield return Of("abs", 1, (a, _, _) => BigInteger.Abs(a));
        }
    }
}
