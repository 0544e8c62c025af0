using System.Globalization;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// One form of a PTX instruction and its meaning: bits of the operands to bits of the result, computed without the emulator's operators.
/// </summary>
/// <param name="Instruction">The opcode, which is given %d, %a0, %a1, ...; or whole PTX text that reads those and writes %d.</param>
/// <param name="ResultBits">Width of %d: 16, 32 or 64.</param>
/// <param name="OperandBits">Width of each operand.</param>
/// <param name="Expected">The result's bits.</param>
internal sealed record InstructionForm(string Instruction, int ResultBits, int[] OperandBits, Func<ulong[], ulong> Expected)
{
    /// <summary>Lanes of a launch: two blocks of 96, a block of them more than a warp.</summary>
    private const int Lanes = 192;

    private static readonly ulong[] Patterns =
    [
        0, 1, 2, 7, 15, 16, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x3FF, 0x400, 0x3C00, 0x3F80, 0x7BFF, 0x7C00, 0x7C01, 0x7F80, 0x7F81, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFF, 0x800000,
        0x3F800000, 0x4F000000, 0x5F000000, 0x7EFFFFFF, 0x7F000000, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x000FFFFFFFFFFFFF, 0x0010000000000000,
        0x3FF0000000000000, 0x41E0000000000000, 0x43E0000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF8000000000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, ulong.MaxValue,
    ];

    /// <summary>Whether a result is a double, whose NaN may have any payload.</summary>
    public bool AnyNaN { get; init; }

    /// <summary>Draws operands instead of <see cref="Draw"/>, where only some values say anything.</summary>
    public Func<Random, int, ulong>? Operand { get; init; }

    /// <summary>Runs every form on random operands and compares all bits.</summary>
    public static void Check(int seed, IEnumerable<InstructionForm> forms)
    {
        foreach (InstructionForm form in forms)
            form.Check(new Random(HashCode.Combine(seed)));
    }

    /// <summary>A value of the given width: uniform, an edge value or one near it, a short run of ones, or small.</summary>
    public static ulong Draw(Random random, int bits)
    {
        ulong value = random.Next(6) switch
        {
            0 => Patterns[random.Next(Patterns.Length)],
            1 => Patterns[random.Next(Patterns.Length)] + (ulong)random.Next(-2, 3),
            2 => 0 - Patterns[random.Next(Patterns.Length)],
            3 => (ulong)random.NextInt64(1L << random.Next(1, bits - 1)) << random.Next(bits),
            _ => (ulong)random.NextInt64() << 1 ^ (ulong)random.Next(2),
        };
        return bits == 64 ? value : value & (1ul << bits) - 1;
    }

    private void Check(Random random)
    {
        ulong[][] operands = [.. OperandBits.Select((bits, k) => Enumerable.Range(0, Lanes).Select(_ => Operand is null ? Draw(random, bits) : Operand(random, k)).ToArray())];
        // Equal operands are rare among random ones and decide comparisons.
        if (operands.Length > 1 && OperandBits[0] == OperandBits[1] && Operand is null)
            Array.Copy(operands[0], operands[1], Lanes / 12);
        string body = Instruction.Contains('%', StringComparison.Ordinal)
            ? Instruction
            : $"{Instruction} %d{string.Concat(OperandBits.Select((_, k) => $", %a{k}"))};";
        Array[] arrays = [.. operands.Select((values, k) => Narrow(values, OperandBits[k]))];
        ulong[] found = ResultBits switch
        {
            16 => [.. Conformance.Run<ushort>(body, arrays)],
            32 => [.. Conformance.Run<uint>(body, arrays)],
            _ => Conformance.Run<ulong>(body, arrays),
        };
        for (int lane = 0; lane < Lanes; lane++)
        {
            ulong[] a = [.. operands.Select(values => values[lane])];
            ulong expected = Expected(a);
            bool bothNaN = AnyNaN && double.IsNaN(BitConverter.UInt64BitsToDouble(expected)) && double.IsNaN(BitConverter.UInt64BitsToDouble(found[lane]));
            if (found[lane] != expected && !bothNaN)
                Assert.Fail($"{Instruction} of {string.Join(", ", a.Select((x, k) => Hexadecimal(x, OperandBits[k])))} gives {Hexadecimal(found[lane], ResultBits)}, expected {Hexadecimal(expected, ResultBits)}.");
        }
    }

    private static string Hexadecimal(ulong value, int bits) => "0x" + value.ToString($"X{bits / 4}", CultureInfo.InvariantCulture);

    private static Array Narrow(ulong[] values, int bits) => bits switch
    {
        16 => values.Select(x => (ushort)x).ToArray(),
        32 => values.Select(x => (uint)x).ToArray(),
        _ => values,
    };
}
