using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Instructions that treat the halves of a register apart: two values of 16 bits in one of 32 (pairs of halves), two of 32 in one of 64.</summary>
internal sealed partial class UndefinedFlow
{
    private static UndefinedStep? StepOfHalves(PtxInstruction i, int[] targets)
    {
        UndefinedRule? rule = i.Operands switch
        {
            [{ Kind: PtxOperandKind.Register }, { Kind: PtxOperandKind.Vector, Items.Length: 2 }] when i.Name == "mov" => UndefinedRule.Pack,
            [{ Kind: PtxOperandKind.Vector, Items.Length: 2 }, { Kind: PtxOperandKind.Register }] when i.Name == "mov" => UndefinedRule.Unpack,
            [_, { Kind: PtxOperandKind.Register }] when IsNarrowing(i) => UndefinedRule.Unpack,
            [_, _, _] when i.Name == "cvt" && IsOfPairs(i) => UndefinedRule.Pack,
            [_, { Kind: PtxOperandKind.Register }] when i.Name == "mov" => UndefinedRule.Halves,
            _ when IsHalfByHalf(i) => UndefinedRule.Halves,
            _ => null,
        };
        int[] sources = rule == UndefinedRule.Pack && i.Name == "mov" ? Items(i.Operands[1])
            : rule == UndefinedRule.Pack ? [Number(i.Operands[2].Register), Number(i.Operands[1].Register)]
            : Numbers(DefiniteAssignment.PassedOn(i));
        return rule is null ? null : new UndefinedStep(rule.Value, i, [], sources, rule == UndefinedRule.Unpack ? Items(i.Operands[0]) : targets);
    }

    // A conversion that reads the lower half of its source alone.
    private static bool IsNarrowing(PtxInstruction i)
        => i.Name == "cvt" && i.Modifiers is ["u32" or "s32" or "u16" or "s16" or "u8" or "s8", "u64" or "s64"] or ["u16" or "s16" or "u8" or "s8", "u32" or "s32"];

    private static bool IsOfPairs(PtxInstruction i) => i.Has("f16x2") || i.Has("bf16x2");

    private static bool IsHalfByHalf(PtxInstruction i) => i.Name switch
    {
        "and" or "or" or "xor" or "not" or "lop3" => !i.Has("pred") && !i.Has("BOOL") && i.Operands[0].Kind == PtxOperandKind.Register,
        "add" or "sub" or "mul" or "fma" or "neg" or "abs" or "min" or "max" or "ex2" or "tanh" => IsOfPairs(i),
        _ => false,
    };
}
