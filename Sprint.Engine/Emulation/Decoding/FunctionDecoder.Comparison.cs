using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Comparisons and selections.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private static readonly string[] Comparisons =
        ["eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"];

    private void DecodeComparison(PtxInstruction i)
    {
        PtxType[] types = TypesOf(i);
        PtxType type = types.Length > 0 ? types[^1] : throw Refused($"The instruction {i.Opcode} names no type");
        Cost(type.IsFloat() ? type == PtxType.F64 ? InstructionKind.DoubleArithmetic : type == PtxType.F32 ? InstructionKind.SingleArithmetic : InstructionKind.HalfArithmetic : InstructionKind.IntegerArithmetic);
        switch (i.Name)
        {
            case "setp" or "set" when type is PtxType.F16x2 or PtxType.BF16x2:
                DecodePackedComparison(i, types);
                break;
            case "setp":
                DecodeSetPredicate(i, type);
                break;
            case "set":
                DecodeSet(i, types);
                break;
            case "selp":
                Cost(InstructionKind.Move);
                Expect(i, 4);
                EmitSelect(Destination(i.Operands[0], type.Size()), Source(i.Operands[1], type.Size(), type), Source(i.Operands[2], type.Size(), type), Source(i.Operands[3], 0), type.Size());
                break;
            case "slct":
                DecodeSelectBySign(i, types);
                break;
            default:
                Expect(i, 2);
                string[] classes = ["finite", "infinite", "number", "notanumber", "normal", "subnormal"];
                int test = Array.FindIndex(classes, i.Has);
                if (test < 0 || type is not (PtxType.F32 or PtxType.F64))
                    throw Unknown(i);
                Emit(new Instruction { Handler = type == PtxType.F64 ? &Handlers.TestClass<double> : &Handlers.TestClass<float>, D = Destination(i.Operands[0], 0), A = Source(i.Operands[1], type.Size(), type), E = test });
                break;
        }
    }

    private void EmitSelect(int d, int a, int b, int predicate, int size)
        => Emit(new Instruction
        {
            Handler = size switch
            {
                2 => &Handlers.Select<ushort>,
                4 => &Handlers.Select<uint>,
                8 => &Handlers.Select<ulong>,
                _ => throw Refused("Selections are of 16, 32 and 64 bits"),
            },
            D = d,
            A = a,
            B = b,
            C = predicate,
        });

    private static readonly string[] PackedComparisons = ["eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"];

    /// <summary>Compares pairs of 16-bit numbers: <c>set</c> of a pair, or <c>setp p|q</c>.</summary>
    private void DecodePackedComparison(PtxInstruction i, PtxType[] types)
    {
        Allow(i, [.. PackedComparisons, "ftz"]);
        Expect(i, 3);
        int mode = Array.FindIndex(PackedComparisons, i.Has);
        bool predicates = i.Name == "setp";
        if (mode < 0 || (predicates ? i.Operands[0].Kind != PtxOperandKind.Pair : types.Length != 2))
            throw Unknown(i);
        if (!predicates && types[0] is not (PtxType.U32 or PtxType.S32))
            mode |= types[0] == types[1] ? PackedComparison<Binary16>.OneBit : throw Unknown(i);
        if (i.Has("ftz"))
            mode |= PackedComparison<Binary16>.FlushBit;
        int result = predicates ? Allocate(4) : Destination(i.Operands[0], 4);
        Emit(new Instruction
        {
            Handler = types[^1] == PtxType.F16x2 ? &Handlers.ScalarMode<PackedComparison<Binary16>, uint, uint> : &Handlers.ScalarMode<PackedComparison<BrainFloat16>, uint, uint>,
            D = result,
            A = Source(i.Operands[1], 4),
            B = Source(i.Operands[2], 4),
            C = result,
            E = mode,
        });
        if (!predicates)
            return;
        for (int half = 0; half < 2; half++)
        {
            int bits = Allocate(4);
            Emit(new Instruction { Handler = &Handlers.Binary<And<uint>, uint>, D = bits, A = result, B = Constant(0xFFFFu << 16 * half, 4) });
            Emit(new Instruction { Handler = &Handlers.Compare<NotEqual<uint>, uint>, D = Destination(i.Operands[0].Items[half], 0), A = bits, B = Constant(0, 4) });
        }
    }

    private void DecodeSetPredicate(PtxInstruction i, PtxType type)
    {
        Allow(i, [.. Comparisons, "and", "or", "xor", "ftz"]);
        Expect(i, 3, 4);
        PtxOperand target = i.Operands[0];
        PtxOperand first = target.Kind == PtxOperandKind.Pair ? target.Items[0] : target;
        PtxOperand? second = target.Kind == PtxOperandKind.Pair ? target.Items[1] : null;
        bool combined = i.Operands.Length == 4;
        if (!combined && second is null)
        {
            EmitComparison(i, type, Destination(first, 0), i.Operands[1], i.Operands[2]);
            return;
        }
        int holds = Allocate(0);
        EmitComparison(i, type, holds, i.Operands[1], i.Operands[2]);
        PredicateOperation operation = i.Has("and") ? PredicateOperation.And : i.Has("or") ? PredicateOperation.Or : i.Has("xor") ? PredicateOperation.Xor : PredicateOperation.Move;
        int with = combined ? Source(i.Operands[3], 0) : holds;
        int complement = second is null ? holds : Negated(holds);
        int firstResult = Allocate(0);
        Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = firstResult, A = holds, B = with, E = (int)operation });
        if (second is not null)
            Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = Destination(second, 0), A = complement, B = with, E = (int)operation });
        Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = Destination(first, 0), A = firstResult, B = firstResult, E = (int)PredicateOperation.Move });
    }

    private void DecodeSet(PtxInstruction i, PtxType[] types)
    {
        Allow(i, [.. Comparisons, "and", "or", "xor", "ftz"]);
        Expect(i, 3, 4);
        if (types.Length != 2)
            throw Unknown(i);
        int holds = Allocate(0);
        EmitComparison(i, types[1], holds, i.Operands[1], i.Operands[2]);
        if (i.Operands.Length == 4)
        {
            PredicateOperation operation = i.Has("and") ? PredicateOperation.And : i.Has("or") ? PredicateOperation.Or : PredicateOperation.Xor;
            Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = holds, A = holds, B = Source(i.Operands[3], 0), E = (int)operation });
        }
        int size = types[0].Size();
        ulong one = types[0] switch
        {
            PtxType.F32 => 0x3F800000,
            PtxType.F16 => 0x3C00,
            PtxType.BF16 => 0x3F80,
            PtxType.U16 or PtxType.S16 or PtxType.U32 or PtxType.S32 => ulong.MaxValue,
            _ => throw Unknown(i),
        };
        EmitSelect(Destination(i.Operands[0], size), Constant(one, size), Constant(0, size), holds, size);
    }

    private void DecodeSelectBySign(PtxInstruction i, PtxType[] types)
    {
        Expect(i, 4);
        if (types is not [_, PtxType.S32 or PtxType.F32])
            throw Unknown(i);
        int size = types[0].Size();
        int selector = Source(i.Operands[3], 4, types[1]);
        int holds = Allocate(0);
        // -0 counts as not negative, NaN as negative.
        Handler compare = types[1] == PtxType.F32
            ? i.Has("ftz") ? &Handlers.Compare<FlushedComparison<GreaterOrEqual<float>>, float> : &Handlers.Compare<GreaterOrEqual<float>, float>
            : &Handlers.Compare<GreaterOrEqual<int>, int>;
        Emit(new Instruction { Handler = compare, D = holds, A = selector, B = Constant(0, 4) });
        EmitSelect(Destination(i.Operands[0], size), Source(i.Operands[1], size, types[0]), Source(i.Operands[2], size, types[0]), holds, size);
    }

    private void EmitComparison(PtxInstruction i, PtxType type, int d, PtxOperand left, PtxOperand right)
    {
        string operation = i.Modifiers.FirstOrDefault(modifier => Comparisons.Contains(modifier)) ?? throw Unknown(i);
        int size = type.Size();
        int a = Source(left, size, type);
        int b = Source(right, size, type);
        if (type is PtxType.F16 or PtxType.BF16)
        {
            a = WidenHalf(a, type, i.Has("ftz"));
            b = WidenHalf(b, type, i.Has("ftz"));
            type = PtxType.F32;
        }
        Handler handler = type switch
        {
            PtxType.F32 => i.Has("ftz") ? FlushedCompare(operation) : FloatCompare<float>(operation),
            PtxType.F64 => FloatCompare<double>(operation),
            PtxType.U16 or PtxType.B16 => IntegerCompare<ushort>(operation),
            PtxType.S16 => IntegerCompare<short>(operation),
            PtxType.U32 or PtxType.B32 => IntegerCompare<uint>(operation),
            PtxType.S32 => IntegerCompare<int>(operation),
            PtxType.U64 or PtxType.B64 => IntegerCompare<ulong>(operation),
            PtxType.S64 => IntegerCompare<long>(operation),
            _ => throw Unknown(i),
        };
        Emit(new Instruction { Handler = handler, D = d, A = a, B = b });
    }

    private int WidenHalf(int slot, PtxType type, bool flush)
    {
        if (flush)
        {
            int flushed = Allocate(2);
            Emit(new Instruction { Handler = &Handlers.ScalarMode<HalfFlush<Binary16>, ushort, ushort>, D = flushed, A = slot, B = slot, C = slot, E = RoundedMode.FlushBit });
            slot = flushed;
        }
        int wide = Allocate(4);
        Emit(ConvertOperation(type, PtxType.F32, slot, 2, wide, 4, 0));
        return wide;
    }

    private static Handler IntegerCompare<T>(string operation)
        where T : unmanaged
        => operation switch
        {
            "eq" => &Handlers.Compare<Equal<T>, T>,
            "ne" => &Handlers.Compare<NotEqual<T>, T>,
            "lt" or "lo" => &Handlers.Compare<Less<T>, T>,
            "le" or "ls" => &Handlers.Compare<LessOrEqual<T>, T>,
            "gt" or "hi" => &Handlers.Compare<Greater<T>, T>,
            "ge" or "hs" => &Handlers.Compare<GreaterOrEqual<T>, T>,
            _ => throw Refused($"Integers are not compared by {operation}"),
        };

    private static Handler FloatCompare<T>(string operation)
        where T : unmanaged
        => operation switch
        {
            "eq" => &Handlers.Compare<Equal<T>, T>,
            "ne" => &Handlers.Compare<OrderedOnly<NotEqual<T>, T>, T>,
            "lt" => &Handlers.Compare<Less<T>, T>,
            "le" => &Handlers.Compare<LessOrEqual<T>, T>,
            "gt" => &Handlers.Compare<Greater<T>, T>,
            "ge" => &Handlers.Compare<GreaterOrEqual<T>, T>,
            "equ" => &Handlers.Compare<Unordered<Equal<T>, T>, T>,
            "neu" => &Handlers.Compare<NotEqual<T>, T>,
            "ltu" => &Handlers.Compare<Unordered<Less<T>, T>, T>,
            "leu" => &Handlers.Compare<Unordered<LessOrEqual<T>, T>, T>,
            "gtu" => &Handlers.Compare<Unordered<Greater<T>, T>, T>,
            "geu" => &Handlers.Compare<Unordered<GreaterOrEqual<T>, T>, T>,
            "num" => &Handlers.Compare<Ordered<T>, T>,
            "nan" => &Handlers.Compare<Unordered<Never<T>, T>, T>,
            _ => throw Refused($"Floating-point numbers are not compared by {operation}"),
        };

    private static Handler FlushedCompare(string operation) => operation switch
    {
        "eq" => &Handlers.Compare<FlushedComparison<Equal<float>>, float>,
        "ne" => &Handlers.Compare<FlushedComparison<OrderedOnly<NotEqual<float>, float>>, float>,
        "lt" => &Handlers.Compare<FlushedComparison<Less<float>>, float>,
        "le" => &Handlers.Compare<FlushedComparison<LessOrEqual<float>>, float>,
        "gt" => &Handlers.Compare<FlushedComparison<Greater<float>>, float>,
        "ge" => &Handlers.Compare<FlushedComparison<GreaterOrEqual<float>>, float>,
        "equ" => &Handlers.Compare<FlushedComparison<Unordered<Equal<float>, float>>, float>,
        "neu" => &Handlers.Compare<FlushedComparison<NotEqual<float>>, float>,
        "ltu" => &Handlers.Compare<FlushedComparison<Unordered<Less<float>, float>>, float>,
        "leu" => &Handlers.Compare<FlushedComparison<Unordered<LessOrEqual<float>, float>>, float>,
        "gtu" => &Handlers.Compare<FlushedComparison<Unordered<Greater<float>, float>>, float>,
        "geu" => &Handlers.Compare<FlushedComparison<Unordered<GreaterOrEqual<float>, float>>, float>,
        _ => FloatCompare<float>(operation),
    };
}
