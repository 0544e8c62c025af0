using System.Numerics;
using FsCheck;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Conversions between all types in all roundings on random bits, against exact numbers (PTX ISA, cvt).</summary>
public sealed class ConversionPropertyTests
{
    private static readonly ExactFloat[] Floats = [ExactFloat.F16, ExactFloat.BF16, ExactFloat.F32, ExactFloat.F64];

    private static readonly (int Bits, bool Signed)[] Integers = [(8, false), (8, true), (16, false), (16, true), (32, false), (32, true), (64, false), (64, true)];

    private static readonly string[] Roundings = ["rn", "rz", "rm", "rp"];

    private static string Name((int Bits, bool Signed) type) => $"{(type.Signed ? 's' : 'u')}{type.Bits}";

    // Types of 8 bits live in registers of 32.
    private static int Register(int bits) => bits == 8 ? 32 : bits;

    [FsCheck.NUnit.Property(MaxTest = 2, Replay = "1129,7")]
    public void Floats_to_integers_round_clamp_and_give_NaN_its_value(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach (ExactFloat source in Floats)
        {
            foreach ((int Bits, bool Signed) type in Integers)
            {
                foreach (string mode in Roundings)
                {
                    forms.Add(new($"cvt.{mode}i.{Name(type)}.{source.Name}", Register(type.Bits), [source.Bits], a => ToInteger(source, a[0], type, mode)));
                    if (source == ExactFloat.F32)
                        forms.Add(new($"cvt.{mode}i.ftz.sat.{Name(type)}.f32", Register(type.Bits), [32], a => ToInteger(source, source.Flush(a[0]), type, mode)));
                }
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }

    private static ulong ToInteger(ExactFloat source, ulong x, (int Bits, bool Signed) type, string mode)
    {
        BigInteger least = type.Signed ? -(BigInteger.One << (type.Bits - 1)) : 0;
        BigInteger most = (BigInteger.One << (type.Signed ? type.Bits - 1 : type.Bits)) - 1;
        BigInteger value = source.IsNaN(x)
            ? source != ExactFloat.F64 && type.Bits < 64 ? 0 : type.Signed ? least : BigInteger.One << (type.Bits - 1)
            : !source.IsFinite(x) ? source.IsNegative(x) ? least : most
            : BigInteger.Max(least, BigInteger.Min(most, Integral(source, x, mode)));
        return IntegerPropertyTests.Cut(value, Register(type.Bits));
    }

    private static BigInteger Integral(ExactFloat source, ulong x, string mode)
    {
        (BigInteger mantissa, int exponent) = source.Exact(x);
        if (exponent >= 0)
            return mantissa << exponent;
        BigInteger floor = mantissa >> -exponent;
        BigInteger rest = mantissa - (floor << -exponent);
        int half = (rest * 2).CompareTo(BigInteger.One << -exponent);
        bool up = !rest.IsZero && mode switch
        {
            "rz" => mantissa.Sign < 0,
            "rm" => false,
            "rp" => true,
            _ => half > 0 || (half == 0 && !floor.IsEven),
        };
        return floor + (up ? 1 : 0);
    }

    [FsCheck.NUnit.Property(MaxTest = 2, Replay = "1129,7")]
    public void Integers_to_floats_are_rounded_once_and_saturate(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach ((int Bits, bool Signed) type in Integers)
        {
            foreach (ExactFloat result in Floats)
            {
                foreach (string mode in Roundings)
                {
                    ulong Convert(ulong x)
                    {
                        BigInteger value = IntegerPropertyTests.Value(x & ulong.MaxValue >> (64 - type.Bits), type.Bits, type.Signed);
                        return value.IsZero ? 0 : result.Round(value, 1, 0, mode);
                    }
                    forms.Add(new($"cvt.{mode}.{result.Name}.{Name(type)}", result.Bits, [Register(type.Bits)], a => Convert(a[0])));
                    if (result != ExactFloat.BF16)
                        forms.Add(new($"cvt.{mode}.sat.{result.Name}.{Name(type)}", result.Bits, [Register(type.Bits)], a => result.Saturate(Convert(a[0]))));
                }
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 2, Replay = "1129,7")]
    public void Integers_extend_wrap_and_saturate_between_all_types(DoNotSize<int> seed)
        => InstructionForm.Check(seed.Item, Integers.SelectMany(source => Integers.SelectMany(result => new[] { false, true }.Select(saturate =>
            new InstructionForm($"cvt{(saturate ? ".sat" : "")}.{Name(result)}.{Name(source)}", Register(result.Bits), [Register(source.Bits)], a =>
            {
                BigInteger value = IntegerPropertyTests.Value(a[0] & ulong.MaxValue >> (64 - source.Bits), source.Bits, source.Signed);
                BigInteger least = result.Signed ? -(BigInteger.One << (result.Bits - 1)) : 0;
                BigInteger most = (BigInteger.One << (result.Signed ? result.Bits - 1 : result.Bits)) - 1;
                if (saturate)
                    value = BigInteger.Max(least, BigInteger.Min(most, value));
                return IntegerPropertyTests.Cut(IntegerPropertyTests.Value(IntegerPropertyTests.Cut(value, result.Bits), result.Bits, result.Signed), Register(result.Bits));
            })))));

    [FsCheck.NUnit.Property(MaxTest = 2, Replay = "1129,7")]
    public void Floats_to_floats_are_rounded_once_in_every_direction(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        void Add(string instruction, ExactFloat result, ExactFloat source, Func<ulong, ulong> expected)
            => forms.Add(new($"cvt.{instruction}.{result.Name}.{source.Name}", result.Bits, [source.Bits], a => expected(a[0])) { AnyNaN = result == ExactFloat.F64 });
        foreach (ExactFloat source in Floats)
        {
            // Between the two formats of 16 bits there is none before compute capability 9.0.
            foreach (ExactFloat result in Floats.Where(result => result != source && result.Bits + source.Bits > 32))
            {
                bool widens = result.Precision > source.Precision && result.Smallest <= source.Smallest;
                foreach (string mode in widens ? ["rn"] : Roundings)
                {
                    string rounding = widens ? "" : mode + ".";
                    void With(string flags, Func<ulong, ulong> expected)
                        => forms.Add(new($"cvt.{rounding}{flags}{result.Name}.{source.Name}", result.Bits, [source.Bits], a => expected(a[0])) { AnyNaN = result == ExactFloat.F64 });
                    With("", x => result.From(source, x, mode));
                    if (result != ExactFloat.BF16 && source != ExactFloat.BF16)
                        With("sat.", x => result.Saturate(result.From(source, x, mode)));
                    if (result == ExactFloat.F32 && source != ExactFloat.BF16)
                        With("ftz.", x => result.Flush(result.From(source, x, mode)));
                    if (source == ExactFloat.F32 && result != ExactFloat.BF16)
                        With("ftz.", x => result.From(source, source.Flush(x), mode));
                }
            }
            foreach (string mode in source == ExactFloat.BF16 ? [] : Roundings)
            {
                ulong Rounded(ulong x)
                {
                    if (!source.IsFinite(x))
                        return source.IsNaN(x) ? source.NaN : x;
                    BigInteger value = Integral(source, x, mode);
                    return value.IsZero ? x & source.Sign : source.Round(value, 1, 0, mode);
                }
                Add(mode + "i", source, source, Rounded);
                Add(mode + "i.sat", source, source, x => source.Saturate(Rounded(x)));
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 2, Replay = "1129,7")]
    public void Integers_are_saturated_and_packed_above_each_other(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach ((int bits, bool signed) in new[] { (2, false), (2, true), (4, false), (4, true), (8, false), (8, true), (16, false), (16, true) })
        {
            BigInteger Clamp(ulong x)
            {
                BigInteger least = signed ? -(BigInteger.One << (bits - 1)) : 0, most = (BigInteger.One << (signed ? bits - 1 : bits)) - 1;
                return IntegerPropertyTests.Cut(BigInteger.Max(least, BigInteger.Min(most, (int)(uint)x)), bits);
            }
            ulong Pack(ulong a, ulong b, ulong c) => (ulong)(Clamp(b) + (Clamp(a) << bits) + ((BigInteger)(c & uint.MaxValue) << (2 * bits)) & uint.MaxValue);
            forms.Add(bits == 16
                ? new($"cvt.pack.sat.{Name((bits, signed))}.s32", 32, [32, 32], a => Pack(a[0], a[1], 0))
                : new($"cvt.pack.sat.{Name((bits, signed))}.s32.b32", 32, [32, 32, 32], a => Pack(a[0], a[1], a[2])));
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 2, Replay = "1129,7")]
    public void Pairs_and_tensor_floats_are_rounded_and_clamped(DoNotSize<int> seed)
    {
        ExactFloat source = ExactFloat.F32;
        ulong Relu(ExactFloat format, ulong x) => !format.IsNaN(x) && format.IsNegative(x) ? 0 : x;
        List<InstructionForm> forms = [];
        foreach (ExactFloat half in new[] { ExactFloat.F16, ExactFloat.BF16 })
        {
            foreach (string mode in new[] { "rn", "rz" })
            {
                ulong Pair(ulong[] a, Func<ulong, ulong> finish) => finish(half.From(source, a[0], mode)) << 16 | finish(half.From(source, a[1], mode));
                forms.Add(new($"cvt.{mode}.{half.Name}x2.f32", 32, [32, 32], a => Pair(a, x => x)));
                forms.Add(new($"cvt.{mode}.relu.{half.Name}x2.f32", 32, [32, 32], a => Pair(a, x => Relu(half, x))));
                forms.Add(new($"cvt.{mode}.relu.{half.Name}.f32", 16, [32], a => Relu(half, half.From(source, a[0], mode))));
            }
        }
        // TF32 has the exponents of f32 and a mantissa of 10 bits.
        ExactFloat tensor = new("tf32", 19, 11, -136);
        foreach (string mode in new[] { "rna", "rn", "rz" })
        {
            ulong Rounded(ulong x) => source.IsNaN(x) ? source.NaN : tensor.From(source, x, mode) << 13;
            forms.Add(new($"cvt.{mode}.tf32.f32", 32, [32], a => Rounded(a[0])));
            if (mode != "rna")
                forms.Add(new($"cvt.{mode}.relu.tf32.f32", 32, [32], a => Relu(source, Rounded(a[0]))));
        }
        InstructionForm.Check(seed.Item, forms);
    }
}
