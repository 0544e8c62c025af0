namespace Sprint.Engine.Cpu;

/// <summary>Work that a <see cref="WorkerPool"/> cuts into indices; what it computes must not depend on who runs which index.</summary>
internal interface IWorkerJob
{
    /// <summary>Does one piece of the work. All workers call this on the one job, at the same time.</summary>
    /// <param name="index">Which piece, from 0 to the count given to <see cref="WorkerPool.Run{TJob}"/>.</param>
    /// <param name="worker">Who runs it, from 0 to <see cref="WorkerPool.Threads"/>: names the scratch memory, and nothing else.</param>
    void Execute(int index, int worker);
}
