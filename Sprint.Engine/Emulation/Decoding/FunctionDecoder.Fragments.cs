using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>The <c>wmma</c> instructions, which <c>nvcuda::wmma</c> compiles to, and products of doubles.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private static readonly (int M, int N, int K)[] FragmentShapes = [(16, 16, 16), (8, 32, 16), (32, 8, 16), (16, 16, 8), (8, 8, 4)];

    private void DecodeFragment(PtxInstruction i)
    {
        Allow(i, "load", "store", "mma", "a", "b", "c", "d", "sync", "aligned", "row", "col", "m16n16k16", "m8n32k16", "m32n8k16", "m16n16k8", "m8n8k4",
            "global", "shared", "shared::cta", "rn", "satfinite");
        (int m, int n, int k) = Array.Find(FragmentShapes, shape => i.Has($"m{shape.M}n{shape.N}k{shape.K}"));
        if (m == 0)
            throw Unknown(i);
        if (i.Has("mma"))
            DecodeFragmentProduct(i, m, n, k);
        else
            DecodeFragmentAccess(i, i.Has("store"), m, n, k);
    }

    private void DecodeFragmentAccess(PtxInstruction i, bool store, int m, int n, int k)
    {
        Expect(i, 2, 3);
        PtxOperand data = i.Operands[store ? 1 : 0], address = i.Operands[store ? 0 : 1];
        (int rows, int columns) = i.Has("a") ? (m, k) : i.Has("b") ? (k, n) : (m, n);
        PtxType type = FragmentType(i, TypesOf(i) is [var only] ? only : PtxType.None, m, n, k);
        bool input = i.Has("a") || i.Has("b");
        if (address.Kind != PtxOperandKind.Address || data.Kind != PtxOperandKind.Vector || data.Items.Length != FragmentRegisters(type, rows * columns, input))
            throw Unknown(i);
        int register = Math.Max(type.Size(), 4);
        int[] slots = [.. data.Items.Select(item => store ? Source(item, register, type) : Destination(item, register))];
        Instruction access = new()
        {
            Count = slots.Length,
            List = program.Keep([.. slots, rows, columns, type.Size(), i.Has("col") ? 1 : 0]),
            E = i.Operands.Length == 3 ? Source(i.Operands[2], 4) : -1,
        };
        PtxSpace space = SpaceOf(i);
        SetAddress(address, space, ref access);
        access.Handler = space switch
        {
            PtxSpace.Global => FragmentHandler<GlobalSpace>(store),
            PtxSpace.Shared => FragmentHandler<SharedSpace>(store),
            _ => FragmentHandler<GenericSpace>(store),
        };
        program.GlobalGranule = Math.Min(program.GlobalGranule, Handlers.MinimumFragmentChunk);
        int bytes = rows * columns * type.Size() / Lanes.Count;
        cost = new InstructionCost(InstructionKind.Tensor, BytesRead: store ? 0 : bytes, BytesWritten: store ? bytes : 0, Space: space);
        Emit(access);
    }

    private static Handler FragmentHandler<TSpace>(bool store)
        where TSpace : struct, IMemorySpace
        => store ? &Handlers.StoreFragment<TSpace> : &Handlers.LoadFragment<TSpace>;

    private void DecodeFragmentProduct(PtxInstruction i, int m, int n, int k)
    {
        PtxType[] types = TypesOf(i);
        if (types.Length == 2)
            types = [types[0], PtxType.F16, PtxType.F16, types[1]];
        Expect(i, 4);
        if (types.Length != 4 || Array.Exists(i.Operands, operand => operand.Kind != PtxOperandKind.Vector))
            throw Unknown(i);
        PtxType left = FragmentType(i, types[1], m, n, k), right = FragmentType(i, types[2], m, n, k);
        bool fits = left switch
        {
            PtxType.F16 => types[0] is PtxType.F16 or PtxType.F32 && types[3] is PtxType.F16 or PtxType.F32,
            PtxType.BF16 or PtxType.TF32 => types[0] == PtxType.F32 && types[3] == PtxType.F32,
            PtxType.F64 => types[0] == PtxType.F64 && types[3] == PtxType.F64,
            _ => types[0] == PtxType.S32 && types[3] == PtxType.S32,
        };
        int[] counts = [FragmentRegisters(types[0], m * n, false), FragmentRegisters(left, m * k, true), FragmentRegisters(right, k * n, true), FragmentRegisters(types[3], m * n, false)];
        if (!fits || right != left || Enumerable.Range(0, 4).Any(operand => i.Operands[operand].Items.Length != counts[operand]))
            throw Unknown(i);
        int register = left == PtxType.F64 ? 8 : 4;
        int[] slots =
        [
            .. i.Operands[0].Items.Select(item => Destination(item, register)),
            .. i.Operands.Skip(1).SelectMany(operand => operand.Items).Select(item => Source(item, register, PtxType.F32)),
        ];
        Cost(InstructionKind.Tensor, tensor: 2L * m * n * k);
        Emit(new Instruction
        {
            Handler = left == PtxType.F64 ? &Handlers.MultiplyDoubleFragments : &Handlers.MultiplyFragments,
            List = program.Keep([.. slots, .. counts, m, n, k]),
            Count = slots.Length,
            E = left == PtxType.F64 ? 0 : (int)ElementOf(i, left),
            A = types[0] == PtxType.F16 ? 1 : 0,
            B = types[3] == PtxType.F16 ? 1 : 0,
            C = i.Has("satfinite") ? 1 : 0,
        });
    }

    // Which element types a shape takes; results and addends follow from the product's.
    private static PtxType FragmentType(PtxInstruction i, PtxType type, int m, int n, int k)
    {
        bool fits = (m, n, k) switch
        {
            (16, 16, 8) => type is PtxType.TF32 or PtxType.F32,
            (8, 8, 4) => type == PtxType.F64,
            _ => type is PtxType.F16 or PtxType.BF16 or PtxType.S8 or PtxType.U8 or PtxType.F32 or PtxType.S32,
        };
        return fits ? type : throw Unknown(i);
    }

    // Inputs of f16 have eight registers in every shape: each element lies in two or more of them.
    private static int FragmentRegisters(PtxType type, int elements, bool input) => (type, input) switch
    {
        (PtxType.F16, true) => 8,
        (PtxType.F64, _) => elements / Lanes.Count,
        _ => elements * type.Size() / (4 * Lanes.Count),
    };

    private void DecodeDoubleProduct(PtxInstruction i)
    {
        Allow(i, "sync", "aligned", "m8n8k4", "row", "col", "rn");
        int[] counts = [2, 1, 1, 2];
        if (TypesOf(i).Length != 4 || i.Operands.Length != 4 || !i.Has("row") || !i.Has("col")
            || Enumerable.Range(0, 4).Any(k => i.Operands[k].Kind != PtxOperandKind.Vector || i.Operands[k].Items.Length != counts[k]))
            throw Unknown(i);
        int[] slots = [.. i.Operands[0].Items.Select(item => Destination(item, 8)), .. i.Operands.Skip(1).SelectMany(operand => operand.Items).Select(item => Source(item, 8, PtxType.F64))];
        Cost(InstructionKind.Tensor, tensor: 2L * 8 * 8 * 4);
        Emit(new Instruction { Handler = &Handlers.MultiplyDoubles, List = program.Keep(slots), Count = slots.Length });
    }
}
