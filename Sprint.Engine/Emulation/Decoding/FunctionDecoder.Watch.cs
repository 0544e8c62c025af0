using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Keeps account of undefined values in the registers that <see cref="DefiniteAssignment"/> names: one bit a lane, set where it is defined.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    // Before the instruction itself, whose operands it may overwrite.
    private void WatchWrites(PtxInstruction instruction)
    {
        foreach (PtxRegister register in DefiniteAssignment.Written(instruction))
        {
            if (!watched[register.Index] || register == ShuffledInto(instruction))
                continue;
            int[] sources = [.. assignment.Sources(instruction).Distinct().Where(source => watched[source.Index]).Select(WatchSlot)];
            if (sources.Length == 0)
                Emit(new Instruction { Handler = &Handlers.MarkWritten, D = WatchSlot(register) });
            else if (IsChoice(instruction))
                EmitChoice(instruction, register);
            else
                Emit(new Instruction { Handler = &Handlers.PassOnWritten, D = WatchSlot(register), List = program.Keep(sources), Count = sources.Length });
        }
    }

    /// <summary>The register that a shuffle writes, which <see cref="Handlers.Shuffle"/> looks after itself.</summary>
    private static PtxRegister? ShuffledInto(PtxInstruction instruction) => instruction.Name != "shfl" || instruction.Operands.Length == 0
        ? null
        : instruction.Operands[0].Kind == PtxOperandKind.Pair ? instruction.Operands[0].Items[0].Register : instruction.Operands[0].Register;

    /// <summary>Instructions whose result may not depend on one of their operands.</summary>
    private static bool IsChoice(PtxInstruction instruction)
        => (instruction.Name == "selp" && instruction.Operands is [_, _, _, { Kind: PtxOperandKind.Register }])
            || (instruction.Name is "and" or "or" && instruction.Has("pred")
                && instruction.Operands is [_, { Kind: PtxOperandKind.Register }, { Kind: PtxOperandKind.Register }]);

    private void EmitChoice(PtxInstruction instruction, PtxRegister target)
    {
        int first = WatchOf(instruction.Operands[1]), second = WatchOf(instruction.Operands[2]);
        Instruction choice = new() { D = WatchSlot(target), A = first, B = second };
        if (instruction.Name == "selp")
        {
            choice.Handler = &Handlers.PassOnSelected;
            choice.C = Source(instruction.Operands[3], 0);
            choice.E = WatchOf(instruction.Operands[3]);
        }
        else
        {
            choice.Handler = &Handlers.PassOnLogic;
            choice.C = Source(instruction.Operands[1], 0);
            choice.E = Source(instruction.Operands[2], 0);
            choice.F = instruction.Name == "or" ? -1 : 0;
        }
        Emit(choice);
    }

    private int WatchOf(PtxOperand operand)
        => operand.Register is { } register && watched[register.Index] ? WatchSlot(register) : Constant(uint.MaxValue, 0);
}
