using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Decodes one function: this part walks its blocks and emits operations; the others know the instructions.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private readonly ProgramBuilder program;
    private readonly DecodedFunction decoded;
    private readonly PtxFunction function;
    private readonly ControlFlow flow;
    private readonly DefiniteAssignment assignment;
    private readonly bool[] watched;
    private readonly int[] blockCode;
    private readonly List<(int Instruction, int Block)> branches = [];
    private readonly List<(int Instruction, int[] Blocks)> tables = [];
    private PtxInstruction? current;
    private InstructionCost cost;
    private int block;
    private int order;
    private bool guarding;

    public FunctionDecoder(ProgramBuilder program, DecodedFunction decoded)
    {
        this.program = program;
        this.decoded = decoded;
        function = decoded.Syntax;
        try
        {
            flow = new ControlFlow(function);
        }
        catch (EmulationException error) when (error.Kernel is null)
        {
            throw new EmulationException(error.Fault, error.Detail, new EmulationSite(program.Module.Module.Name, function.Name, PtxLine: error.PtxLine ?? function.Line));
        }
        assignment = new DefiniteAssignment(function, flow);
        watched = assignment.Watched;
        blockCode = new int[flow.Starts.Count + 1];
        LayOutFrame();
    }

    public void Decode()
    {
        for (int block = 0; block < flow.Starts.Count; block++)
            DecodeBlock(block);
        // Falling off the end is a return.
        current = null;
        blockCode[^1] = program.Code.Count;
        order = int.MaxValue;
        Emit(new Instruction { Handler = &Handlers.Return });
        foreach ((int instruction, int block) in branches)
            program.Fixups.Add((instruction, blockCode[block]));
        foreach ((int instruction, int[] blocks) in tables)
        {
            Instruction table = program.Code[instruction];
            table.List = program.Keep([.. blocks.Select(block => blockCode[block] - instruction)]);
            program.Code[instruction] = table;
        }
        FinishFrame();
    }

    private void DecodeBlock(int block)
    {
        int start = flow.Starts[block];
        int end = flow.End(block);
        order = flow.Order[block];
        blockCode[block] = program.Code.Count;
        current = function.Instructions[start];
        OpenBlock(end - start);
        for (int k = start; k < end; k++)
            DecodeInstruction(k);
    }

    private void OpenBlock(int instructions)
    {
        block = program.BlockCount++;
        PtxInstruction? current = this.current;
        this.current = null;
        Emit(new Instruction { Handler = &Handlers.EnterBlock, IsEntry = 1, D = block, E = instructions });
        this.current = current;
    }

    private void DecodeInstruction(int index)
    {
        PtxInstruction instruction = function.Instructions[index];
        current = instruction;
        int start = program.Code.Count;
        int branches = this.branches.Count;
        int tables = this.tables.Count;
        guarding = instruction.Guard is not null && !IsFlow(instruction);
        cost = default;
        try
        {
            WatchReads(instruction);
            if (instruction.Guard is not null && IsFlow(instruction) && instruction.Name != "bra")
                BranchAround(instruction, index);
            WatchWrites(instruction);
            Dispatch(instruction);
        }
        catch (EmulationException error) when (error.Fault is EmulationFault.Unsupported or EmulationFault.Syntax)
        {
            program.Code.RemoveRange(start, program.Code.Count - start);
            program.Info.RemoveRange(start, program.Info.Count - start);
            this.branches.RemoveRange(branches, this.branches.Count - branches);
            this.tables.RemoveRange(tables, this.tables.Count - tables);
            cost = default;
            program.Refusals.Add(error.Detail);
            Emit(new Instruction { Handler = &Handlers.Refuse, F = program.Refusals.Count - 1 });
        }
    }

    /// <summary>Instructions that are branched around where guarded, because they set lanes aside.</summary>
    public static bool IsFlow(PtxInstruction instruction)
        => instruction.Name is "bra" or "brx" or "ret" or "exit" || ControlFlow.IsSynchronizing(instruction);

    private void BranchAround(PtxInstruction instruction, int index)
    {
        Instruction branch = new()
        {
            Handler = &Handlers.Branch,
            A = RegisterSlot(instruction.Guard!),
            E = instruction.GuardNegated ? 0 : -1,
        };
        branches.Add((program.Code.Count, index + 1 < function.Instructions.Count ? flow.BlockOf[index + 1] : flow.Starts.Count));
        Emit(branch);
        OpenBlock(1);
    }

    private void WatchReads(PtxInstruction instruction)
    {
        if (instruction.Guard is not null && watched[instruction.Guard.Index])
        {
            bool guarding = this.guarding;
            this.guarding = false;
            EmitCheck(instruction.Guard);
            this.guarding = guarding;
        }
        foreach (PtxRegister register in DefiniteAssignment.Used(instruction).Distinct())
        {
            if (watched[register.Index])
                EmitCheck(register);
        }
    }

    private void EmitCheck(PtxRegister register)
        => Emit(new Instruction { Handler = &Handlers.CheckWritten, A = WatchSlot(register), E = register.Index });

    private void Emit(Instruction operation)
    {
        int guard = -1;
        if (guarding && current is { Guard: { } predicate })
        {
            guard = program.GuardCount++;
            Append(new Instruction { Handler = &Handlers.Guard, A = RegisterSlot(predicate), E = current.GuardNegated ? -1 : 0, D = guard }, default, -1);
        }
        Append(operation, cost, guard);
        cost = default;
    }

    private void Append(Instruction operation, InstructionCost cost, int guard)
    {
        operation.Order = order;
        program.Code.Add(operation);
        program.Info.Add(new InstructionInfo(current, function.Name, cost, block, guard));
    }

    private void Cost(InstructionKind kind, int single = 0, int @double = 0, int half = 0, long tensor = 0)
        => cost = new InstructionCost(kind, single, @double, half, tensor);

    private static EmulationException Refused(string detail) => new(EmulationFault.Unsupported, detail);

    private static EmulationException Unknown(PtxInstruction instruction)
        => Refused($"The instruction {instruction.Opcode} is not executed by the emulator");
}
