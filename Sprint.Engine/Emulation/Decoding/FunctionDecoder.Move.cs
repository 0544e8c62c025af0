using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Moves, packing and address spaces.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private void DecodeMove(PtxInstruction i)
    {
        Cost(InstructionKind.Move);
        PtxType type = TypeOf(i);
        Expect(i, 2);
        PtxOperand target = i.Operands[0];
        PtxOperand source = i.Operands[1];
        if (target.Kind == PtxOperandKind.Vector)
        {
            EmitUnpack(target, source, type.Size());
            return;
        }
        if (source.Kind == PtxOperandKind.Vector)
        {
            EmitPack(target, source, type.Size());
            return;
        }
        if (type == PtxType.Pred)
        {
            int predicate = Source(source, 0);
            Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = Destination(target, 0), A = predicate, B = predicate });
            return;
        }
        int size = type.Size();
        if (source.Kind == PtxOperandKind.Special && source.Name is "%clock" or "%clock64" or "%clock_hi" or "%globaltimer" or "%globaltimer_lo" or "%globaltimer_hi")
        {
            if (size is not (4 or 8))
                throw Refused("Clocks have 32 or 64 bits");
            Emit(new Instruction
            {
                Handler = size == 8 ? &Handlers.ReadClock<ulong> : &Handlers.ReadClock<uint>,
                D = Destination(target, size),
                E = source.Name!.EndsWith("_hi", StringComparison.Ordinal) ? 32 : 0,
            });
            return;
        }
        int a = Source(source, size, type);
        Emit(new Instruction
        {
            Handler = size switch
            {
                2 => &Handlers.Unary<Identity<ushort>, ushort>,
                4 => &Handlers.Unary<Identity<uint>, uint>,
                8 => &Handlers.Unary<Identity<ulong>, ulong>,
                _ => throw Unknown(i),
            },
            D = Destination(target, size),
            A = a,
        });
    }

    private void EmitPack(PtxOperand target, PtxOperand source, int size)
    {
        int count = source.Items.Length;
        int element = count is 2 or 4 ? size / count : 0;
        int[] list = [.. source.Items.Select(item => Source(item, CheckElement(element)))];
        Emit(new Instruction
        {
            Handler = element == 4 ? &Handlers.Pack<uint, ulong> : size == 8 ? &Handlers.Pack<ushort, ulong> : &Handlers.Pack<ushort, uint>,
            D = Destination(target, size),
            List = program.Keep(list),
            Count = count,
        });
    }

    private void EmitUnpack(PtxOperand target, PtxOperand source, int size)
    {
        int count = target.Items.Length;
        int element = count is 2 or 4 ? size / count : 0;
        int[] list = [.. target.Items.Select(item => Destination(item, CheckElement(element)))];
        Emit(new Instruction
        {
            Handler = element == 4 ? &Handlers.Unpack<uint, ulong> : size == 8 ? &Handlers.Unpack<ushort, ulong> : &Handlers.Unpack<ushort, uint>,
            A = Source(source, size),
            List = program.Keep(list),
            Count = count,
        });
    }

    private static int CheckElement(int size)
        => size is 2 or 4 ? size : throw Refused("Registers are packed from 2 or 4 elements of 16 or 32 bits");

    private void DecodeAddressSpace(PtxInstruction i)
    {
        Cost(InstructionKind.IntegerArithmetic);
        Expect(i, 2);
        Allow(i, "to", "global", "shared", "local", "const", "param", "shared::cta");
        PtxSpace space = SpaceOf(i);
        if (i.Name == "isspacep")
        {
            ulong window = space is PtxSpace.Global or PtxSpace.Constant ? MemoryWindows.Global : Window(space);
            Emit(new Instruction { Handler = &Handlers.IsInSpace, D = Destination(i.Operands[0], 0), A = Source(i.Operands[1], 8), Immediate = (long)window });
            return;
        }
        int size = TypeOf(i).Size();
        ulong shift = Window(space);
        if (size != 8 && (shift != 0 || size != 4))
            throw Refused("Generic addresses have 64 bits");
        int a = Source(i.Operands[1], size);
        if (shift == 0)
        {
            Emit(new Instruction { Handler = size == 8 ? &Handlers.Unary<Identity<ulong>, ulong> : &Handlers.Unary<Identity<uint>, uint>, D = Destination(i.Operands[0], size), A = a });
            return;
        }
        ulong addend = i.Has("to") ? 0 - shift : shift;
        Emit(new Instruction { Handler = &Handlers.Binary<Add<ulong>, ulong>, D = Destination(i.Operands[0], 8), A = a, B = Constant(addend, 8) });
    }

    /// <summary>The state space that an instruction names.</summary>
    private static PtxSpace SpaceOf(PtxInstruction i)
    {
        foreach (string modifier in i.Modifiers)
        {
            switch (modifier)
            {
                case "global":
                    return PtxSpace.Global;
                case "shared" or "shared::cta":
                    return PtxSpace.Shared;
                case "local":
                    return PtxSpace.Local;
                case "const":
                    return PtxSpace.Constant;
                case "param":
                    return PtxSpace.Parameter;
            }
        }
        return PtxSpace.Generic;
    }
}
