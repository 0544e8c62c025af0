using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Which decoder knows which opcode.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void Dispatch(PtxInstruction i)
    {
        switch (i.Name)
        {
            case "add" or "sub" or "mul" or "div" or "min" or "max" or "neg" or "abs" or "fma" or "mad" or "copysign" when TypeOf(i).IsFloat():
                DecodeFloat(i);
                break;
            case "rcp" or "sqrt" or "rsqrt" or "ex2" or "lg2" or "sin" or "cos" or "tanh":
                DecodeSpecialFunction(i);
                break;
            case "add" or "sub" or "mul" or "mad" or "mul24" or "mad24" or "div" or "rem" or "neg" or "abs" or "min" or "max" or "sad" or "addc" or "subc" or "madc":
                DecodeInteger(i);
                break;
            case "and" or "or" or "xor" or "not" or "cnot" or "shl" or "shr" or "lop3":
                DecodeLogic(i);
                break;
            case "popc" or "clz" or "bfind" or "brev" or "bfe" or "bfi" or "prmt" or "shf" or "dp4a" or "dp2a" or "fns" or "szext" or "bmsk":
                DecodeBits(i);
                break;
            case "setp" or "set" or "selp" or "slct" or "testp":
                DecodeComparison(i);
                break;
            case "mov":
                DecodeMove(i);
                break;
            case "cvt":
                DecodeConversion(i);
                break;
            case "cvta" or "isspacep":
                DecodeAddressSpace(i);
                break;
            case "ld" or "ldu" or "st":
                DecodeMemory(i);
                break;
            case "atom" or "red":
                DecodeAtomic(i);
                break;
            case "bra" or "brx" or "call" or "ret" or "exit" or "trap" or "brkpt" or "nanosleep":
                DecodeControl(i);
                break;
            case "bar" or "barrier" or "membar" or "fence":
                DecodeBarrier(i);
                break;
            case "shfl" or "vote" or "match" or "redux" or "activemask":
                DecodeWarp(i);
                break;
            case "wmma":
                DecodeFragment(i);
                break;
            case "mma" when i.Has("m8n8k4") && TypeOf(i) == PtxType.F64:
                DecodeDoubleProduct(i);
                break;
            case "cp" or "mma" or "ldmatrix":
                DecodeTensor(i);
                break;
            case "prefetch" or "prefetchu" or "pmevent" or "discard" or "applypriority":
                Cost(InstructionKind.Control);
                break;
            default:
                throw Unknown(i);
        }
    }

    /// <summary>The last type among the modifiers.</summary>
    private static PtxType TypeOf(PtxInstruction i)
    {
        for (int k = i.Modifiers.Length - 1; k >= 0; k--)
        {
            PtxType type = PtxTypes.Parse(i.Modifiers[k]);
            if (type != PtxType.None)
                return type;
        }
        throw Refused($"The instruction {i.Opcode} names no type");
    }

    private static PtxType[] TypesOf(PtxInstruction i)
        => [.. i.Modifiers.Select(modifier => PtxTypes.Parse(modifier)).Where(type => type != PtxType.None)];

    private static void Expect(PtxInstruction i, params ReadOnlySpan<int> counts)
    {
        if (!counts.Contains(i.Operands.Length))
            throw new EmulationException(EmulationFault.Syntax, $"The instruction {i.Opcode} has {i.Operands.Length} operands");
    }

    /// <summary>Refuses modifiers that the decoder does not know: they might change the meaning.</summary>
    private static void Allow(PtxInstruction i, params ReadOnlySpan<string> known)
    {
        foreach (string modifier in i.Modifiers)
        {
            if (PtxTypes.Parse(modifier) == PtxType.None && !known.Contains(modifier))
                throw Refused($"The modifier .{modifier} of {i.Opcode} is not executed by the emulator");
        }
    }

    /// <summary>Emits an operation with one destination and up to three sources of one size.</summary>
    private void EmitSimple(PtxInstruction i, delegate*<Warp, Instruction*, Instruction*> handler, PtxType type, int sources, int mode = 0)
    {
        Expect(i, sources + 1);
        int size = type.Size();
        int a = Source(i.Operands[1], size, type);
        int b = sources > 1 ? Source(i.Operands[2], size, type) : a;
        int c = sources > 2 ? Source(i.Operands[3], size, type) : a;
        Emit(new Instruction { Handler = handler, D = Destination(i.Operands[0], size), A = a, B = b, C = c, E = mode });
    }

    private static RoundingMode Rounding(PtxInstruction i)
    {
        foreach (string modifier in i.Modifiers)
        {
            switch (modifier)
            {
                case "rn" or "rni":
                    return RoundingMode.Nearest;
                case "rz" or "rzi":
                    return RoundingMode.Zero;
                case "rm" or "rmi":
                    return RoundingMode.Down;
                case "rp" or "rpi":
                    return RoundingMode.Up;
                case "rna":
                    return RoundingMode.NearestAway;
            }
        }
        return RoundingMode.Nearest;
    }
}
