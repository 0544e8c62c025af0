using FsCheck;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Floating-point arithmetic of every format and rounding on random bits, against exact numbers rounded once (PTX ISA, Floating Point Instructions).</summary>
public sealed class FloatPropertyTests
{
    private static readonly string[] Roundings = ["rn", "rz", "rm", "rp"];

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Arithmetic_of_singles_is_exact_rounded_once_with_every_modifier(DoNotSize<int> seed)
        => InstructionForm.Check(seed.Item, Roundings.SelectMany(mode => new[] { "", ".ftz", ".sat", ".ftz.sat" }.SelectMany(flags => Arithmetic(ExactFloat.F32, mode, flags))));

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Arithmetic_of_doubles_is_exact_rounded_once(DoNotSize<int> seed)
        => InstructionForm.Check(seed.Item, Roundings.SelectMany(mode => Arithmetic(ExactFloat.F64, mode, "")));

    private static IEnumerable<InstructionForm> Arithmetic(ExactFloat format, string mode, string flags)
    {
        bool flush = flags.Contains("ftz", StringComparison.Ordinal), saturate = flags.Contains("sat", StringComparison.Ordinal);
        InstructionForm Of(string name, int operands, Func<ulong[], ulong> expected) => new($"{name}.{mode}{flags}.{format.Name}", format.Bits, [.. Enumerable.Repeat(format.Bits, operands)], a =>
        {
            ulong result = expected(flush ? [.. a.Select(format.Flush)] : a);
            result = flush ? format.Flush(result) : result;
            return saturate ? format.Saturate(result) : result;
        })
        {
            AnyNaN = format == ExactFloat.F64,
            Operand = (random, k) => Near(random, format),
        };
        yield return Of("add", 2, a => format.Add(a[0], a[1], mode));
        yield return Of("sub", 2, a => format.Add(a[0], a[1] ^ format.Sign, mode));
        yield return Of("mul", 2, a => format.Multiply(a[0], a[1], mode));
        yield return Of("fma", 3, a => format.MultiplyAdd(a[0], a[1], a[2], mode));
        if (saturate)
            yield break;
        yield return Of("div", 2, a => format.Divide(a[0], a[1], mode));
        yield return Of("rcp", 1, a => format.Divide(format.One, a[0], mode));
        yield return Of("sqrt", 1, a => format.SquareRoot(a[0], mode));
    }

    // Half of the operands have exponents around 1, so that sums cancel and products do not all overflow.
    private static ulong Near(Random random, ExactFloat format)
    {
        ulong bits = InstructionForm.Draw(random, format.Bits);
        return random.Next(2) == 0 ? bits : bits & (format.Sign | format.SmallestNormal - 1) | format.One + ((ulong)random.Next(-4, 5) << (format.Precision - 1));
    }

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Arithmetic_of_16_bits_is_exact_rounded_once_one_by_one_and_in_pairs(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach ((ExactFloat format, string flags) in new[] { (ExactFloat.F16, ""), (ExactFloat.F16, ".ftz"), (ExactFloat.F16, ".sat"), (ExactFloat.F16, ".ftz.sat"), (ExactFloat.F16, ".relu"), (ExactFloat.BF16, ""), (ExactFloat.BF16, ".relu") })
        {
            ulong Finish(ulong x)
            {
                x = flags.Contains("ftz", StringComparison.Ordinal) ? format.Flush(x) : x;
                x = flags.Contains("sat", StringComparison.Ordinal) ? format.Saturate(x) : x;
                return flags == ".relu" && !format.IsNaN(x) && format.IsNegative(x) ? 0 : x;
            }
            void Add(string name, int operands, Func<ulong[], ulong> expected)
            {
                ulong One(ulong[] a) => Finish(expected(flags.Contains("ftz", StringComparison.Ordinal) ? [.. a.Select(format.Flush)] : a));
                forms.Add(new($"{name}{flags}.{format.Name}", 16, [.. Enumerable.Repeat(16, operands)], One));
                forms.Add(new($"{name}{flags}.{format.Name}x2", 32, [.. Enumerable.Repeat(32, operands)],
                    a => One([.. a.Select(x => x & 0xFFFF)]) | One([.. a.Select(x => x >> 16)]) << 16));
            }
            Add("fma.rn", 3, a => format.MultiplyAdd(a[0], a[1], a[2], "rn"));
            if (format == ExactFloat.BF16 || flags == ".relu")
                continue;
            Add("add", 2, a => format.Add(a[0], a[1], "rn"));
            Add("sub.rn", 2, a => format.Add(a[0], a[1] ^ format.Sign, "rn"));
            Add("mul", 2, a => format.Multiply(a[0], a[1], "rn"));
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Extremes_signs_and_classes_know_NaN_zeros_and_subnormals(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach (ExactFloat format in new[] { ExactFloat.F16, ExactFloat.BF16, ExactFloat.F32, ExactFloat.F64 })
        {
            string type = format.Name;
            void Add(string instruction, int operands, Func<ulong[], ulong> expected)
                => forms.Add(new(instruction, format.Bits, [.. Enumerable.Repeat(format.Bits, operands)], expected) { AnyNaN = format == ExactFloat.F64 });
            bool single = format == ExactFloat.F32, half = format == ExactFloat.F16;
            foreach (bool greater in new[] { false, true })
            {
                string name = greater ? "max" : "min";
                Add($"{name}.{type}", 2, a => format.Extreme(a[0], a[1], greater, false));
                if (format != ExactFloat.F64)
                    Add($"{name}.NaN.{type}", 2, a => format.Extreme(a[0], a[1], greater, true));
                if (single || half)
                {
                    Add($"{name}.ftz.{type}", 2, a => format.Extreme(format.Flush(a[0]), format.Flush(a[1]), greater, false));
                    Add($"{name}.ftz.NaN.{type}", 2, a => format.Extreme(format.Flush(a[0]), format.Flush(a[1]), greater, true));
                }
            }
            // The sign of a NaN is unspecified for neg and abs.
            ulong Numbers(Random random, int k) => InstructionForm.Draw(random, format.Bits) is var x && format.IsNaN(x) ? format.One : x;
            foreach (string flags in single || half ? new[] { "", ".ftz" } : [""])
            {
                ulong Flushed(ulong x) => flags.Length > 0 ? format.Flush(x) : x;
                forms.Add(new($"neg{flags}.{type}", format.Bits, [format.Bits], a => Flushed(a[0]) ^ format.Sign) { Operand = Numbers });
                forms.Add(new($"abs{flags}.{type}", format.Bits, [format.Bits], a => Flushed(a[0]) & ~format.Sign) { Operand = Numbers });
            }
            if (format.Bits == 16)
                continue;
            Add($"copysign.{type}", 2, a => a[0] & format.Sign | a[1] & ~format.Sign);
            void Test(string name, Func<ulong, bool> holds)
                => forms.Add(new($"testp.{name}.{type} %p, %a0; selp.u32 %d, 1, 0, %p;", 32, [format.Bits], a => holds(a[0]) ? 1ul : 0));
            Test("finite", format.IsFinite);
            Test("infinite", x => (x & ~format.Sign) == format.Infinity);
            Test("number", x => !format.IsNaN(x));
            Test("notanumber", format.IsNaN);
            Test("normal", x => format.IsFinite(x) && (x & ~format.Sign) >= format.SmallestNormal);
            Test("subnormal", x => !format.IsZero(x) && (x & ~format.Sign) < format.SmallestNormal);
        }
        InstructionForm.Check(seed.Item, forms);
    }

    /// <summary>PTX ISA, div: a * (1 / b), whose reciprocal is zero for |b| above 2^126.</summary>
    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Approximate_division_by_what_has_no_normal_reciprocal_gives_zero_or_NaN(DoNotSize<int> seed)
    {
        ExactFloat format = ExactFloat.F32;
        ulong Operand(Random random, int k) => k == 0
            ? InstructionForm.Draw(random, 32)
            : (ulong)random.NextInt64(0x7E800001, 0x7F800000) | (random.Next(2) == 0 ? format.Sign : 0);
        InstructionForm.Check(seed.Item,
        [
            new("div.approx.f32", 32, [32, 32], a => format.IsFinite(a[0]) ? (a[0] ^ a[1]) & format.Sign : format.NaN) { Operand = Operand },
            new("div.approx.ftz.f32", 32, [32, 32], a => format.IsFinite(a[0]) ? (a[0] ^ a[1]) & format.Sign : format.NaN) { Operand = Operand },
            new("div.full.f32", 32, [32, 32], a => format.Divide(a[0], a[1], "rn")) { Operand = Operand },
        ]);
    }
}
