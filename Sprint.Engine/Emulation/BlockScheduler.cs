using System.Runtime.ExceptionServices;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation;

/// <summary>
/// Lets workers execute the blocks of a launch. A block that waits for others, or takes very long, gives way: its worker begins another, up to
/// as many as the device holds at once, and comes back to it. So blocks may wait for each other whatever the number of workers, and a block
/// that never ends keeps none of the hundred behind it from its fault.
/// </summary>
internal sealed class BlockScheduler : IDisposable
{
    // When so many blocks have given way, the first of those that wait goes on: others often wait for it.
    private const int LowestTurn = 4;

    // While so many wait, a block that gave way without need lets one of them go on, not yet another begin: each takes memory.
    private const int Crowd = 8;

    // After a fault, when so many turns in a row for each block that is left have ended in waiting and none of them saw news, they wait for the faulty block.
    private const int LastTurns = 64;

    private readonly LaunchContext launch;
    private readonly BlockQueue queue;
    private readonly int resident;
    private readonly Lock gate = new();
    private readonly List<BlockExecutor> executors = [];
    private readonly Stack<BlockExecutor> idle = [];
    private readonly List<BlockExecutor> suspended = [];
    private readonly SortedDictionary<long, string> printed = [];
    private ExceptionDispatchInfo? failure;
    private int running;
    private int turn;
    private long waits;
    private volatile bool waiting;

    /// <summary>Prepares a launch.</summary>
    /// <param name="launch">The launch.</param>
    /// <param name="queue">Its blocks.</param>
    /// <param name="resident">Most blocks that have begun and not ended.</param>
    public BlockScheduler(LaunchContext launch, BlockQueue queue, int resident)
    {
        this.launch = launch;
        this.queue = queue;
        this.resident = resident;
    }

    /// <summary>Executes blocks until none is left for this worker.</summary>
    public void Work()
    {
        BlockExecutor? executor = null;
        try
        {
            while ((executor = Next(executor)) is not null)
            {
                do
                    Advance(executor);
                while (TryBeginNext(executor));
            }
        }
#pragma warning disable CA1031 // Whatever it is, it is thrown again where the launch was asked for.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
            queue.Close();
        }
    }

    /// <summary>What was executed, once all workers are done.</summary>
    /// <exception cref="EmulationException">The kernel did something wrong.</exception>
    public void Complete(LaunchStatistics statistics)
    {
        failure?.Throw();
        if (queue.FirstFault is { } fault)
            throw fault;
        foreach (BlockExecutor executor in executors)
            statistics.Add(launch.Program, executor);
        statistics.Output = string.Concat(printed.Values);
    }

    /// <summary>Frees what the blocks ran on; workers look at each other's registers until all are done.</summary>
    public void Dispose()
    {
        foreach (BlockExecutor executor in executors)
            executor.Dispose();
    }

    private void Advance(BlockExecutor executor)
    {
        try
        {
            executor.Advance();
        }
        catch (EmulationException fault)
        {
            queue.Report(executor.Rank, fault);
        }
    }

    // The common case: a block has ended and none waits, so its place is the next one's.
    private bool TryBeginNext(BlockExecutor executor)
    {
        if (!executor.IsFinished || waiting || !queue.TryTake(out long rank))
            return false;
        KeepOutput(executor);
        executor.Begin(rank);
        return true;
    }

    private void KeepOutput(BlockExecutor executor)
    {
        if (executor.Output.Length == 0)
            return;
        lock (printed)
            printed[executor.Rank] = executor.Output.ToString();
    }

    // The block to go on with, after another has ended, was found at fault or gave way.
    private BlockExecutor? Next(BlockExecutor? previous)
    {
        lock (gate)
        {
            if (previous is not null)
                Put(previous);
            // After a fault one worker goes on alone: which blocks still come to a fault of their own, and which wait in vain, is then no matter of the workers.
            if (running > 0 && queue.HasFault)
                return null;
            bool isCrowded = previous is { End: TurnEnd.Drawn } && suspended.Count > Crowd;
            BlockExecutor? next = (turn == LowestTurn ? TakeLowest() : null) ?? (isCrowded ? TakeFirst() : null) ?? Begin() ?? TakeFirst();
            running += next is null ? 0 : 1;
            waiting = suspended.Count > 0;
            return next;
        }
    }

    private void Put(BlockExecutor executor)
    {
        running--;
        NoteWaiting(executor);
        if (executor.IsFinished)
        {
            KeepOutput(executor);
            idle.Push(executor);
        }
        else if (queue.IsWanted(executor.Rank))
        {
            suspended.Add(executor);
            turn++;
        }
    }

    private void NoteWaiting(BlockExecutor executor)
    {
        waits = executor is { End: TurnEnd.Waiting, HasNews: false } && queue.HasFault ? waits + 1 : 0;
        if (waits > LastTurns * (suspended.Count + 1L))
            queue.Close();
    }

    private BlockExecutor? Begin()
    {
        if (running + suspended.Count >= resident || !queue.TryTake(out long rank))
            return null;
        if (!idle.TryPop(out BlockExecutor? executor))
        {
            executor = new BlockExecutor(launch);
            executors.Add(executor);
        }
        executor.Begin(rank);
        return executor;
    }

    private BlockExecutor? TakeLowest()
    {
        turn = 0;
        DropUnwanted();
        return Take(suspended.MinBy(executor => executor.Rank));
    }

    private BlockExecutor? TakeFirst()
    {
        DropUnwanted();
        return Take(suspended.FirstOrDefault());
    }

    private void DropUnwanted()
    {
        if (suspended.Count > 0)
            suspended.RemoveAll(executor => !queue.IsWanted(executor.Rank));
    }

    private BlockExecutor? Take(BlockExecutor? executor)
    {
        if (executor is not null)
            suspended.Remove(executor);
        return executor;
    }
}
