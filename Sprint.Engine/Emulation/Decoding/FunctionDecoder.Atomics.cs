using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Atomic operations and reductions in memory.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private static readonly string[] AtomicOperations = ["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"];

    private void DecodeAtomic(PtxInstruction i)
    {
        Allow(i, [.. AtomicOperations, "relaxed", "acquire", "release", "acq_rel", "cta", "gpu", "sys", "global", "shared", "shared::cta", "noftz"]);
        bool reduction = i.Name == "red";
        string operation = Array.Find(AtomicOperations, i.Has) ?? throw Unknown(i);
        int first = reduction ? 0 : 1;
        Expect(i, first + (operation == "cas" ? 3 : 2));
        PtxType type = TypeOf(i);
        int size = type.Size();
        PtxSpace space = SpaceOf(i);
        InstructionCost cost = new(InstructionKind.Atomic,
            SingleFlops: type == PtxType.F32 ? 1 : 0, DoubleFlops: type == PtxType.F64 ? 1 : 0,
            HalfFlops: type is PtxType.F16 or PtxType.BF16 ? 1 : type is PtxType.F16x2 or PtxType.BF16x2 ? 2 : 0,
            BytesRead: size, BytesWritten: size, Space: space);
        Instruction atomic = new() { Count = 1, F = reduction ? 1 : 0, Handler = AtomicHandler(i, space, operation, type) };
        if (i.Operands[first].Kind != PtxOperandKind.Address)
            throw Refused("The address of an atomic operation is written in brackets");
        SetAddress(i.Operands[first], space, ref atomic);
        atomic.B = Source(i.Operands[first + 1], size, type);
        atomic.E = operation == "cas" ? Source(i.Operands[first + 2], size, type) : atomic.B;
        atomic.D = reduction ? Allocate(size) : Destination(i.Operands[0], size);
        if (i.Has("release") || i.Has("acq_rel"))
            EmitFence(i);
        program.UsesFloatAtomics |= type.IsFloat();
        if (space is PtxSpace.Shared or PtxSpace.Generic)
            program.RaceGranule = Math.Min(program.RaceGranule, size);
        if (space is PtxSpace.Global or PtxSpace.Generic)
            program.GlobalGranule = Math.Min(program.GlobalGranule, size);
        this.cost = cost;
        Emit(atomic);
        if (i.Has("acquire") || i.Has("acq_rel"))
            EmitFence(i);
    }

    private static Handler AtomicHandler(PtxInstruction i, PtxSpace space, string operation, PtxType type) => space switch
    {
        PtxSpace.Global => AtomicIn<GlobalSpace>(i, operation, type),
        PtxSpace.Shared => AtomicIn<SharedSpace>(i, operation, type),
        PtxSpace.Generic => AtomicIn<GenericSpace>(i, operation, type),
        _ => throw Unknown(i),
    };

    private static Handler AtomicIn<TSpace>(PtxInstruction i, string operation, PtxType type)
        where TSpace : struct, IMemorySpace
        => (operation, type) switch
        {
            ("add", PtxType.U32 or PtxType.S32) => &Handlers.Atomic<TSpace, AtomicAdd<uint>, uint>,
            ("add", PtxType.U64 or PtxType.S64) => &Handlers.Atomic<TSpace, AtomicAdd<ulong>, ulong>,
            ("add", PtxType.F32) => &Handlers.Atomic<TSpace, AtomicAddSingle, uint>,
            ("add", PtxType.F64) => &Handlers.Atomic<TSpace, AtomicAddDouble, ulong>,
            ("add", PtxType.F16) => &Handlers.Atomic<TSpace, AtomicHalf<HalfAdd<Binary16>>, ushort>,
            ("add", PtxType.BF16) => &Handlers.Atomic<TSpace, AtomicHalf<HalfAdd<BrainFloat16>>, ushort>,
            ("add", PtxType.F16x2) => &Handlers.Atomic<TSpace, AtomicPackedHalf<HalfAdd<Binary16>>, uint>,
            ("add", PtxType.BF16x2) => &Handlers.Atomic<TSpace, AtomicPackedHalf<HalfAdd<BrainFloat16>>, uint>,
            ("min", PtxType.U32) => &Handlers.Atomic<TSpace, AtomicMinimum<uint>, uint>,
            ("min", PtxType.S32) => &Handlers.Atomic<TSpace, AtomicMinimum<int>, int>,
            ("min", PtxType.U64) => &Handlers.Atomic<TSpace, AtomicMinimum<ulong>, ulong>,
            ("min", PtxType.S64) => &Handlers.Atomic<TSpace, AtomicMinimum<long>, long>,
            ("max", PtxType.U32) => &Handlers.Atomic<TSpace, AtomicMaximum<uint>, uint>,
            ("max", PtxType.S32) => &Handlers.Atomic<TSpace, AtomicMaximum<int>, int>,
            ("max", PtxType.U64) => &Handlers.Atomic<TSpace, AtomicMaximum<ulong>, ulong>,
            ("max", PtxType.S64) => &Handlers.Atomic<TSpace, AtomicMaximum<long>, long>,
            ("and", PtxType.B32) => &Handlers.Atomic<TSpace, AtomicAnd<uint>, uint>,
            ("and", PtxType.B64) => &Handlers.Atomic<TSpace, AtomicAnd<ulong>, ulong>,
            ("or", PtxType.B32) => &Handlers.Atomic<TSpace, AtomicOr<uint>, uint>,
            ("or", PtxType.B64) => &Handlers.Atomic<TSpace, AtomicOr<ulong>, ulong>,
            ("xor", PtxType.B32) => &Handlers.Atomic<TSpace, AtomicXor<uint>, uint>,
            ("xor", PtxType.B64) => &Handlers.Atomic<TSpace, AtomicXor<ulong>, ulong>,
            ("exch", PtxType.B32) => &Handlers.Atomic<TSpace, AtomicExchange<uint>, uint>,
            ("exch", PtxType.B64) => &Handlers.Atomic<TSpace, AtomicExchange<ulong>, ulong>,
            ("cas", PtxType.B16) => &Handlers.Atomic<TSpace, AtomicCompareAndSwap<ushort>, ushort>,
            ("cas", PtxType.B32) => &Handlers.Atomic<TSpace, AtomicCompareAndSwap<uint>, uint>,
            ("cas", PtxType.B64) => &Handlers.Atomic<TSpace, AtomicCompareAndSwap<ulong>, ulong>,
            ("inc", PtxType.U32) => &Handlers.Atomic<TSpace, AtomicIncrement, uint>,
            ("dec", PtxType.U32) => &Handlers.Atomic<TSpace, AtomicDecrement, uint>,
            _ => throw Unknown(i),
        };
}
