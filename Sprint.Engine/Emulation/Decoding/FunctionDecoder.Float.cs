using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Floating-point arithmetic.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeFloat(PtxInstruction i)
    {
        PtxType type = TypeOf(i);
        int sources = i.Name switch { "neg" or "abs" => 1, "fma" or "mad" => 3, _ => 2 };
        int flops = i.Name switch { "fma" or "mad" => 2, "neg" or "abs" or "copysign" or "min" or "max" => 0, _ => 1 };
        Allow(i, "rn", "rz", "rm", "rp", "ftz", "sat", "approx", "full", "NaN", "relu");
        switch (type)
        {
            case PtxType.F32:
                Cost(InstructionKind.SingleArithmetic, single: flops);
                DecodeSingle(i, sources);
                break;
            case PtxType.F64:
                Cost(InstructionKind.DoubleArithmetic, @double: flops);
                DecodeDouble(i, sources);
                break;
            case PtxType.F16 or PtxType.BF16:
                Cost(InstructionKind.HalfArithmetic, half: flops);
                EmitSimple(i, type == PtxType.F16 ? HalfHandler<Binary16>(i) : HalfHandler<BrainFloat16>(i), type, sources, HalfModeOf(i));
                break;
            case PtxType.F16x2 or PtxType.BF16x2:
                Cost(InstructionKind.HalfArithmetic, half: flops * 2);
                EmitSimple(i, type == PtxType.F16x2 ? PackedHandler<Binary16>(i) : PackedHandler<BrainFloat16>(i), type, sources, HalfModeOf(i));
                break;
            default:
                throw Unknown(i);
        }
    }

    private static int HalfModeOf(PtxInstruction i)
        => (int)Rounding(i) | (i.Has("ftz") ? RoundedMode.FlushBit : 0) | (i.Has("sat") ? RoundedMode.SaturateBit : 0)
            | (i.Has("relu") ? HalfMode<Binary16>.ReluBit : 0) | (i.Has("NaN") ? HalfMode<Binary16>.NaNBit : 0);

    private static int SingleModeOf(PtxInstruction i)
        => (int)Rounding(i) | (i.Has("ftz") ? RoundedMode.FlushBit : 0) | (i.Has("sat") ? RoundedMode.SaturateBit : 0);

    private void DecodeSingle(PtxInstruction i, int sources)
    {
        if (Rounding(i) != RoundingMode.Nearest)
        {
            Handler rounded = i.Name switch
            {
                "add" => &Handlers.ScalarMode<RoundedAdd, float, float>,
                "sub" => &Handlers.ScalarMode<RoundedSubtract, float, float>,
                "mul" => &Handlers.ScalarMode<RoundedMultiply, float, float>,
                "fma" or "mad" => &Handlers.ScalarMode<RoundedMultiplyAdd, float, float>,
                "div" => &Handlers.ScalarMode<RoundedDivide, float, float>,
                _ => throw Unknown(i),
            };
            EmitSimple(i, rounded, PtxType.F32, sources, SingleModeOf(i));
            return;
        }
        bool flush = i.Has("ftz");
        bool saturate = i.Has("sat");
        Handler handler = i.Name switch
        {
            "add" => SingleBinary<SingleAdd>(flush, saturate),
            "sub" => SingleBinary<SingleSubtract>(flush, saturate),
            "mul" => SingleBinary<SingleMultiply>(flush, saturate),
            "div" => i.Has("approx") ? SingleBinary<SingleDivideApproximate>(flush, saturate) : SingleBinary<SingleDivide>(flush, saturate),
            "min" => i.Has("NaN") ? SingleBinary<SingleMinimumOrNaN>(flush, saturate) : SingleBinary<SingleMinimum>(flush, saturate),
            "max" => i.Has("NaN") ? SingleBinary<SingleMaximumOrNaN>(flush, saturate) : SingleBinary<SingleMaximum>(flush, saturate),
            "fma" or "mad" => SingleTernary<SingleFusedMultiplyAdd>(flush, saturate),
            "neg" => SingleUnary<SingleNegate>(flush),
            "abs" => SingleUnary<SingleAbsolute>(flush),
            _ => &Handlers.Binary<SingleCopySign, float>,
        };
        EmitSimple(i, handler, PtxType.F32, sources);
    }

    private void DecodeDouble(PtxInstruction i, int sources)
    {
        bool nearest = Rounding(i) == RoundingMode.Nearest;
        Handler handler = i.Name switch
        {
            "add" => nearest ? &Handlers.Binary<DoubleAdd, double> : &Handlers.ScalarMode<RoundedAdd, double, double>,
            "sub" => nearest ? &Handlers.Binary<Subtract<double>, double> : &Handlers.ScalarMode<RoundedSubtract, double, double>,
            "mul" => nearest ? &Handlers.Binary<Multiply<double>, double> : &Handlers.ScalarMode<RoundedMultiply, double, double>,
            "div" => nearest ? &Handlers.Binary<DoubleDivide, double> : &Handlers.ScalarMode<RoundedDivide, double, double>,
            "fma" or "mad" => nearest ? &Handlers.Ternary<DoubleFusedMultiplyAdd, double> : &Handlers.ScalarMode<RoundedMultiplyAdd, double, double>,
            "min" => &Handlers.Binary<DoubleMinimum, double>,
            "max" => &Handlers.Binary<DoubleMaximum, double>,
            "neg" => &Handlers.Unary<DoubleNegate, double>,
            "abs" => &Handlers.Unary<DoubleAbsolute, double>,
            _ => &Handlers.Binary<DoubleCopySign, double>,
        };
        EmitSimple(i, handler, PtxType.F64, sources, (int)Rounding(i));
    }

    private void DecodeSpecialFunction(PtxInstruction i)
    {
        PtxType type = TypeOf(i);
        Allow(i, "rn", "rz", "rm", "rp", "ftz", "approx");
        bool flush = i.Has("ftz");
        bool directed = Rounding(i) != RoundingMode.Nearest;
        Cost(InstructionKind.Special, single: type == PtxType.F32 ? 1 : 0, @double: type == PtxType.F64 ? 1 : 0, half: type is PtxType.F16 or PtxType.BF16 ? 1 : type is PtxType.F16x2 or PtxType.BF16x2 ? 2 : 0);
        Handler handler = (i.Name, type) switch
        {
            ("rcp", PtxType.F32) => directed ? &Handlers.ScalarMode<RoundedReciprocal, float, float> : SingleUnary<SingleReciprocal>(flush),
            ("sqrt", PtxType.F32) => directed ? &Handlers.ScalarMode<RoundedSquareRoot, float, float> : SingleUnary<SingleSquareRoot>(flush),
            ("rsqrt", PtxType.F32) => SingleUnary<SingleReciprocalRoot>(flush),
            ("ex2", PtxType.F32) => SingleUnary<SingleExponential2>(flush),
            ("lg2", PtxType.F32) => SingleUnary<SingleLogarithm2>(flush),
            ("sin", PtxType.F32) => SingleScalar<SingleSine>(flush),
            ("cos", PtxType.F32) => SingleScalar<SingleCosine>(flush),
            ("tanh", PtxType.F32) => SingleScalar<SingleHyperbolicTangent>(flush),
            ("rcp", PtxType.F64) when i.Has("approx") => &Handlers.Unary<DoubleReciprocalApproximate, double>,
            ("rcp", PtxType.F64) => directed ? &Handlers.ScalarMode<RoundedReciprocal, double, double> : &Handlers.Unary<DoubleReciprocal, double>,
            ("sqrt", PtxType.F64) => directed ? &Handlers.ScalarMode<RoundedSquareRoot, double, double> : &Handlers.Unary<DoubleSquareRoot, double>,
            ("rsqrt", PtxType.F64) => flush ? &Handlers.Unary<DoubleReciprocalRootApproximate, double> : &Handlers.Unary<DoubleReciprocalRoot, double>,
            ("ex2", PtxType.F16) => &Handlers.ScalarMode<HalfExponential2<Binary16>, ushort, ushort>,
            ("ex2", PtxType.BF16) => &Handlers.ScalarMode<HalfExponential2<BrainFloat16>, ushort, ushort>,
            ("ex2", PtxType.F16x2) => &Handlers.ScalarMode<Packed<HalfExponential2<Binary16>>, uint, uint>,
            ("ex2", PtxType.BF16x2) => &Handlers.ScalarMode<Packed<HalfExponential2<BrainFloat16>>, uint, uint>,
            ("tanh", PtxType.F16) => &Handlers.ScalarMode<HalfHyperbolicTangent<Binary16>, ushort, ushort>,
            ("tanh", PtxType.BF16) => &Handlers.ScalarMode<HalfHyperbolicTangent<BrainFloat16>, ushort, ushort>,
            ("tanh", PtxType.F16x2) => &Handlers.ScalarMode<Packed<HalfHyperbolicTangent<Binary16>>, uint, uint>,
            ("tanh", PtxType.BF16x2) => &Handlers.ScalarMode<Packed<HalfHyperbolicTangent<BrainFloat16>>, uint, uint>,
            _ => throw Unknown(i),
        };
        EmitSimple(i, handler, type, 1, type == PtxType.F32 ? SingleModeOf(i) : type == PtxType.F64 ? (int)Rounding(i) : 0);
    }

    private static Handler SingleUnary<TOperator>(bool flush)
        where TOperator : struct, IUnary<float>
        => flush ? &Handlers.Unary<FlushedUnary<TOperator>, float> : &Handlers.Unary<TOperator, float>;

    private static Handler SingleScalar<TOperator>(bool flush)
        where TOperator : struct, IScalarUnary<float, float>
        => flush ? &Handlers.ScalarUnary<FlushedScalar<TOperator>, float, float> : &Handlers.ScalarUnary<TOperator, float, float>;

    private static Handler SingleBinary<TOperator>(bool flush, bool saturate)
        where TOperator : struct, IBinary<float>
        => (flush, saturate) switch
        {
            (false, false) => &Handlers.Binary<TOperator, float>,
            (true, false) => &Handlers.Binary<FlushedBinary<TOperator>, float>,
            (false, true) => &Handlers.Binary<SaturatedBinary<TOperator>, float>,
            _ => &Handlers.Binary<SaturatedBinary<FlushedBinary<TOperator>>, float>,
        };

    private static Handler SingleTernary<TOperator>(bool flush, bool saturate)
        where TOperator : struct, ITernary<float>
        => (flush, saturate) switch
        {
            (false, false) => &Handlers.Ternary<TOperator, float>,
            (true, false) => &Handlers.Ternary<FlushedTernary<TOperator>, float>,
            (false, true) => &Handlers.Ternary<SaturatedTernary<TOperator>, float>,
            _ => &Handlers.Ternary<SaturatedTernary<FlushedTernary<TOperator>>, float>,
        };

    private static Handler HalfHandler<TFormat>(PtxInstruction i)
        where TFormat : struct, IHalfFormat
        => i.Name switch
        {
            "add" => &Handlers.ScalarMode<HalfAdd<TFormat>, ushort, ushort>,
            "sub" => &Handlers.ScalarMode<HalfSubtract<TFormat>, ushort, ushort>,
            "mul" => &Handlers.ScalarMode<HalfMultiply<TFormat>, ushort, ushort>,
            "fma" => &Handlers.ScalarMode<HalfMultiplyAdd<TFormat>, ushort, ushort>,
            "min" => &Handlers.ScalarMode<HalfMinimum<TFormat>, ushort, ushort>,
            "max" => &Handlers.ScalarMode<HalfMaximum<TFormat>, ushort, ushort>,
            "neg" => &Handlers.ScalarMode<HalfNegate<TFormat>, ushort, ushort>,
            "abs" => &Handlers.ScalarMode<HalfAbsolute<TFormat>, ushort, ushort>,
            _ => throw Unknown(i),
        };

    private static Handler PackedHandler<TFormat>(PtxInstruction i)
        where TFormat : struct, IHalfFormat
        => i.Name switch
        {
            "add" => &Handlers.ScalarMode<Packed<HalfAdd<TFormat>>, uint, uint>,
            "sub" => &Handlers.ScalarMode<Packed<HalfSubtract<TFormat>>, uint, uint>,
            "mul" => &Handlers.ScalarMode<Packed<HalfMultiply<TFormat>>, uint, uint>,
            "fma" => &Handlers.ScalarMode<Packed<HalfMultiplyAdd<TFormat>>, uint, uint>,
            "min" => &Handlers.ScalarMode<Packed<HalfMinimum<TFormat>>, uint, uint>,
            "max" => &Handlers.ScalarMode<Packed<HalfMaximum<TFormat>>, uint, uint>,
            "neg" => &Handlers.ScalarMode<Packed<HalfNegate<TFormat>>, uint, uint>,
            "abs" => &Handlers.ScalarMode<Packed<HalfAbsolute<TFormat>>, uint, uint>,
            _ => throw Unknown(i),
        };
}
