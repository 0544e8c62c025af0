using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Logic, shifts and bit fields.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeLogic(PtxInstruction i)
    {
        Cost(InstructionKind.IntegerArithmetic);
        PtxType type = TypeOf(i);
        Allow(i);
        if (type == PtxType.Pred)
        {
            DecodePredicateLogic(i);
            return;
        }
        switch (i.Name)
        {
            case "and":
                EmitSimple(i, Sized<And<ushort>, And<uint>, And<ulong>>(type), type, 2);
                break;
            case "or":
                EmitSimple(i, Sized<Or<ushort>, Or<uint>, Or<ulong>>(type), type, 2);
                break;
            case "xor":
                EmitSimple(i, Sized<Xor<ushort>, Xor<uint>, Xor<ulong>>(type), type, 2);
                break;
            case "not":
                EmitSimple(i, SizedUnary<Complement<ushort>, Complement<uint>, Complement<ulong>>(type), type, 1);
                break;
            case "cnot":
                EmitSimple(i, SizedUnary<IsZero<ushort>, IsZero<uint>, IsZero<ulong>>(type), type, 1);
                break;
            case "lop3":
                DecodeLookup(i);
                break;
            default:
                DecodeShift(i, type);
                break;
        }
    }

    private void DecodePredicateLogic(PtxInstruction i)
    {
        bool not = i.Name == "not";
        Expect(i, not ? 2 : 3);
        PredicateOperation operation = i.Name switch
        {
            "and" => PredicateOperation.And,
            "or" => PredicateOperation.Or,
            "xor" => PredicateOperation.Xor,
            "not" => PredicateOperation.Not,
            _ => throw Unknown(i),
        };
        int a = Source(i.Operands[1], 0);
        int b = not ? a : Source(i.Operands[2], 0);
        Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = Destination(i.Operands[0], 0), A = a, B = b, E = (int)operation });
    }

    private void DecodeLookup(PtxInstruction i)
    {
        Expect(i, 5);
        if (i.Operands[4].Kind != PtxOperandKind.Integer)
            throw Refused("The table of lop3 is no number");
        Emit(new Instruction
        {
            Handler = &Handlers.Lookup3,
            D = Destination(i.Operands[0], 4),
            A = Source(i.Operands[1], 4),
            B = Source(i.Operands[2], 4),
            C = Source(i.Operands[3], 4),
            E = (int)i.Operands[4].Value & 0xFF,
        });
    }

    private void DecodeShift(PtxInstruction i, PtxType type)
    {
        Expect(i, 3);
        int size = type.Size();
        int mode = i.Name == "shl" ? 0 : type.IsSigned() ? 2 : 1;
        Handler handler = (size, mode) switch
        {
            (4, 0) => &Handlers.Binary<ShiftLeft32, uint>,
            (4, 1) => &Handlers.Binary<ShiftRight32, uint>,
            (4, 2) => &Handlers.Binary<ShiftRightSigned32, uint>,
            (8, 2) => &Handlers.Shift<long>,
            (8, _) => &Handlers.Shift<ulong>,
            (2, 2) => &Handlers.Shift<short>,
            (2, _) => &Handlers.Shift<ushort>,
            _ => throw Refused("Shifts are of 16, 32 and 64 bits"),
        };
        Emit(new Instruction { Handler = handler, D = Destination(i.Operands[0], size), A = Source(i.Operands[1], size), B = Source(i.Operands[2], 4), E = mode });
    }

    private void DecodeBits(PtxInstruction i)
    {
        Cost(InstructionKind.IntegerArithmetic);
        PtxType[] types = TypesOf(i);
        PtxType type = types.Length > 0 ? types[0] : throw Refused($"The instruction {i.Opcode} names no type");
        bool wide = type.Size() == 8;
        if (type.Size() is not (4 or 8) || type.IsFloat())
            throw Refused($"The instruction {i.Opcode} takes integers of 32 and 64 bits");
        switch (i.Name)
        {
            case "popc" or "clz" or "bfind":
                Allow(i, "shiftamt");
                Expect(i, 2);
                Emit(new Instruction { Handler = CountHandler(i, type), D = Destination(i.Operands[0], 4), A = Source(i.Operands[1], type.Size()) });
                break;
            case "brev":
                Allow(i);
                EmitSimple(i, wide ? &Handlers.ScalarUnary<ReverseBits64, ulong, ulong> : &Handlers.ScalarUnary<ReverseBits32, uint, uint>, type, 1);
                break;
            case "bfe":
                Allow(i);
                Expect(i, 4);
                Handler extract = type switch
                {
                    PtxType.U32 => &Handlers.ExtractBits<uint>,
                    PtxType.S32 => &Handlers.ExtractBits<int>,
                    PtxType.U64 => &Handlers.ExtractBits<ulong>,
                    PtxType.S64 => &Handlers.ExtractBits<long>,
                    _ => throw Unknown(i),
                };
                Emit(new Instruction { Handler = extract, D = Destination(i.Operands[0], type.Size()), A = Source(i.Operands[1], type.Size()), B = Source(i.Operands[2], 4), C = Source(i.Operands[3], 4) });
                break;
            case "bfi":
                Allow(i);
                Expect(i, 5);
                Emit(new Instruction
                {
                    Handler = wide ? &Handlers.InsertBits<ulong> : &Handlers.InsertBits<uint>,
                    D = Destination(i.Operands[0], type.Size()),
                    A = Source(i.Operands[1], type.Size()),
                    B = Source(i.Operands[2], type.Size()),
                    C = Source(i.Operands[3], 4),
                    E = Source(i.Operands[4], 4),
                });
                break;
            case "prmt":
                Allow(i, "f4e", "b4e", "rc8", "ecl", "ecr", "rc16");
                EmitSimple(i, &Handlers.ScalarMode<Permute, uint, uint>, PtxType.B32, 3, 1 + Array.FindIndex(["f4e", "b4e", "rc8", "ecl", "ecr", "rc16"], i.Has));
                break;
            case "shf":
                Allow(i, "l", "r", "clamp", "wrap");
                EmitSimple(i, &Handlers.ScalarMode<FunnelShift, uint, uint>, PtxType.B32, 3, (i.Has("r") ? 1 : 0) | (i.Has("clamp") ? 2 : 0));
                break;
            case "dp4a" or "dp2a":
                Allow(i, "lo", "hi");
                EmitSimple(i, &Handlers.ScalarMode<PackedDot, uint, uint>, PtxType.B32, 3,
                    (types[0].IsSigned() ? 1 : 0) | (types[^1].IsSigned() ? 2 : 0) | (i.Name == "dp2a" ? 4 : 0) | (i.Has("hi") ? 8 : 0));
                break;
            case "fns":
                EmitSimple(i, &Handlers.ScalarTernary<FindNthSet, uint, uint>, PtxType.B32, 3);
                break;
            case "szext":
                Allow(i, "clamp", "wrap");
                EmitSimple(i, &Handlers.ScalarMode<ExtendFromBit, uint, uint>, PtxType.B32, 2, (i.Has("wrap") ? 1 : 0) | (type.IsSigned() ? 2 : 0));
                break;
            default:
                Allow(i, "clamp", "wrap");
                EmitSimple(i, &Handlers.ScalarMode<BitMask, uint, uint>, PtxType.B32, 2, i.Has("wrap") ? 1 : 0);
                break;
        }
    }

    private static Handler CountHandler(PtxInstruction i, PtxType type)
    {
        bool wide = type.Size() == 8;
        if (i.Name == "popc")
            return wide ? &Handlers.ScalarUnary<PopulationCount<ulong>, ulong, uint> : &Handlers.ScalarUnary<PopulationCount<uint>, uint, uint>;
        if (i.Name == "clz")
            return wide ? &Handlers.ScalarUnary<LeadingZeros<ulong>, ulong, uint> : &Handlers.ScalarUnary<LeadingZeros<uint>, uint, uint>;
        return (type, i.Has("shiftamt")) switch
        {
            (PtxType.U32, false) => &Handlers.ScalarUnary<FindLeading<uint>, uint, uint>,
            (PtxType.S32, false) => &Handlers.ScalarUnary<FindLeading<int>, int, uint>,
            (PtxType.U64, false) => &Handlers.ScalarUnary<FindLeading<ulong>, ulong, uint>,
            (PtxType.S64, false) => &Handlers.ScalarUnary<FindLeading<long>, long, uint>,
            (PtxType.U32, true) => &Handlers.ScalarUnary<FindLeadingShift<uint>, uint, uint>,
            (PtxType.S32, true) => &Handlers.ScalarUnary<FindLeadingShift<int>, int, uint>,
            (PtxType.U64, true) => &Handlers.ScalarUnary<FindLeadingShift<ulong>, ulong, uint>,
            (PtxType.S64, true) => &Handlers.ScalarUnary<FindLeadingShift<long>, long, uint>,
            _ => throw Unknown(i),
        };
    }
}
