using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Exchange between lanes, tensor-core products, asynchronous copies.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeWarp(PtxInstruction i)
    {
        Cost(InstructionKind.Warp);
        if (i.Operands.Length == 0)
            throw Refused($"The instruction {i.Opcode} has no operands");
        if (i.Name == "activemask")
        {
            Emit(new Instruction { Handler = &Handlers.ActiveMask, D = Destination(i.Operands[0], 4) });
            return;
        }
        if (!i.Has("sync"))
            throw Refused($"The instruction {i.Opcode} without .sync is not executed: it does not exist since compute capability 7.0");
        PtxOperand target = i.Operands[0];
        PtxOperand value = target.Kind == PtxOperandKind.Pair ? target.Items[0] : target;
        int predicate = target.Kind == PtxOperandKind.Pair ? Destination(target.Items[1], 0) : -1;
        int watched = value.Register is { } result && this.watched[result.Index] ? WatchSlot(result) : -1;
        int* list = program.Keep([predicate, watched, i.Operands.Length > 1 ? WatchOf(i.Operands[1]) : -1]);
        switch (i.Name)
        {
            case "shfl":
                Expect(i, 5);
                Allow(i, "sync", "up", "down", "bfly", "idx");
                ShuffleMode mode = i.Has("up") ? ShuffleMode.Up : i.Has("down") ? ShuffleMode.Down : i.Has("bfly") ? ShuffleMode.Butterfly : ShuffleMode.Index;
                Emit(new Instruction { Handler = &Handlers.Shuffle, D = Destination(value, 4), A = Source(i.Operands[1], 4), B = Source(i.Operands[2], 4), C = Source(i.Operands[3], 4), F = Source(i.Operands[4], 4), E = (int)mode, List = list });
                break;
            case "vote":
                Expect(i, 3);
                Allow(i, "sync", "all", "any", "uni", "ballot");
                VoteMode vote = i.Has("ballot") ? VoteMode.Ballot : i.Has("all") ? VoteMode.All : i.Has("any") ? VoteMode.Any : VoteMode.Uniform;
                Emit(new Instruction { Handler = &Handlers.Vote, D = Destination(value, vote == VoteMode.Ballot ? 4 : 0), A = Source(i.Operands[1], 0), F = Source(i.Operands[2], 4), E = (int)vote });
                break;
            case "match":
                Expect(i, 3);
                Allow(i, "sync", "any", "all");
                int size = TypeOf(i).Size();
                if (size is not (4 or 8))
                    throw Unknown(i);
                Emit(new Instruction { Handler = size == 8 ? &Handlers.Match<ulong> : &Handlers.Match<uint>, D = Destination(value, 4), A = Source(i.Operands[1], size), F = Source(i.Operands[2], 4), E = i.Has("all") ? 1 : 0, List = list });
                break;
            default:
                Expect(i, 3);
                Allow(i, "sync", "add", "min", "max", "and", "or", "xor");
                Emit(new Instruction { Handler = &Handlers.ReduceWarp, D = Destination(value, 4), A = Source(i.Operands[1], 4), F = Source(i.Operands[2], 4), E = (int)ReductionOf(i) });
                break;
        }
    }

    private static WarpReduction ReductionOf(PtxInstruction i)
    {
        bool signed = TypeOf(i).IsSigned();
        return i switch
        {
            _ when i.Has("add") => WarpReduction.Add,
            _ when i.Has("min") => signed ? WarpReduction.MinimumSigned : WarpReduction.MinimumUnsigned,
            _ when i.Has("max") => signed ? WarpReduction.MaximumSigned : WarpReduction.MaximumUnsigned,
            _ when i.Has("and") => WarpReduction.And,
            _ when i.Has("or") => WarpReduction.Or,
            _ => WarpReduction.Xor,
        };
    }

    private void DecodeTensor(PtxInstruction i)
    {
        if (i.Name == "cp")
            DecodeAsyncCopy(i);
        else if (i.Name == "mma")
            DecodeMatrixProduct(i);
        else
            DecodeMatrixLoad(i);
    }

    private void DecodeMatrixLoad(PtxInstruction i)
    {
        Allow(i, "sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta");
        Expect(i, 2);
        int count = i.Has("x4") ? 4 : i.Has("x2") ? 2 : 1;
        PtxOperand[] targets = i.Operands[0].Kind == PtxOperandKind.Vector ? i.Operands[0].Items : [i.Operands[0]];
        if (targets.Length != count || i.Operands[1].Kind != PtxOperandKind.Address || TypeOf(i) != PtxType.B16)
            throw Unknown(i);
        PtxSpace space = SpaceOf(i);
        Instruction load = new()
        {
            Handler = &Handlers.LoadMatrix,
            Count = count,
            E = i.Has("trans") ? 1 : 0,
            F = (int)(space == PtxSpace.Generic ? AccessKind.VolatileLoad : AccessKind.Load),
            List = program.Keep([.. targets.Select(target => Destination(target, 4))]),
        };
        SetAddress(i.Operands[1], space, ref load);
        cost = new InstructionCost(InstructionKind.Tensor, BytesRead: 4 * count, Space: PtxSpace.Shared);
        Emit(load);
    }

    private void DecodeMatrixProduct(PtxInstruction i)
    {
        string shape = Array.Find(i.Modifiers, modifier => modifier.StartsWith('m') && modifier.Contains('n')) ?? throw Unknown(i);
        PtxType[] types = TypesOf(i);
        Allow(i, "sync", "aligned", shape, "row", "col", "satfinite");
        if (types.Length != 4 || i.Operands.Length != 4 || !shape.StartsWith("m16n8k", StringComparison.Ordinal) || !i.Has("row") || !i.Has("col")
            || !int.TryParse(shape.AsSpan(6), out int depth) || Array.Exists(i.Operands, operand => operand.Kind != PtxOperandKind.Vector))
            throw Unknown(i);
        MatrixElement left = ElementOf(i, types[1]);
        MatrixElement right = ElementOf(i, types[2]);
        bool integers = left >= MatrixElement.Signed8;
        bool half = types[0] == PtxType.F16;
        bool valid = (left, depth) switch
        {
            (MatrixElement.TensorFloat32, 4 or 8) => types[0] == PtxType.F32,
            (MatrixElement.BrainFloat16, 8 or 16) => types[0] == PtxType.F32,
            (MatrixElement.Binary16, 8 or 16) => types[0] is PtxType.F32 or PtxType.F16,
            (MatrixElement.Signed8 or MatrixElement.Unsigned8, 16 or 32) => types[0] == PtxType.S32,
            _ => false,
        };
        int perRegister = left == MatrixElement.TensorFloat32 ? 1 : integers ? 4 : 2;
        int results = half ? 2 : 4;
        int[] counts = [results, depth / (2 * perRegister), depth / (4 * perRegister), results];
        if (!valid || types[3] != types[0] || (integers ? right < MatrixElement.Signed8 : right != left))
            throw Unknown(i);
        for (int k = 0; k < 4; k++)
        {
            if (i.Operands[k].Items.Length != counts[k])
                throw Unknown(i);
        }
        int[] slots =
        [
            .. i.Operands[0].Items.Select(item => Destination(item, 4)),
            .. i.Operands.Skip(1).SelectMany(operand => operand.Items).Select(item => Source(item, 4, PtxType.F32)),
        ];
        Cost(InstructionKind.Tensor, tensor: 2L * 16 * 8 * depth);
        Emit(new Instruction { Handler = &Handlers.MultiplyMatrix, List = program.Keep(slots), Count = results, E = depth, F = (int)left, D = (int)right, A = half ? 1 : 0, B = i.Has("satfinite") ? 1 : 0 });
    }

    private static MatrixElement ElementOf(PtxInstruction i, PtxType type) => type switch
    {
        PtxType.F16 => MatrixElement.Binary16,
        PtxType.BF16 => MatrixElement.BrainFloat16,
        PtxType.TF32 => MatrixElement.TensorFloat32,
        PtxType.S8 => MatrixElement.Signed8,
        PtxType.U8 => MatrixElement.Unsigned8,
        _ => throw Unknown(i),
    };

    private void DecodeAsyncCopy(PtxInstruction i)
    {
        Cost(InstructionKind.AsyncCopy);
        if (i.Modifiers is not ["async", ..])
            throw Unknown(i);
        if (i.Has("commit_group"))
        {
            Emit(new Instruction { Handler = &Handlers.CommitCopies });
            return;
        }
        if (i.Has("wait_group") || i.Has("wait_all"))
        {
            int outstanding = i.Has("wait_all") ? -1 : i.Operands is [{ Kind: PtxOperandKind.Integer } count] ? (int)count.Value : throw Unknown(i);
            Emit(new Instruction { Handler = &Handlers.WaitCopies, E = outstanding });
            return;
        }
        Allow(i, [.. CacheHints, "async"]);
        Expect(i, 3, 4);
        if (!i.Has("shared") && !i.Has("shared::cta") || i.Operands[0].Kind != PtxOperandKind.Address || i.Operands[1].Kind != PtxOperandKind.Address
            || i.Operands[2] is not { Kind: PtxOperandKind.Integer, Value: 4 or 8 or 16 })
            throw Unknown(i);
        PtxOperand? option = i.Operands.Length == 4 ? i.Operands[3] : null;
        bool ignores = option?.Register?.Type == PtxType.Pred;
        Instruction destination = default;
        SetAddress(i.Operands[0], PtxSpace.Shared, ref destination);
        program.GlobalGranule = Math.Min(program.GlobalGranule, (int)i.Operands[2].Value);
        Instruction copy = new() { Handler = &Handlers.CopyAsync, B = destination.A, E = (int)i.Operands[2].Value, Count = 1 };
        SetAddress(i.Operands[1], PtxSpace.Global, ref copy);
        copy.List = program.Keep(
        [
            destination.C,
            (int)destination.Immediate,
            option is not null && !ignores ? Source(option, 4) : -1,
            ignores ? Source(option!, 0) : -1,
        ]);
        cost = new InstructionCost(InstructionKind.AsyncCopy, BytesRead: copy.E, BytesWritten: copy.E, Space: PtxSpace.Global);
        Emit(copy);
    }
}
