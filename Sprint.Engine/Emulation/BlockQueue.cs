namespace Sprint.Engine.Emulation;

/// <summary>
/// Gives out blocks, in order or in one drawn from a seed. After a fault the blocks before it in the grid still run, so that the fault that is reported depends neither on the
/// number of workers nor on the seed; those that wait for one which does not come are given up (<see cref="BlockScheduler"/>). A block that ran out of instructions yields to any
/// other fault: it may have waited for the faulty block.
/// </summary>
internal sealed class BlockQueue
{
    private readonly Lock gate = new();
    private readonly long count;
    private readonly long first;
    private readonly long[] drawn;
    private ulong random;
    private long next;
    private long limit;
    private long faultRank;

    /// <summary>Puts all blocks in.</summary>
    /// <param name="count">Blocks of the grid.</param>
    /// <param name="first">The first of them that runs.</param>
    /// <param name="window">
    /// Of how many blocks in a row the order is drawn: no more than may have begun and not ended, so that blocks which wait for others before them in the grid wait for none
    /// that cannot begin.
    /// </param>
    /// <param name="seed">The seed; 0 for the order of the grid.</param>
    public BlockQueue(long count, long first = 0, int window = 1, ulong seed = 0)
    {
        this.count = limit = count;
        this.first = next = first;
        random = seed;
        drawn = seed != 0 ? new long[Math.Min(window, count - first)] : [];
    }

    public EmulationException? FirstFault { get; private set; }

    /// <summary>Whether a block did something wrong, other than to run too long.</summary>
    public bool HasFault
    {
        get
        {
            lock (gate)
                return FirstFault is { } fault && !IsEndless(fault);
        }
    }

    public bool TryTake(out long rank)
    {
        lock (gate)
        {
            while (next < count)
            {
                int place = drawn.Length == 0 ? 0 : (int)((next - first) % drawn.Length);
                if (place == 0 && next >= limit)
                    break;
                if (place == 0)
                    Shuffle();
                rank = drawn.Length == 0 ? next : drawn[place];
                next++;
                if (rank < limit)
                    return true;
            }
            rank = count;
            return false;
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

    // Draws the order of the window that begins.
    private void Shuffle()
    {
        int size = (int)Math.Min(drawn.Length, count - next);
        for (int k = 0; k < size; k++)
        {
            int other = (int)(SplitMix64.Next(ref random) % (ulong)(k + 1));
            drawn[k] = drawn[other];
            drawn[other] = next + k;
        }
    }

    private static bool IsEndless(EmulationException fault) => fault.Fault == EmulationFault.InstructionBudget;
}
