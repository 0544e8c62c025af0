using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Conversions.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeConversion(PtxInstruction i)
    {
        Cost(InstructionKind.Conversion);
        if (i.Modifiers is ["pack", ..])
        {
            DecodePack(i);
            return;
        }
        Allow(i, "rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi", "ftz", "sat", "relu");
        PtxType[] types = TypesOf(i);
        if (types.Length != 2)
            throw Unknown(i);
        PtxType result = Unsigned(types[0]);
        PtxType source = Unsigned(types[1]);
        bool brain = types.Contains(PtxType.BF16) && !types.Contains(PtxType.F32);
        if (brain || (result == PtxType.TF32 && !i.Has("rna")))
            RequireTarget(i, 90);
        int mode = SingleModeOf(i) | (i.Has("relu") ? ConversionMode.ReluBit : 0);
        if (result is PtxType.F16x2 or PtxType.BF16x2)
        {
            DecodePackedConversion(i, result, mode);
            return;
        }
        Expect(i, 2);
        bool toInteger = i.Modifiers.Any(modifier => modifier is "rni" or "rzi" or "rmi" or "rpi");
        if (toInteger && source.IsFloat() && result.IsFloat())
            mode |= SingleToSingle.IntegerBit;
        PtxOperand from = i.Operands[1];
        PtxOperand to = i.Operands[0];
        int sourceSize = from.Kind == PtxOperandKind.Register ? RegisterSize(from.Register!) : Math.Max(source.Size(), 2);
        int resultSize = to.Kind == PtxOperandKind.Register ? RegisterSize(to.Register!) : Math.Max(result.Size(), 2);
        if (to.Register?.Type == PtxType.Pred)
            throw Refused("Predicates are not converted");
        if (sourceSize < source.Size() || resultSize < result.Size())
            throw Refused("A register is smaller than the type that is converted");
        Emit(ConvertOperation(source, result, Source(from, sourceSize, source), sourceSize, Destination(to, to.Register?.Size ?? resultSize), resultSize, mode));
    }

    // cvt.pack.sat: types of 2 and 4 bits are modifiers that PtxTypes does not know.
    private void DecodePack(PtxInstruction i)
    {
        if (i.Modifiers is not [_, "sat", [var sign and ('u' or 's'), .. var width], "s32", .. var rest] || !int.TryParse(width, out int bits)
            || (bits == 16 ? rest.Length > 0 : bits is not (2 or 4 or 8) || rest is not ["b32"]))
            throw Unknown(i);
        Expect(i, bits == 16 ? 3 : 4);
        Emit(new Instruction
        {
            Handler = &Handlers.ScalarMode<PackSaturated, int, int>,
            D = Destination(i.Operands[0], 4),
            A = Source(i.Operands[1], 4),
            B = Source(i.Operands[2], 4),
            C = bits == 16 ? Constant(0, 4) : Source(i.Operands[3], 4),
            E = sign == 's' ? -bits : bits,
        });
    }

    /// <summary>Refuses an instruction that the module's target does not have.</summary>
    private void RequireTarget(PtxInstruction i, int capability)
    {
        PtxModule module = program.Module.Module;
        if (module.Architecture < capability)
            throw Refused($"The instruction {i.Opcode} needs .target sm_{capability} or higher; the module is for {module.Target}");
    }

    private static int RegisterSize(PtxRegister register) => Math.Max(register.Size, 2);

    private static PtxType Unsigned(PtxType type) => type switch
    {
        PtxType.B8 => PtxType.U8,
        PtxType.B16 => PtxType.U16,
        PtxType.B32 => PtxType.U32,
        PtxType.B64 => PtxType.U64,
        _ => type,
    };

    private static Instruction ConvertOperation(PtxType source, PtxType result, int a, int sourceSize, int d, int resultSize, int mode)
    {
        Instruction operation = new() { A = a, D = d, C = sourceSize, F = resultSize, E = mode };
        bool exact = sourceSize == source.Size() && resultSize == result.Size() && mode == 0;
        operation.Handler = (source, result) switch
        {
            (PtxType.U32, PtxType.U64 or PtxType.S64) when exact => &Handlers.Widen<uint>,
            (PtxType.S32, PtxType.U64 or PtxType.S64) when exact => &Handlers.Widen<int>,
            (PtxType.U64 or PtxType.S64, PtxType.U32 or PtxType.S32) when exact => &Handlers.Truncate,
            (PtxType.S32, PtxType.F32) when exact => &Handlers.SignedToSingle,
            _ when source.IsFloat() && result.IsFloat() => FloatConversion(source, result),
            _ when source.IsFloat() => FloatToIntegerConversion(source, result),
            _ when result.IsFloat() => IntegerToFloatConversion(source, result),
            _ => IntegerConversion(source, result),
        };
        return operation;
    }

    private void DecodePackedConversion(PtxInstruction i, PtxType result, int mode)
    {
        Expect(i, 3);
        Emit(new Instruction
        {
            Handler = result == PtxType.BF16x2
                ? mode == 0 ? &Handlers.PackBrainFloats : &Handlers.ScalarMode<PackHalves<BrainFloat16>, float, uint>
                : &Handlers.ScalarMode<PackHalves<Binary16>, float, uint>,
            D = Destination(i.Operands[0], 4),
            A = Source(i.Operands[1], 4, PtxType.F32),
            B = Source(i.Operands[2], 4, PtxType.F32),
            E = mode,
        });
    }
}
