using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Finds the registers that some path reads before it wrote them. Only those are watched at run time, so that ordinary code
/// pays nothing. A move passes on what its source is; other reads count.
/// </summary>
internal sealed class DefiniteAssignment
{
    private const long MaximumBits = 1L << 28;

    private readonly PtxFunction _function;
    private readonly ControlFlow _flow;
    private readonly int _words;

    public DefiniteAssignment(PtxFunction function, ControlFlow flow)
    {
        _function = function;
        _flow = flow;
        _words = (function.Registers.Count + 63) / 64;
        Watched = new bool[function.Registers.Count];
        if (_words > 0 && (long)_words * 64 * flow.Starts.Count <= MaximumBits)
            Analyse();
    }

    /// <summary>Registers that need watching, by index.</summary>
    public bool[] Watched { get; }

    /// <summary>Whether the first operand is written.</summary>
    public static bool HasDestination(PtxInstruction instruction) => instruction.Name switch
    {
        "st" or "red" or "bra" or "brx" or "call" or "ret" or "exit" or "trap" or "brkpt" or "cp" or "membar" or "fence"
            or "prefetch" or "prefetchu" or "nanosleep" or "pmevent" or "discard" or "applypriority" => false,
        "bar" or "barrier" => instruction.Has("red"),
        _ => instruction.Operands.Length > 0,
    };

    /// <summary>A move from register to register.</summary>
    public static bool IsMove(PtxInstruction instruction)
        => instruction.Name == "mov" && instruction.Operands is [{ Kind: PtxOperandKind.Register }, { Kind: PtxOperandKind.Register, IsNegated: false }];

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
        int blocks = _flow.Starts.Count;
        ulong[][] entries = new ulong[blocks][];
        bool[] reached = new bool[blocks];
        for (int block = 0; block < blocks; block++)
            entries[block] = new ulong[_words];
        Queue<int> work = new([0]);
        reached[0] = true;
        while (work.TryDequeue(out int block))
        {
            ulong[] state = (ulong[])entries[block].Clone();
            Transfer(block, state, false);
            foreach (int successor in _flow.Successors[block])
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
        WatchMoves();
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
        for (int k = _flow.Starts[block]; k < _flow.End(block); k++)
        {
            PtxInstruction instruction = _function.Instructions[k];
            bool move = IsMove(instruction);
            if (report && instruction.Guard is not null)
                Report(instruction.Guard, state);
            bool sourceAssigned = true;
            foreach (PtxRegister register in Read(instruction))
            {
                bool assigned = (state[register.Index >> 6] >> (register.Index & 63) & 1) != 0;
                sourceAssigned &= assigned;
                Watched[register.Index] |= report && !assigned;
            }
            foreach (PtxRegister register in Written(instruction))
            {
                ulong bit = 1ul << (register.Index & 63);
                if (move && !sourceAssigned)
                    state[register.Index >> 6] &= ~bit;
                else if (instruction.Guard is null)
                    state[register.Index >> 6] |= bit;
            }
        }
    }

    private void Report(PtxRegister register, ulong[] state)
        => Watched[register.Index] |= (state[register.Index >> 6] >> (register.Index & 63) & 1) == 0;

    // What a watched register is moved to must be watched too, or the mark would be lost on the way.
    private void WatchMoves()
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            foreach (PtxInstruction instruction in _function.Instructions.Where(IsMove))
            {
                int source = instruction.Operands[1].Register!.Index;
                int destination = instruction.Operands[0].Register!.Index;
                if (Watched[source] && !Watched[destination])
                    Watched[destination] = changed = true;
            }
        }
    }
}
