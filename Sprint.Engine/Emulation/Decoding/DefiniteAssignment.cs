using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Finds the registers that may be undefined where they are read: some path never wrote them, or computed them from others
/// that it never wrote. Only those are watched at run time, so that ordinary code pays nothing. Compilers compute with
/// undefined values on paths that throw the result away, so computing passes undefinedness on; what counts as a use is an
/// address, a predicate that guards or branches, data that is stored, and what other lanes or tensor cores see.
/// </summary>
internal sealed partial class DefiniteAssignment
{
    private const long MaximumBits = 1L << 28;

    private readonly PtxFunction function;
    private readonly ControlFlow flow;
    private readonly int words;

    public DefiniteAssignment(PtxFunction function, ControlFlow flow)
    {
        this.function = function;
        this.flow = flow;
        words = (function.Registers.Count + 63) / 64;
        Watched = new bool[function.Registers.Count];
        if (words > 0 && (long)words * 64 * flow.Starts.Count <= MaximumBits)
            Analyse();
    }

    /// <summary>Registers whose undefinedness the instruction passes on to its destination, but for halves of it that nobody reads.</summary>
    public IEnumerable<PtxRegister> Sources(PtxInstruction instruction)
        => IsPackOfHalves(instruction) && IsReadByLowerHalf(instruction.Operands[0].Register!) ? RegistersOf(instruction.Operands[1].Items[0]) : PassedOn(instruction);

    /// <summary>Registers that need watching, by index.</summary>
    public bool[] Watched { get; }

    /// <summary>Whether the first operand is written.</summary>
    public static bool HasDestination(PtxInstruction instruction) => instruction.Operands.Length > 0 && instruction.Name switch
    {
        "st" or "red" or "bra" or "brx" or "call" or "ret" or "exit" or "trap" or "brkpt" or "cp" or "membar" or "fence"
            or "prefetch" or "prefetchu" or "nanosleep" or "pmevent" or "discard" or "applypriority" => false,
        "wmma" => !instruction.Has("store"),
        "bar" or "barrier" => instruction.Has("red"),
        _ => true,
    };

    /// <summary>Whether the instruction does nothing but compute its destination from its sources.</summary>
    public static bool IsPure(PtxInstruction instruction) => HasDestination(instruction) && instruction.Name is not ("ld" or "ldu" or "atom" or "shfl" or "vote"
        or "match" or "redux" or "activemask" or "mma" or "wmma" or "ldmatrix" or "movmatrix" or "bar" or "barrier");

    /// <summary>Registers whose undefinedness the instruction passes on to its destination: all that it reads, or what a shuffle moves.</summary>
    public static IEnumerable<PtxRegister> PassedOn(PtxInstruction instruction)
        => IsPure(instruction) ? Read(instruction) : instruction.Name == "shfl" && instruction.Operands.Length > 1 ? RegistersOf(instruction.Operands[1]) : [];

    /// <summary>Registers whose values must be defined.</summary>
    public static IEnumerable<PtxRegister> Used(PtxInstruction instruction)
        => IsPure(instruction) ? [] : instruction.Name == "shfl" ? instruction.Operands.Skip(2).SelectMany(RegistersOf) : Read(instruction);

    public static IEnumerable<PtxRegister> Written(PtxInstruction instruction)
        => HasDestination(instruction) ? RegistersOf(instruction.Operands[0]) : [];

    public static IEnumerable<PtxRegister> Read(PtxInstruction instruction)
    {
        int first = HasDestination(instruction) ? 1 : 0;
        return instruction.Operands.Skip(first).SelectMany(RegistersOf);
    }

    private static IEnumerable<PtxRegister> RegistersOf(PtxOperand operand)
        => operand.Register is not null ? [operand.Register] : operand.Items.SelectMany(RegistersOf);

    private void Analyse()
    {
        int blocks = flow.Starts.Count;
        ulong[][] entries = new ulong[blocks][];
        bool[] reached = new bool[blocks];
        for (int block = 0; block < blocks; block++)
            entries[block] = new ulong[words];
        Queue<int> work = new([0]);
        reached[0] = true;
        while (work.TryDequeue(out int block))
        {
            ulong[] state = (ulong[])entries[block].Clone();
            Transfer(block, state, false);
            foreach (int successor in flow.Successors[block])
            {
                if (Meet(entries[successor], state, reached[successor]))
                    work.Enqueue(successor);
                reached[successor] = true;
            }
        }
        for (int block = 0; block < blocks; block++)
        {
            if (reached[block])
                Transfer(block, entries[block], true);
        }
    }

    private static bool Meet(ulong[] entry, ulong[] state, bool reached)
    {
        bool changed = !reached;
        for (int k = 0; k < entry.Length; k++)
        {
            ulong met = reached ? entry[k] & state[k] : state[k];
            changed |= met != entry[k];
            entry[k] = met;
        }
        return changed;
    }

    private void Transfer(int block, ulong[] state, bool report)
    {
        for (int k = flow.Starts[block]; k < flow.End(block); k++)
        {
            PtxInstruction instruction = function.Instructions[k];
            if (report && instruction.Guard is not null)
                Report(instruction.Guard, state);
            if (report)
            {
                foreach (PtxRegister register in Read(instruction))
                    Report(register, state);
            }
            bool defined = Sources(instruction).All(register => IsDefined(register, state));
            foreach (PtxRegister register in Written(instruction))
            {
                ulong bit = 1ul << (register.Index & 63);
                if (!defined)
                    state[register.Index >> 6] &= ~bit;
                else if (instruction.Guard is null)
                    state[register.Index >> 6] |= bit;
            }
        }
    }

    private void Report(PtxRegister register, ulong[] state) => Watched[register.Index] |= !IsDefined(register, state);

    private static bool IsDefined(PtxRegister register, ulong[] state) => (state[register.Index >> 6] >> (register.Index & 63) & 1) != 0;
}
