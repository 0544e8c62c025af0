using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>What becomes of undefined values at an instruction.</summary>
internal enum UndefinedRule
{
    /// <summary>The targets are undefined where any of the sources is.</summary>
    PassOn,

    /// <summary>The target is undefined where the predicate (the third source) or the source that it selects is.</summary>
    Select,

    /// <summary>The target is undefined where one of two predicates is and the other does not decide alone.</summary>
    Logic,

    /// <summary>The target has the first source in its lower half and the second in its upper one.</summary>
    Pack,

    /// <summary>The first target is the source's lower half, a second one its upper half.</summary>
    Unpack,

    /// <summary>Each half of the target is undefined where that of any of the sources is.</summary>
    Halves,

    /// <summary>The targets come from memory that may be the thread's own.</summary>
    Load,

    /// <summary>The sources go to memory; to the thread's own they may undefined.</summary>
    Store,

    /// <summary>The targets come from a parameter of a call.</summary>
    LoadArgument,

    /// <summary>The sources go to a parameter of a call.</summary>
    StoreArgument,

    /// <summary>The parameters go to a function of the module.</summary>
    Call,

    /// <summary>The parameters go to a function of the runtime, which uses them.</summary>
    CallRuntime,

    /// <summary>The results go to the caller.</summary>
    Return,

    /// <summary>A shuffle, which looks after its targets itself once its lanes have come.</summary>
    Shuffle,
}

/// <summary>One instruction as undefined values see it. Registers are numbered as <see cref="UndefinedFlow.Number"/> has them; -1 is none.</summary>
internal sealed record UndefinedStep(UndefinedRule Rule, PtxInstruction? Instruction, int[] Used, int[] Sources, int[] Targets)
{
    /// <summary>The guard predicate, which must be defined, or -1.</summary>
    public int Guard { get; init; } = -1;

    /// <summary>Bytes of an element in memory.</summary>
    public int ElementBytes { get; init; }
}

/// <summary>
/// How undefined values pass through a program's registers, by the rules of <see cref="DefiniteAssignment"/>. It is made for programs some of
/// whose warps have met one that no analysis foresees: what a shuffle reads from a lane that does not take part.
/// </summary>
internal sealed unsafe partial class UndefinedFlow
{
    /// <summary>The number of the carry flag.</summary>
    public const int Carry = 0;

    private static readonly UndefinedStep End = new(UndefinedRule.Return, null, [], [], []);

    private readonly KernelProgram program;

    public UndefinedFlow(KernelProgram program)
    {
        this.program = program;
        InstructionInfo[] info = program.Info;
        Steps = new UndefinedStep?[info.Length];
        for (int k = 0; k < info.Length; k++)
        {
            if (info[k].Source is not { } instruction)
            {
                // What has no text and enters no block is the end of a function.
                Steps[k] = program.Code[k].IsEntry == 0 ? End : null;
                continue;
            }
            if (instruction.Name is "ld" or "ldu" or "st")
            {
                if (info[k].Cost.BytesRead + info[k].Cost.BytesWritten > 0)
                    Steps[info[k].GuardSlot >= 0 ? k - 1 : k] = Access(instruction, k);
                continue;
            }
            if (k > 0 && ReferenceEquals(info[k - 1].Source, instruction))
                continue;
            bool branchedAround = instruction.Guard is not null && instruction.Name != "bra" && FunctionDecoder.IsFlow(instruction);
            bool isBehind = branchedAround && k > 1 && ReferenceEquals(info[k - 2].Source, instruction);
            UndefinedStep step = branchedAround && !isBehind
                ? new UndefinedStep(UndefinedRule.PassOn, instruction, [], [], []) { Guard = Number(instruction.Guard) }
                : Step(instruction) with { Guard = isBehind ? -1 : Number(instruction.Guard) };
            Steps[NeedsOperation(step.Rule) ? LastOperation(info, k) : k] = step;
        }
    }

    /// <summary>For each operation what is to be done before it, null for nothing.</summary>
    public UndefinedStep?[] Steps { get; }

    /// <summary>The number of a register, whose origins are the 32 from 32 times that on; -1 for none.</summary>
    public static int Number(PtxRegister? register) => register is null ? -1 : register.Index + 1;

    // Whether the rule looks at the operation itself, not at those before it that watch whether its operands were written.
    private static bool NeedsOperation(UndefinedRule rule) => rule is UndefinedRule.Shuffle or UndefinedRule.Call or UndefinedRule.CallRuntime;

    private static int LastOperation(InstructionInfo[] info, int code)
    {
        while (code + 1 < info.Length && ReferenceEquals(info[code + 1].Source, info[code].Source))
            code++;
        return code;
    }

    private static int[] Numbers(IEnumerable<PtxRegister> registers) => [.. registers.Distinct().Select(Number)];

    private static int[] Items(PtxOperand operand) => operand.Kind is PtxOperandKind.Vector or PtxOperandKind.Pair ? [.. operand.Items.Select(item => Number(item.Register))] : [Number(operand.Register)];

    private UndefinedStep Step(PtxInstruction i)
    {
        int[] used = Numbers(DefiniteAssignment.Used(i));
        int[] targets = Numbers(DefiniteAssignment.Written(i));
        switch (i.Name)
        {
            case "shfl" when i.Operands.Length > 1:
                return new(UndefinedRule.Shuffle, i, used, Items(i.Operands[1]), Items(i.Operands[0]));
            case "call":
                PtxOperand? name = i.Operands.FirstOrDefault(operand => operand.Kind == PtxOperandKind.Symbol);
                bool ofRuntime = name is not null && program.Module.FunctionIndex(name.Name!) < 0;
                return new(ofRuntime ? UndefinedRule.CallRuntime : UndefinedRule.Call, i, used, [], []);
            case "ret":
                return new(UndefinedRule.Return, i, used, [], []);
            case "selp" when i.Operands.Length == 4:
                return new(UndefinedRule.Select, i, used, [.. i.Operands.Skip(1).Select(operand => Number(operand.Register))], targets);
            case "and" or "or" when i.Has("pred") && i.Operands.Length == 3:
                return new(UndefinedRule.Logic, i, used, [.. i.Operands.Skip(1).Select(operand => Number(operand.Register))], targets);
        }
        if (StepOfHalves(i, targets) is { } halves)
            return halves;
        int[] sources = Numbers(DefiniteAssignment.PassedOn(i));
        bool readsCarry = i.Name is "addc" or "subc" or "madc";
        return new(UndefinedRule.PassOn, i, used, readsCarry ? [.. sources, Carry] : sources, i.Has("cc") ? [.. targets, Carry] : targets);
    }

    private UndefinedStep Access(PtxInstruction i, int code)
    {
        bool store = i.Name == "st";
        int[] items = Items(i.Operands[store ? 1 : 0]);
        int[] address = Numbers(DefiniteAssignment.Read(i).Where(register => !store || ReferenceEquals(register, i.Operands[0].Register)));
        InstructionCost cost = program.Info[code].Cost;
        Instruction operation = program.Code[code];
        UndefinedRule? rule = cost.Space switch
        {
            PtxSpace.Local or PtxSpace.Generic => store ? UndefinedRule.Store : UndefinedRule.Load,
            // Of parameters those of calls alone have bytes of a lane.
            PtxSpace.Parameter when operation.E > 0 => store ? UndefinedRule.StoreArgument : UndefinedRule.LoadArgument,
            _ => null,
        };
        return new UndefinedStep(rule ?? UndefinedRule.PassOn, i, rule is null ? Numbers(DefiniteAssignment.Used(i)) : address, store ? items : [], store ? [] : items)
        {
            Guard = Number(i.Guard),
            ElementBytes = (cost.BytesRead + cost.BytesWritten) / operation.Count,
        };
    }
}
