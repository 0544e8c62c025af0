using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Decodes one function: this part walks its blocks and emits operations; the others know the instructions.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private readonly ProgramBuilder _program;
    private readonly DecodedFunction _decoded;
    private readonly PtxFunction _function;
    private readonly ControlFlow _flow;
    private readonly bool[] _watched;
    private readonly int[] _blockCode;
    private readonly List<(int Instruction, int Block)> _branches = [];
    private readonly List<(int Instruction, int[] Blocks)> _tables = [];
    private PtxInstruction? _current;
    private InstructionCost _cost;
    private int _block;
    private int _order;
    private bool _guarding;

    public FunctionDecoder(ProgramBuilder program, DecodedFunction decoded)
    {
        _program = program;
        _decoded = decoded;
        _function = decoded.Syntax;
        try
        {
            _flow = new ControlFlow(_function);
        }
        catch (EmulationException error) when (error.Kernel is null)
        {
            throw new EmulationException(error.Fault, error.Detail, new EmulationSite(program.Module.Module.Name, _function.Name, PtxLine: error.PtxLine ?? _function.Line));
        }
        _watched = new DefiniteAssignment(_function, _flow).Watched;
        _blockCode = new int[_flow.Starts.Count + 1];
        LayOutFrame();
    }

    public void Decode()
    {
        for (int block = 0; block < _flow.Starts.Count; block++)
            DecodeBlock(block);
        // Falling off the end is a return.
        _current = null;
        _blockCode[^1] = _program.Code.Count;
        _order = int.MaxValue;
        Emit(new Instruction { Handler = &Handlers.Return });
        foreach ((int instruction, int block) in _branches)
            _program.Fixups.Add((instruction, _blockCode[block]));
        foreach ((int instruction, int[] blocks) in _tables)
        {
            Instruction table = _program.Code[instruction];
            table.List = _program.Keep([.. blocks.Select(block => _blockCode[block] - instruction)]);
            _program.Code[instruction] = table;
        }
        FinishFrame();
    }

    private void DecodeBlock(int block)
    {
        int start = _flow.Starts[block];
        int end = _flow.End(block);
        _order = _flow.Order[block];
        _blockCode[block] = _program.Code.Count;
        _current = _function.Instructions[start];
        OpenBlock(end - start);
        for (int k = start; k < end; k++)
            DecodeInstruction(k);
    }

    private void OpenBlock(int instructions)
    {
        _block = _program.BlockCount++;
        PtxInstruction? current = _current;
        _current = null;
        Emit(new Instruction { Handler = &Handlers.EnterBlock, IsEntry = 1, D = _block, E = instructions });
        _current = current;
    }

    private void DecodeInstruction(int index)
    {
        PtxInstruction instruction = _function.Instructions[index];
        _current = instruction;
        int start = _program.Code.Count;
        int branches = _branches.Count;
        int tables = _tables.Count;
        _guarding = instruction.Guard is not null && !IsFlow(instruction);
        _cost = default;
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
            _program.Code.RemoveRange(start, _program.Code.Count - start);
            _program.Info.RemoveRange(start, _program.Info.Count - start);
            _branches.RemoveRange(branches, _branches.Count - branches);
            _tables.RemoveRange(tables, _tables.Count - tables);
            _cost = default;
            _program.Refusals.Add(error.Detail);
            Emit(new Instruction { Handler = &Handlers.Refuse, F = _program.Refusals.Count - 1 });
        }
    }

    /// <summary>Instructions that are branched around where guarded, because they set lanes aside.</summary>
    private static bool IsFlow(PtxInstruction instruction)
        => instruction.Name is "bra" or "brx" or "ret" or "exit" || ControlFlow.IsSynchronizing(instruction);

    private void BranchAround(PtxInstruction instruction, int index)
    {
        Instruction branch = new()
        {
            Handler = &Handlers.Branch,
            A = RegisterSlot(instruction.Guard!),
            E = instruction.GuardNegated ? 0 : -1,
        };
        _branches.Add((_program.Code.Count, index + 1 < _function.Instructions.Count ? _flow.BlockOf[index + 1] : _flow.Starts.Count));
        Emit(branch);
        OpenBlock(1);
    }

    private void WatchReads(PtxInstruction instruction)
    {
        if (instruction.Guard is not null && _watched[instruction.Guard.Index])
        {
            bool guarding = _guarding;
            _guarding = false;
            EmitCheck(instruction.Guard);
            _guarding = guarding;
        }
        foreach (PtxRegister register in DefiniteAssignment.Used(instruction).Distinct())
        {
            if (_watched[register.Index])
                EmitCheck(register);
        }
    }

    private void EmitCheck(PtxRegister register)
        => Emit(new Instruction { Handler = &Handlers.CheckWritten, A = WatchSlot(register), E = register.Index });

    private void Emit(Instruction operation)
    {
        int guard = -1;
        if (_guarding && _current is { Guard: { } predicate })
        {
            guard = _program.GuardCount++;
            Append(new Instruction { Handler = &Handlers.Guard, A = RegisterSlot(predicate), E = _current.GuardNegated ? -1 : 0, D = guard }, default, -1);
        }
        Append(operation, _cost, guard);
        _cost = default;
    }

    private void Append(Instruction operation, InstructionCost cost, int guard)
    {
        operation.Order = _order;
        _program.Code.Add(operation);
        _program.Info.Add(new InstructionInfo(_current, _function.Name, cost, _block, guard));
    }

    private void Cost(InstructionKind kind, int single = 0, int @double = 0, int half = 0, long tensor = 0)
        => _cost = new InstructionCost(kind, single, @double, half, tensor);

    private static EmulationException Refused(string detail) => new(EmulationFault.Unsupported, detail);

    private static EmulationException Unknown(PtxInstruction instruction)
        => Refused($"The instruction {instruction.Opcode} is not executed by the emulator");
}
