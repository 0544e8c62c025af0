using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Copies of structures through registers. A structure's padding is never written, yet compilers copy it with the rest. A
/// register that is only loaded and stored carries along which of its bytes are defined, so that padding stays undefined
/// where it is copied to and is no error on the way.
/// </summary>
internal sealed unsafe partial class FunctionDecoder
{
    private readonly Dictionary<PtxRegister, (int Mask, int Bytes)> carried = [];
    private bool[]? onlyCopied;

    /// <summary>Lists a load's data registers, then for each where its undefined bytes are noted (a lane mask and the bytes of each lane), -1 where they are an error.</summary>
    private void CarryUndefined(PtxInstruction i, PtxType type, PtxOperand[] items, int[] slots, ref Instruction load)
    {
        if (i.Guard is not null || (items.Length == 1 && (type.IsFloat() || type.Size() < 4)))
            return;
        int[] notes = [.. items.SelectMany(item => item.Register is { } register && OnlyCopied(register) ? Carried(register) : [-1, -1])];
        if (Array.TrueForAll(notes, note => note < 0))
            return;
        load.List = program.Keep([.. slots, .. notes]);
        load.Notes = items.Length;
        for (int k = 0; k < notes.Length; k += 2)
        {
            if (notes[k] >= 0)
                Emit(new Instruction { Handler = &Handlers.ForgetUndefined, D = notes[k] });
        }
    }

    /// <summary>After a store: notes in memory which bytes of carried registers are undefined.</summary>
    private void StoreUndefined(PtxSpace space, PtxType type, PtxOperand[] items, in Instruction store)
    {
        for (int k = 0; k < items.Length; k++)
        {
            if (items[k].Register is not { } register || !OnlyCopied(register))
                continue;
            int[] notes = Carried(register);
            Instruction note = new()
            {
                Handler = UndefinedStore(space),
                A = store.A,
                C = store.C,
                Immediate = store.Immediate + k * type.Size(),
                D = notes[0],
                E = notes[1],
                Count = type.Size(),
            };
            Emit(note);
        }
    }

    private static Handler UndefinedStore(PtxSpace space) => space switch
    {
        PtxSpace.Global or PtxSpace.Constant => &Handlers.StoreUndefined<GlobalSpace>,
        PtxSpace.Shared => &Handlers.StoreUndefined<SharedSpace>,
        PtxSpace.Local => &Handlers.StoreUndefined<LocalSpace>,
        PtxSpace.Parameter => &Handlers.StoreUndefined<ParameterSpace>,
        _ => &Handlers.StoreUndefined<GenericSpace>,
    };

    private int[] Carried(PtxRegister register)
    {
        if (!carried.TryGetValue(register, out (int Mask, int Bytes) place))
            carried[register] = place = (Allocate(0), Allocate(8));
        return [place.Mask, place.Bytes];
    }

    private bool OnlyCopied(PtxRegister register)
    {
        onlyCopied ??= FindOnlyCopied();
        return onlyCopied[register.Index];
    }

    private bool[] FindOnlyCopied()
    {
        bool[] copied = new bool[function.Registers.Count];
        foreach (PtxInstruction i in function.Instructions.Where(IsPlainLoad))
        {
            foreach (PtxRegister register in DefiniteAssignment.Written(i))
                copied[register.Index] = true;
        }
        foreach (PtxInstruction i in function.Instructions)
        {
            if (i.Guard is not null)
                copied[i.Guard.Index] = false;
            bool store = i.Name == "st" && i.Guard is null && !i.Has("param") && i.Operands.Length == 2;
            foreach (PtxRegister register in store ? RegistersIn(i.Operands[0]) : DefiniteAssignment.Read(i))
                copied[register.Index] = false;
            if (!IsPlainLoad(i))
            {
                foreach (PtxRegister register in DefiniteAssignment.Written(i))
                    copied[register.Index] = false;
            }
        }
        return copied;
    }

    private static bool IsPlainLoad(PtxInstruction i) => i.Name is "ld" or "ldu" && i.Guard is null && !i.Has("param");

    private static IEnumerable<PtxRegister> RegistersIn(PtxOperand operand)
        => operand.Register is not null ? [operand.Register] : operand.Items.SelectMany(RegistersIn);
}
