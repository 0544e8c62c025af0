namespace Sprint.Engine.Emulation;

/// <summary>
/// Gives out blocks in order. After a fault the blocks before it still run, so that the fault that is reported does not
/// depend on the number of workers. A block that ran out of instructions yields to any other fault: it may have waited for the faulty block.
/// </summary>
internal sealed class BlockQueue(long count, long first = 0)
{
    private readonly Lock gate = new();
    private long next = first;
    private long limit = count;
    private long faultRank;

    public EmulationException? FirstFault { get; private set; }

    public bool TryTake(out long rank)
    {
        lock (gate)
        {
            rank = next;
            if (rank >= limit)
                return false;
            next++;
            return true;
        }
    }

    /// <summary>Whether a block that was taken is still to run: no fault before it was found.</summary>
    public bool IsWanted(long rank)
    {
        lock (gate)
            return rank < limit;
    }

    /// <summary>No block is to run any more.</summary>
    public void Close()
    {
        lock (gate)
            limit = 0;
    }

    public void Report(long rank, EmulationException fault)
    {
        lock (gate)
        {
            limit = Math.Min(limit, rank);
            bool isFirst = FirstFault is null
                || (IsEndless(fault) == IsEndless(FirstFault) ? rank < faultRank : IsEndless(FirstFault));
            if (!isFirst)
                return;
            faultRank = rank;
            FirstFault = fault;
        }
    }

    private static bool IsEndless(EmulationException fault) => fault.Fault == EmulationFault.InstructionBudget;
}
