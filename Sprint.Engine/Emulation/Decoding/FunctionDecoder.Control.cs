using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Branches, calls, ends and barriers.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeControl(PtxInstruction i)
    {
        Cost(InstructionKind.Control);
        switch (i.Name)
        {
            case "bra":
                Allow(i, "uni");
                branches.Add((program.Code.Count, flow.BlockOf[ControlFlow.FindLabel(i, ControlFlow.Targets(i)[0])]));
                if (i.Guard is null)
                    Emit(new Instruction { Handler = &Handlers.Jump });
                else
                    Emit(new Instruction { Handler = &Handlers.Branch, A = RegisterSlot(i.Guard), E = i.GuardNegated ? -1 : 0 });
                break;
            case "brx":
                Allow(i, "idx", "uni");
                int[] blocks = [.. ControlFlow.Targets(i).Select(target => flow.BlockOf[ControlFlow.FindLabel(i, target)])];
                int index = Source(i.Operands[0], 4);
                tables.Add((program.Code.Count, blocks));
                Emit(new Instruction { Handler = &Handlers.BranchTable, A = index, Count = blocks.Length });
                break;
            case "call":
                DecodeCall(i);
                break;
            case "ret":
                Emit(new Instruction { Handler = &Handlers.Return });
                break;
            case "exit":
                Emit(new Instruction { Handler = &Handlers.Exit });
                break;
            case "nanosleep":
                break;
            default:
                bool grid = function.Instructions.Exists(other => other.Operands.Any(operand => operand.Name is "%envreg1" or "%envreg2"));
                Emit(new Instruction { Handler = &Handlers.Trap, E = grid ? 1 : 0 });
                break;
        }
    }

    private void DecodeCall(PtxInstruction i)
    {
        Allow(i, "uni");
        int position = 0;
        PtxOperand[] results = i.Operands.Length > 0 && i.Operands[0].Kind == PtxOperandKind.List ? i.Operands[position++].Items : [];
        if (position >= i.Operands.Length)
            throw Refused("A call names no function");
        PtxOperand target = i.Operands[position++];
        PtxOperand[] arguments = position < i.Operands.Length && i.Operands[position].Kind == PtxOperandKind.List ? i.Operands[position].Items : [];
        FrameParameter[] slots = [.. arguments.Concat(results).Select(CallParameter)];
        if (target.Kind == PtxOperandKind.Register)
        {
            RequireAll();
            Emit(new Instruction { Handler = &Handlers.CallIndirect, A = Source(target, 8), List = program.Keep([.. slots.Select(slot => slot.Offset), .. slots.Select(slot => slot.Size)]), Count = slots.Length });
            return;
        }
        string name = target.Name ?? throw Refused("A call names no function");
        int index = program.Module.FunctionIndex(name);
        if (index < 0)
        {
            DecodeBuiltIn(name, slots, arguments.Length);
            return;
        }
        DecodedFunction callee = program.Require(index);
        PtxFunction syntax = callee.Syntax;
        if (syntax.IsKernel || syntax.Parameters.Length != arguments.Length || syntax.Results.Length != results.Length)
            throw Refused($"The call of {name} passes {arguments.Length} arguments for {results.Length} results, but it takes {syntax.Parameters.Length} for {syntax.Results.Length}");
        PtxVariable[] expected = [.. syntax.Parameters, .. syntax.Results];
        for (int k = 0; k < expected.Length; k++)
        {
            if (Align((int)Math.Max(expected[k].Size, 1), 8) != slots[k].Size)
                throw Refused($"The call of {name} passes {slots[k].Size} bytes as {expected[k].Name} of {expected[k].Size}");
        }
        Emit(new Instruction { Handler = &Handlers.Call, E = index, List = program.Keep([.. slots.Select(slot => slot.Offset)]), Count = slots.Length });
    }

    private void DecodeBuiltIn(string name, FrameParameter[] slots, int arguments)
    {
        int[] list = [.. slots.SelectMany(slot => new[] { slot.Offset, slot.Size })];
        Handler handler = (name, arguments) switch
        {
            ("vprintf", 2) => &Handlers.Print,
            ("__assertfail", 5) => &Handlers.FailAssertion,
            _ => throw Refused($"The function {name} is external and not defined in the module"),
        };
        Emit(new Instruction { Handler = handler, List = program.Keep(list), Count = slots.Length });
    }

    private FrameParameter CallParameter(PtxOperand operand)
    {
        if (operand.Kind == PtxOperandKind.Symbol && FindVariable(operand.Name!) is { } variable && parameters.TryGetValue(variable, out FrameParameter slot))
            return slot;
        throw Refused("Calls pass variables of the .param space");
    }

    // Whose address may be in a register is anyone's guess: all functions of the module.
    private void RequireAll()
    {
        foreach (PtxFunction function in program.Module.Module.Functions.Values)
        {
            if (function.HasBody && !function.IsKernel && function.Refusal is null)
                program.Require(program.Module.FunctionIndex(function.Name));
        }
    }

    /// <summary>Emits the fence of an instruction, for the block alone if its scope says so.</summary>
    private void EmitFence(PtxInstruction i)
    {
        bool device = !i.Has("cta");
        program.UsesFence = true;
        program.UsesDeviceFence |= device;
        Emit(new Instruction { Handler = &Handlers.Fence, E = device ? 1 : 0 });
    }

    private void DecodeBarrier(PtxInstruction i)
    {
        Cost(InstructionKind.Barrier);
        if (i.Name is "membar" or "fence")
        {
            Allow(i, "gl", "cta", "sys", "gpu", "sc", "acq_rel");
            EmitFence(i);
            return;
        }
        Allow(i, "sync", "arrive", "red", "warp", "cta", "aligned", "popc", "and", "or");
        if (i.Has("warp"))
        {
            Expect(i, 1);
            Emit(new Instruction { Handler = &Handlers.SynchronizeWarp, F = Source(i.Operands[0], 4) });
            return;
        }
        bool aligned = i.Name == "bar" || i.Has("aligned");
        bool reduce = i.Has("red");
        bool arrive = i.Has("arrive");
        int first = reduce ? 1 : 0;
        int last = i.Operands.Length - (reduce ? 1 : 0);
        if (last - first is not (1 or 2) || (arrive && last - first != 2))
            throw Refused($"The instruction {i.Opcode} has {i.Operands.Length} operands");
        BarrierReduction reduction = !reduce ? BarrierReduction.None : i.Has("popc") ? BarrierReduction.PopulationCount : i.Has("and") ? BarrierReduction.And : BarrierReduction.Or;
        Emit(new Instruction
        {
            Handler = &Handlers.Barrier,
            A = Source(i.Operands[first], 4),
            B = last - first == 2 ? Source(i.Operands[first + 1], 4) : -1,
            C = reduce ? Source(i.Operands[^1], 0) : -1,
            D = reduce ? Destination(i.Operands[0], reduction == BarrierReduction.PopulationCount ? 4 : 0) : 0,
            E = (int)reduction,
            F = (aligned ? 1 : 0) | (arrive ? 2 : 0),
        });
    }
}
