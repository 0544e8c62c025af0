using System.Numerics;
using FsCheck;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Shifts, bit fields, permutations, lookups and packed products on random operands, bit by bit as the PTX ISA defines them.</summary>
public sealed class BitPropertyTests
{
    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Shifts_are_clamped_at_the_width_and_funnel_shifts_join_two_registers(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach (int bits in new[] { 16, 32, 64 })
        {
            ulong Shifted(ulong[] a, Func<ulong, int, BigInteger> shift) => IntegerPropertyTests.Cut(shift(a[0], (int)Math.Min(a[1], 100)), bits);
            Func<Random, int, ulong> operand = (random, k) => k == 0 ? InstructionForm.Draw(random, bits) : Count(random);
            forms.Add(new($"shl.b{bits}", bits, [bits, 32], a => Shifted(a, (x, n) => (BigInteger)x << n)) { Operand = operand });
            forms.Add(new($"shr.u{bits}", bits, [bits, 32], a => Shifted(a, (x, n) => (BigInteger)x >> n)) { Operand = operand });
            forms.Add(new($"shr.b{bits}", bits, [bits, 32], a => Shifted(a, (x, n) => (BigInteger)x >> n)) { Operand = operand });
            forms.Add(new($"shr.s{bits}", bits, [bits, 32], a => Shifted(a, (x, n) => IntegerPropertyTests.Value(x, bits, true) >> n)) { Operand = operand });
        }
        foreach (bool wrap in new[] { false, true })
        {
            int Places(ulong count) => (int)(wrap ? count & 31 : Math.Min(count, 32));
            Func<Random, int, ulong> operand = (random, k) => k < 2 ? InstructionForm.Draw(random, 32) : Count(random);
            string mode = wrap ? "wrap" : "clamp";
            forms.Add(new($"shf.l.{mode}.b32", 32, [32, 32, 32], a => IntegerPropertyTests.Cut(((BigInteger)a[1] << 32 | a[0]) << Places(a[2]) >> 32, 32)) { Operand = operand });
            forms.Add(new($"shf.r.{mode}.b32", 32, [32, 32, 32], a => IntegerPropertyTests.Cut(((BigInteger)a[1] << 32 | a[0]) >> Places(a[2]), 32)) { Operand = operand });
        }
        InstructionForm.Check(seed.Item, forms);
    }

    private static ulong Count(Random random) => random.Next(8) == 0 ? InstructionForm.Draw(random, 32) : (ulong)random.Next(101);

    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Bit_fields_and_counts_are_what_a_loop_over_the_bits_finds(DoNotSize<int> seed)
    {
        List<InstructionForm> forms = [];
        foreach (int bits in new[] { 32, 64 })
        {
            Func<Random, int, ulong> field = (random, k) => k == 0 ? InstructionForm.Draw(random, bits) : Count(random);
            forms.Add(new($"bfe.u{bits}", bits, [bits, 32, 32], a => Extract(a, bits, false)) { Operand = field });
            forms.Add(new($"bfe.s{bits}", bits, [bits, 32, 32], a => Extract(a, bits, true)) { Operand = field });
            forms.Add(new($"bfi.b{bits}", bits, [bits, bits, 32, 32], a => Insert(a, bits)) { Operand = (random, k) => k < 2 ? InstructionForm.Draw(random, bits) : Count(random) });
            forms.Add(new($"popc.b{bits}", 32, [bits], a => (ulong)Enumerable.Range(0, bits).Count(k => Bit(a[0], k))));
            forms.Add(new($"clz.b{bits}", 32, [bits], a => (ulong)Enumerable.Range(0, bits).TakeWhile(k => !Bit(a[0], bits - 1 - k)).Count()));
            forms.Add(new($"brev.b{bits}", bits, [bits], a => Enumerable.Range(0, bits).Aggregate(0ul, (sum, k) => sum | (Bit(a[0], k) ? 1ul << (bits - 1 - k) : 0))));
            forms.Add(new($"cnot.b{bits}", bits, [bits], a => a[0] == 0 ? 1ul : 0));
            foreach (bool signed in new[] { false, true })
            {
                string type = $"{(signed ? 's' : 'u')}{bits}";
                forms.Add(new($"bfind.{type}", 32, [bits], a => Leading(a[0], bits, signed) is var place && place < 0 ? uint.MaxValue : (ulong)place));
                forms.Add(new($"bfind.shiftamt.{type}", 32, [bits], a => Leading(a[0], bits, signed) is var place && place < 0 ? uint.MaxValue : (ulong)(bits - 1 - place)));
            }
        }
        InstructionForm.Check(seed.Item, forms);
    }

    private static bool Bit(ulong x, int place) => (x >> place & 1) != 0;

    private static int Leading(ulong x, int bits, bool signed)
    {
        bool negative = signed && Bit(x, bits - 1);
        for (int k = bits - 1; k >= 0; k--)
        {
            if (Bit(x, k) != negative)
                return k;
        }
        return -1;
    }

    private static ulong Extract(ulong[] a, int bits, bool signed)
    {
        int position = (int)(a[1] & 255), length = (int)(a[2] & 255);
        bool sign = signed && length > 0 && Bit(a[0], Math.Min(position + length - 1, bits - 1));
        ulong result = 0;
        for (int k = 0; k < bits; k++)
            result |= (k < length && position + k < bits ? Bit(a[0], position + k) : sign) ? 1ul << k : 0;
        return result;
    }

    private static ulong Insert(ulong[] a, int bits)
    {
        int position = (int)(a[2] & 255), length = (int)(a[3] & 255);
        ulong result = a[1];
        for (int k = 0; k < length && position + k < bits; k++)
            result = result & ~(1ul << (position + k)) | (Bit(a[0], k) ? 1ul << (position + k) : 0);
        return result;
    }

    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Permutations_follow_the_table_of_every_mode(DoNotSize<int> seed)
    {
        // Source bytes of the result, highest first, for selectors 0 to 3.
        Dictionary<string, string[]> modes = new()
        {
            [".f4e"] = ["3210", "4321", "5432", "6543"],
            [".b4e"] = ["5670", "6701", "7012", "0123"],
            [".rc8"] = ["0000", "1111", "2222", "3333"],
            [".ecl"] = ["3210", "3211", "3222", "3333"],
            [".ecr"] = ["0000", "1110", "2210", "3210"],
            [".rc16"] = ["1010", "3232", "1010", "3232"],
        };
        ulong Byte(ulong[] a, int k) => (k < 4 ? a[0] : a[1]) >> 8 * (k & 3) & 255;
        InstructionForm.Check(seed.Item,
        [
            .. modes.Select(mode => new InstructionForm($"prmt.b32{mode.Key}", 32, [32, 32, 32],
                a => mode.Value[a[2] & 3].Aggregate(0ul, (sum, digit) => sum << 8 | Byte(a, digit - '0')))),
            new("prmt.b32", 32, [32, 32, 32], a => Enumerable.Range(0, 4).Aggregate(0ul, (sum, k) =>
            {
                int selector = (int)(a[2] >> 4 * k & 15);
                ulong value = Byte(a, selector & 7);
                return sum | (selector < 8 ? value : value < 128 ? 0ul : 255) << 8 * k;
            })),
        ]);
    }

    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Lookups_and_packed_products_are_right_for_every_table_and_sign(DoNotSize<int> seed)
    {
        Random random = new(seed.Item);
        List<InstructionForm> forms =
        [
            .. Enumerable.Range(0, 12).Select(_ => random.Next(256)).Select(table => new InstructionForm($"lop3.b32 %d, %a0, %a1, %a2, {table};", 32, [32, 32, 32],
                a => Enumerable.Range(0, 32).Aggregate(0ul, (sum, k) => sum | (ulong)(table >> ((Bit(a[0], k) ? 4 : 0) + (Bit(a[1], k) ? 2 : 0) + (Bit(a[2], k) ? 1 : 0)) & 1) << k))),
        ];
        foreach ((bool left, bool right) in new[] { (false, false), (false, true), (true, false), (true, true) })
        {
            string types = $"{(left ? 's' : 'u')}32.{(right ? 's' : 'u')}32";
            BigInteger Part(ulong x, int bits, int k, bool signed) => IntegerPropertyTests.Value(x >> bits * k & (1ul << bits) - 1, bits, signed);
            BigInteger Sum(ulong[] a, int bits, int count, int offset)
                => Enumerable.Range(0, count).Aggregate((BigInteger)a[2], (sum, k) => sum + Part(a[0], bits, k, left) * Part(a[1], 8, k + offset, right));
            forms.Add(new($"dp4a.{types}", 32, [32, 32, 32], a => IntegerPropertyTests.Cut(Sum(a, 8, 4, 0), 32)));
            forms.Add(new($"dp2a.lo.{types}", 32, [32, 32, 32], a => IntegerPropertyTests.Cut(Sum(a, 16, 2, 0), 32)));
            forms.Add(new($"dp2a.hi.{types}", 32, [32, 32, 32], a => IntegerPropertyTests.Cut(Sum(a, 16, 2, 2), 32)));
        }
        InstructionForm.Check(seed.Item, forms);
    }
}
