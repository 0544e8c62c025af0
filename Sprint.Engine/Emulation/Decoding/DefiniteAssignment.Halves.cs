using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Values of 16 bits in registers of 32: headers shuffle them so, with an upper half that was never written (cooperative groups, of half precision). A
/// register is read by its lower half alone if all that read it narrow it, or move it to registers of the kind.
/// </summary>
internal sealed partial class DefiniteAssignment
{
    private bool[]? lowerHalves;

    private static bool IsPackOfHalves(PtxInstruction i)
        => i.Name == "mov" && i.Has("b32") && i.Operands is [{ Kind: PtxOperandKind.Register }, { Kind: PtxOperandKind.Vector, Items.Length: 2 }];

    private bool IsReadByLowerHalf(PtxRegister register) => (lowerHalves ??= FindLowerHalves())[register.Index];

    private bool[] FindLowerHalves()
    {
        bool[] narrow = new bool[function.Registers.Count];
        if (!function.Instructions.Exists(i => i.Name == "shfl"))
            return narrow;
        foreach (PtxRegister register in function.Registers)
            narrow[register.Index] = register.Size == 4;
        bool[] read = new bool[function.Registers.Count];
        foreach (PtxRegister register in function.Instructions.SelectMany(Read))
            read[register.Index] = true;
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (PtxInstruction i in function.Instructions)
            {
                PtxRegister? spared = Narrowed(i, narrow, read);
                foreach (PtxRegister register in Read(i))
                {
                    changed |= register != spared && narrow[register.Index];
                    narrow[register.Index] &= register == spared;
                }
            }
        }
        return narrow;
    }

    // The register of which an instruction reads the lower half alone, null if there is none.
    private static PtxRegister? Narrowed(PtxInstruction i, bool[] narrow, bool[] read)
    {
        if (i.Operands is not [var target, { Register: { } source }, ..])
            return null;
        bool isNarrowed = i.Name switch
        {
            "shfl" => !i.Operands.Skip(2).Any(operand => operand.Register == source) && IsNarrow(target.Kind == PtxOperandKind.Pair ? target.Items[0] : target),
            "mov" when target.Kind == PtxOperandKind.Vector => i.Has("b32") && target.Items is [_, var upper] && (upper.Register is null || !read[upper.Register.Index]),
            "mov" => IsNarrow(target),
            "cvt" => i.Modifiers is ["u16" or "s16" or "u8" or "s8", "u32" or "s32"],
            _ => false,
        };
        return isNarrowed ? source : null;

        bool IsNarrow(PtxOperand operand) => operand.Register is null || narrow[operand.Register.Index];
    }
}
