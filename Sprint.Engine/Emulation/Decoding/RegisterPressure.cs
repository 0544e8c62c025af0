using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// How many 32-bit registers hold the values that are alive at once: those that some path still reads. Predicates have registers of
/// their own and do not count.
/// </summary>
internal sealed class RegisterPressure
{
    private const long MaximumBits = 1L << 28;

    private readonly PtxFunction function;
    private readonly ControlFlow flow;
    private readonly int[] words32;

    private RegisterPressure(PtxFunction function)
    {
        this.function = function;
        flow = new ControlFlow(function);
        words32 = [.. function.Registers.Select(register => (register.Size + 3) / 4)];
    }

    /// <summary>The largest number of registers alive before any instruction; all of them for a function too large to analyse.</summary>
    public static int Measure(PtxFunction function)
    {
        if (function.Instructions.Count == 0)
            return 0;
        RegisterPressure pressure = new(function);
        long bits = (long)function.Registers.Count * pressure.flow.Starts.Count;
        return bits <= MaximumBits ? pressure.Measure() : pressure.words32.Sum();
    }

    private int Measure()
    {
        int blocks = flow.Starts.Count;
        List<int>[] predecessors = new List<int>[blocks];
        for (int block = 0; block < blocks; block++)
            predecessors[block] = [];
        for (int block = 0; block < blocks; block++)
        {
            foreach (int successor in flow.Successors[block])
                predecessors[successor].Add(block);
        }
        HashSet<int>[] entries = new HashSet<int>[blocks];
        for (int block = 0; block < blocks; block++)
            entries[block] = [];
        int most = 0;
        Queue<int> work = new(Enumerable.Range(0, blocks).Reverse());
        while (work.TryDequeue(out int block))
        {
            HashSet<int> alive = [.. flow.Successors[block].SelectMany(successor => entries[successor])];
            most = Math.Max(most, Transfer(block, alive));
            if (alive.Count == entries[block].Count)
                continue;
            entries[block] = alive;
            foreach (int predecessor in predecessors[block])
                work.Enqueue(predecessor);
        }
        return most;
    }

    // Backwards; liveness only grows from round to round, so that the count alone tells whether it has changed.
    private int Transfer(int block, HashSet<int> alive)
    {
        int now = alive.Sum(register => words32[register]);
        int most = now;
        for (int k = flow.End(block) - 1; k >= flow.Starts[block]; k--)
        {
            PtxInstruction instruction = function.Instructions[k];
            if (instruction.Guard is null)
            {
                foreach (PtxRegister register in DefiniteAssignment.Written(instruction))
                    now -= alive.Remove(register.Index) ? words32[register.Index] : 0;
            }
            else
            {
                alive.Add(instruction.Guard.Index);
            }
            foreach (PtxRegister register in DefiniteAssignment.Read(instruction))
                now += alive.Add(register.Index) ? words32[register.Index] : 0;
            most = Math.Max(most, now);
        }
        return most;
    }
}
