using FsCheck;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Comparisons and selections of all types on random operands, with every operator and combination (PTX ISA, Comparison and Selection Instructions).</summary>
public sealed class ComparisonPropertyTests
{
    private static readonly string[] Ordered = ["eq", "ne", "lt", "le", "gt", "ge"];

    private static bool Holds(string operation, int order) => operation switch
    {
        "eq" => order == 0,
        "ne" => order != 0,
        "lt" or "lo" => order < 0,
        "le" or "ls" => order <= 0,
        "gt" or "hi" => order > 0,
        _ => order >= 0,
    };

    private static bool Holds(ExactFloat format, string operation, ulong a, ulong b)
    {
        bool unordered = format.IsNaN(a) || format.IsNaN(b);
        return operation switch
        {
            "num" => !unordered,
            "nan" => unordered,
            _ when unordered => operation.Length == 3,
            _ => Holds(operation[..2], format.Wide(a).CompareTo(format.Wide(b) == 0 && format.Wide(a) == 0 ? format.Wide(a) : format.Wide(b))),
        };
    }

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Integers_are_compared_by_every_operator(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach (int bits in new[] { 16, 32, 64 })
        {
            foreach ((char letter, string[] operations) in new[] { ('s', Ordered), ('u', [.. Ordered, "lo", "ls", "hi", "hs"]), ('b', Ordered[..2]) })
            {
                foreach (string operation in operations)
                {
                    int Order(ulong[] a) => IntegerPropertyTests.Value(a[0], bits, letter == 's').CompareTo(IntegerPropertyTests.Value(a[1], bits, letter == 's'));
                    forms.Add(new($"setp.{operation}.{letter}{bits} %p, %a0, %a1; selp.b32 %d, 7, 9, %p;", 32, [bits, bits], a => Holds(operation, Order(a)) ? 7ul : 9));
                    forms.Add(new($"set.{operation}.u32.{letter}{bits}", 32, [bits, bits], a => Holds(operation, Order(a)) ? uint.MaxValue : 0ul));
                    forms.Add(new($"set.{operation}.f32.{letter}{bits}", 32, [bits, bits], a => Holds(operation, Order(a)) ? 0x3F800000ul : 0ul));
                }
            }
            forms.Add(new($"setp.ne.u32 %p, %a2, 0; selp.b{bits} %d, %a0, %a1, %p;", bits, [bits, bits, 32], a => a[2] != 0 ? a[0] : a[1]));
            forms.Add(new($"slct.b{bits}.s32 %d, %a0, %a1, %a2;", bits, [bits, bits, 32], a => (int)a[2] >= 0 ? a[0] : a[1]));
            forms.Add(new($"slct.b{bits}.f32 %d, %a0, %a1, %a2;", bits, [bits, bits, 32], a => BitConverter.UInt32BitsToSingle((uint)a[2]) >= 0 ? a[0] : a[1]));
            forms.Add(new($"slct.ftz.b{bits}.f32 %d, %a0, %a1, %a2;", bits, [bits, bits, 32], a => BitConverter.UInt32BitsToSingle((uint)ExactFloat.F32.Flush(a[2])) >= 0 ? a[0] : a[1]));
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Floats_are_compared_by_every_operator_with_and_without_order(DoNotSize<int> seed)
    {
        string[] operations = [.. Ordered, .. Ordered.Select(operation => operation + "u"), "num", "nan"];
        List<InstructionForm> forms = [];
        foreach (ExactFloat format in new[] { ExactFloat.F16, ExactFloat.BF16, ExactFloat.F32, ExactFloat.F64 })
        {
            foreach (string operation in operations)
            {
                foreach (string flags in format == ExactFloat.F16 || format == ExactFloat.F32 ? new[] { "", ".ftz" } : [""])
                {
                    ulong Flushed(ulong x) => flags.Length > 0 ? format.Flush(x) : x;
                    bool Compared(ulong a, ulong b) => Holds(format, operation, Flushed(a), Flushed(b));
                    int bits = format.Bits;
                    forms.Add(new($"setp.{operation}{flags}.{format.Name} %p, %a0, %a1; selp.b32 %d, 7, 9, %p;", 32, [bits, bits], a => Compared(a[0], a[1]) ? 7ul : 9));
                    forms.Add(new($"set.{operation}{flags}.u32.{format.Name}", 32, [bits, bits], a => Compared(a[0], a[1]) ? uint.MaxValue : 0ul));
                    if (bits == 16)
                    {
                        forms.Add(new($"set.{operation}{flags}.{format.Name}.{format.Name}", 16, [16, 16], a => Compared(a[0], a[1]) ? format.One : 0));
                        forms.Add(new($"set.{operation}{flags}.{format.Name}x2.{format.Name}x2", 32, [32, 32],
                            a => (Compared(a[0] & 0xFFFF, a[1] & 0xFFFF) ? format.One : 0) | (Compared(a[0] >> 16, a[1] >> 16) ? format.One << 16 : 0)));
                    }
                }
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Both_results_of_a_comparison_are_combined_with_a_third_predicate(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach ((string name, Func<bool, bool, bool> combine) in new (string, Func<bool, bool, bool>)[] { ("and", (a, b) => a && b), ("or", (a, b) => a || b), ("xor", (a, b) => a != b) })
        {
            foreach (bool inverted in new[] { false, true })
            {
                bool Third(ulong[] a) => (a[2] & 1) != 0 != inverted;
                string head = "and.b32 %t, %a2, 1; setp.ne.u32 %q, %t, 0;";
                string sign = inverted ? "!" : "";
                forms.Add(new($"{head} setp.lt.{name}.s32 %p|%q, %a0, %a1, {sign}%q; selp.u32 %t, 1, 0, %p; selp.u32 %u, 2, 0, %q; or.b32 %d, %t, %u;", 32, [32, 32, 32],
                    a => (combine((int)a[0] < (int)a[1], Third(a)) ? 1ul : 0) | (combine((int)a[0] >= (int)a[1], Third(a)) ? 2ul : 0)));
                forms.Add(new($"{head} setp.leu.{name}.f32 %p|%q, %a0, %a1, {sign}%q; selp.u32 %t, 1, 0, %p; selp.u32 %u, 2, 0, %q; or.b32 %d, %t, %u;", 32, [32, 32, 32],
                    a => (combine(Holds(ExactFloat.F32, "leu", a[0], a[1]), Third(a)) ? 1ul : 0) | (combine(!Holds(ExactFloat.F32, "leu", a[0], a[1]), Third(a)) ? 2ul : 0)));
                forms.Add(new($"{head} set.ge.{name}.u32.s32 %d, %a0, %a1, {sign}%q;", 32, [32, 32, 32], a => combine((int)a[0] >= (int)a[1], Third(a)) ? uint.MaxValue : 0ul));
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }
}
