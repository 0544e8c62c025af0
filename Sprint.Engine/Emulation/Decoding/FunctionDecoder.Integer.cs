using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Integer arithmetic.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeInteger(PtxInstruction i)
    {
        Cost(InstructionKind.IntegerArithmetic);
        PtxType type = TypeOf(i);
        Allow(i, "sat", "lo", "hi", "wide", "cc");
        if (i.Has("cc") || i.Name is "addc" or "subc" or "madc")
        {
            DecodeCarry(i, type);
            return;
        }
        bool wide = i.Has("wide");
        if (i.Has("sat") && type != PtxType.S32)
            throw Refused("Only signed 32-bit integers are added with saturation");
        if (i.Name is "mul24" or "mad24" && type.Size() != 4)
            throw Refused("24-bit products are of 32-bit integers");
        switch (i.Name)
        {
            case "add":
                EmitSimple(i, i.Has("sat") ? &Handlers.Binary<AddSaturated, int> : Sized<Add<ushort>, Add<uint>, Add<ulong>>(type), type, 2);
                break;
            case "sub":
                EmitSimple(i, i.Has("sat") ? &Handlers.Binary<SubtractSaturated, int> : Sized<Subtract<ushort>, Subtract<uint>, Subtract<ulong>>(type), type, 2);
                break;
            case "mul" when wide:
                EmitWide(i, type, false);
                break;
            case "mad" when wide:
                EmitWide(i, type, true);
                break;
            case "mul" when i.Has("hi"):
                EmitHigh(i, type, false);
                break;
            case "mad" when i.Has("hi"):
                EmitHigh(i, type, true);
                break;
            case "mul":
                EmitSimple(i, Sized<Multiply<ushort>, Multiply<uint>, Multiply<ulong>>(type), type, 2);
                break;
            case "mad":
                EmitSimple(i, type.Size() switch
                {
                    2 => &Handlers.Ternary<MultiplyAdd<ushort>, ushort>,
                    4 => &Handlers.Ternary<MultiplyAdd<uint>, uint>,
                    8 => &Handlers.Ternary<MultiplyAdd<ulong>, ulong>,
                    _ => throw Refused("mad takes integers of 16, 32 and 64 bits"),
                }, type, 3);
                break;
            case "mul24":
                EmitSimple(i, Multiply24(type, i.Has("hi"), false), type, 2);
                break;
            case "mad24":
                EmitSimple(i, i.Has("sat") ? &Handlers.ScalarTernary<Multiply24HighAddSaturated, int, int> : Multiply24(type, i.Has("hi"), true), type, 3);
                break;
            case "div":
                EmitSimple(i, Divide(type), type, 2);
                break;
            case "rem":
                EmitSimple(i, Remainder(type), type, 2);
                break;
            case "sad":
                EmitSimple(i, SumOfDifferences(type), type, 3);
                break;
            case "neg":
                EmitSimple(i, SizedUnary<Negate<ushort>, Negate<uint>, Negate<ulong>>(type), type, 1);
                break;
            case "abs":
                EmitSimple(i, SizedSignedUnary<Absolute<short>, Absolute<int>, Absolute<long>>(type), type, 1);
                break;
            default:
                EmitSimple(i, i.Name == "min" ? MinimumOf(type) : MaximumOf(type), type, 2);
                break;
        }
    }

    private static Handler Sized<T2, T4, T8>(PtxType type)
        where T2 : struct, IBinary<ushort>
        where T4 : struct, IBinary<uint>
        where T8 : struct, IBinary<ulong>
        => type.Size() switch
        {
            2 => &Handlers.Binary<T2, ushort>,
            4 => &Handlers.Binary<T4, uint>,
            8 => &Handlers.Binary<T8, ulong>,
            _ => throw Refused("The instruction's type has a size it does not take"),
        };

    private static Handler SizedUnary<T2, T4, T8>(PtxType type)
        where T2 : struct, IUnary<ushort>
        where T4 : struct, IUnary<uint>
        where T8 : struct, IUnary<ulong>
        => type.Size() switch
        {
            2 => &Handlers.Unary<T2, ushort>,
            4 => &Handlers.Unary<T4, uint>,
            8 => &Handlers.Unary<T8, ulong>,
            _ => throw Refused("The instruction's type has a size it does not take"),
        };

    private static Handler SizedSignedUnary<T2, T4, T8>(PtxType type)
        where T2 : struct, IUnary<short>
        where T4 : struct, IUnary<int>
        where T8 : struct, IUnary<long>
        => type.Size() switch
        {
            2 => &Handlers.Unary<T2, short>,
            4 => &Handlers.Unary<T4, int>,
            8 => &Handlers.Unary<T8, long>,
            _ => throw Refused("The instruction's type has a size it does not take"),
        };

    private static Handler MinimumOf(PtxType type) => type switch
    {
        PtxType.U16 => &Handlers.Binary<Minimum<ushort>, ushort>,
        PtxType.S16 => &Handlers.Binary<Minimum<short>, short>,
        PtxType.U32 => &Handlers.Binary<Minimum<uint>, uint>,
        PtxType.S32 => &Handlers.Binary<Minimum<int>, int>,
        PtxType.U64 => &Handlers.Binary<Minimum<ulong>, ulong>,
        PtxType.S64 => &Handlers.Binary<Minimum<long>, long>,
        _ => throw Refused("min takes integers of 16, 32 and 64 bits"),
    };

    private static Handler MaximumOf(PtxType type) => type switch
    {
        PtxType.U16 => &Handlers.Binary<Maximum<ushort>, ushort>,
        PtxType.S16 => &Handlers.Binary<Maximum<short>, short>,
        PtxType.U32 => &Handlers.Binary<Maximum<uint>, uint>,
        PtxType.S32 => &Handlers.Binary<Maximum<int>, int>,
        PtxType.U64 => &Handlers.Binary<Maximum<ulong>, ulong>,
        PtxType.S64 => &Handlers.Binary<Maximum<long>, long>,
        _ => throw Refused("max takes integers of 16, 32 and 64 bits"),
    };

    private static Handler Divide(PtxType type) => type switch
    {
        PtxType.U16 => &Handlers.ScalarBinary<Divide<ushort>, ushort, ushort>,
        PtxType.S16 => &Handlers.ScalarBinary<Divide<short>, short, short>,
        PtxType.U32 => &Handlers.ScalarBinary<Divide<uint>, uint, uint>,
        PtxType.S32 => &Handlers.ScalarBinary<Divide<int>, int, int>,
        PtxType.U64 => &Handlers.ScalarBinary<Divide<ulong>, ulong, ulong>,
        PtxType.S64 => &Handlers.ScalarBinary<Divide<long>, long, long>,
        _ => throw Refused("div takes integers of 16, 32 and 64 bits"),
    };

    private static Handler Remainder(PtxType type) => type switch
    {
        PtxType.U16 => &Handlers.ScalarBinary<Remainder<ushort>, ushort, ushort>,
        PtxType.S16 => &Handlers.ScalarBinary<Remainder<short>, short, short>,
        PtxType.U32 => &Handlers.ScalarBinary<Remainder<uint>, uint, uint>,
        PtxType.S32 => &Handlers.ScalarBinary<Remainder<int>, int, int>,
        PtxType.U64 => &Handlers.ScalarBinary<Remainder<ulong>, ulong, ulong>,
        PtxType.S64 => &Handlers.ScalarBinary<Remainder<long>, long, long>,
        _ => throw Refused("rem takes integers of 16, 32 and 64 bits"),
    };

    private static Handler SumOfDifferences(PtxType type) => type switch
    {
        PtxType.U16 => &Handlers.ScalarTernary<SumOfAbsoluteDifference<ushort>, ushort, ushort>,
        PtxType.S16 => &Handlers.ScalarTernary<SumOfAbsoluteDifference<short>, short, short>,
        PtxType.U32 => &Handlers.ScalarTernary<SumOfAbsoluteDifference<uint>, uint, uint>,
        PtxType.S32 => &Handlers.ScalarTernary<SumOfAbsoluteDifference<int>, int, int>,
        PtxType.U64 => &Handlers.ScalarTernary<SumOfAbsoluteDifference<ulong>, ulong, ulong>,
        PtxType.S64 => &Handlers.ScalarTernary<SumOfAbsoluteDifference<long>, long, long>,
        _ => throw Refused("sad takes integers of 16, 32 and 64 bits"),
    };

    private static Handler Multiply24(PtxType type, bool high, bool add) => (type.IsSigned(), high, add) switch
    {
        (true, false, false) => &Handlers.ScalarTernary<Multiply24Low<int>, int, int>,
        (true, true, false) => &Handlers.ScalarTernary<Multiply24High<int>, int, int>,
        (true, false, true) => &Handlers.ScalarTernary<ThenAdd<Multiply24Low<int>, int>, int, int>,
        (true, true, true) => &Handlers.ScalarTernary<ThenAdd<Multiply24High<int>, int>, int, int>,
        (false, false, false) => &Handlers.ScalarTernary<Multiply24Low<uint>, uint, uint>,
        (false, true, false) => &Handlers.ScalarTernary<Multiply24High<uint>, uint, uint>,
        (false, false, true) => &Handlers.ScalarTernary<ThenAdd<Multiply24Low<uint>, uint>, uint, uint>,
        _ => &Handlers.ScalarTernary<ThenAdd<Multiply24High<uint>, uint>, uint, uint>,
    };

    private void EmitHigh(PtxInstruction i, PtxType type, bool add)
    {
        Handler handler = (type, add) switch
        {
            (PtxType.S32, true) when i.Has("sat") => &Handlers.ScalarTernary<MultiplyHighAddSaturated, int, int>,
            (PtxType.U16, false) => &Handlers.ScalarTernary<MultiplyHigh<ushort>, ushort, ushort>,
            (PtxType.S16, false) => &Handlers.ScalarTernary<MultiplyHigh<short>, short, short>,
            (PtxType.U32, false) => &Handlers.ScalarTernary<MultiplyHigh<uint>, uint, uint>,
            (PtxType.S32, false) => &Handlers.ScalarTernary<MultiplyHigh<int>, int, int>,
            (PtxType.U64, false) => &Handlers.ScalarTernary<MultiplyHighUnsigned64, ulong, ulong>,
            (PtxType.S64, false) => &Handlers.ScalarTernary<MultiplyHigh<long>, long, long>,
            (PtxType.U16, true) => &Handlers.ScalarTernary<MultiplyHighAdd<ushort>, ushort, ushort>,
            (PtxType.S16, true) => &Handlers.ScalarTernary<MultiplyHighAdd<short>, short, short>,
            (PtxType.U32, true) => &Handlers.ScalarTernary<MultiplyHighAdd<uint>, uint, uint>,
            (PtxType.S32, true) => &Handlers.ScalarTernary<MultiplyHighAdd<int>, int, int>,
            (PtxType.U64, true) => &Handlers.ScalarTernary<ThenAdd<MultiplyHighUnsigned64, ulong>, ulong, ulong>,
            (PtxType.S64, true) => &Handlers.ScalarTernary<MultiplyHighAdd<long>, long, long>,
            _ => throw Refused("The high half of a product is taken of integers"),
        };
        EmitSimple(i, handler, type, add ? 3 : 2);
    }

    private void EmitWide(PtxInstruction i, PtxType type, bool add)
    {
        Expect(i, add ? 4 : 3);
        int size = type.Size();
        int a = Source(i.Operands[1], size, type);
        int b = Source(i.Operands[2], size, type);
        int c = add ? Source(i.Operands[3], size * 2) : a;
        Handler handler = type switch
        {
            PtxType.S32 => &Handlers.MultiplyWide<int>,
            PtxType.U32 => &Handlers.MultiplyWide<uint>,
            PtxType.S16 => &Handlers.MultiplyWide16<short>,
            PtxType.U16 => &Handlers.MultiplyWide16<ushort>,
            _ => throw Refused("Wide products are of 16-bit and 32-bit integers"),
        };
        Emit(new Instruction { Handler = handler, D = Destination(i.Operands[0], size * 2), A = a, B = b, C = c, E = add ? 1 : 0 });
    }

    /// <summary>Arithmetic on long integers: the carry is one bit per lane.</summary>
    private void DecodeCarry(PtxInstruction i, PtxType type)
    {
        bool product = i.Name is "mad" or "madc";
        Expect(i, product ? 4 : 3);
        int size = type.Size();
        int left = Source(i.Operands[1], size, type);
        int right = Source(i.Operands[2], size, type);
        if (product)
        {
            int partial = Allocate(size);
            Handler multiply = (size, i.Has("hi"), type.IsSigned()) switch
            {
                (4, false, _) => &Handlers.Binary<Multiply<uint>, uint>,
                (4, true, false) => &Handlers.ScalarTernary<MultiplyHigh<uint>, uint, uint>,
                (4, true, true) => &Handlers.ScalarTernary<MultiplyHigh<int>, int, int>,
                (8, false, _) => &Handlers.Binary<Multiply<ulong>, ulong>,
                (8, true, false) => &Handlers.ScalarTernary<MultiplyHighUnsigned64, ulong, ulong>,
                _ => &Handlers.ScalarTernary<MultiplyHigh<long>, long, long>,
            };
            Emit(new Instruction { Handler = multiply, D = partial, A = left, B = right, C = left });
            left = partial;
            right = Source(i.Operands[3], size, type);
        }
        int mode = (i.Name is "addc" or "subc" or "madc" ? 1 : 0) | (i.Has("cc") ? 2 : 0) | (i.Name is "sub" or "subc" ? 4 : 0);
        Handler handler = size switch
        {
            4 => &Handlers.AddWithCarry<uint>,
            8 => &Handlers.AddWithCarry<ulong>,
            _ => throw Refused("Carries are of 32-bit and 64-bit integers"),
        };
        Emit(new Instruction { Handler = handler, D = Destination(i.Operands[0], size), A = left, B = right, C = CarrySlot(), E = mode });
    }
}
