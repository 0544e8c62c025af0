using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Persistent threads that run the pieces of one job at a time. Each has an equal share of consecutive pieces, so that jobs over the same rows
/// find them in the caches of the core that wrote them; who is done with its own share takes from the others', so that a slow core does less.
/// The calling thread takes part; a call allocates nothing and, while the threads are still spinning from the call before, costs about a
/// microsecond. A caller never waits for a thread that has not begun to work on its job, so a machine with more threads than free
/// cores loses speed gracefully.
/// </summary>
internal sealed unsafe partial class WorkerPool : IDisposable
{
    // What nested calls on this thread run in: the pool, the worker's number, and how deep.
    [ThreadStatic]
    private static WorkerPool? currentPool;
    [ThreadStatic]
    private static int currentWorker;
    [ThreadStatic]
    private static int currentDepth;

    private readonly Lock gate = new();
    private readonly Thread[] threads;
    private PaddedState state;
    private ExceptionDispatchInfo? failure;
    private volatile bool disposed;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">How many threads work on a job, the calling one included.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, DeviceSelection.MaximumThreads);
        Threads = threads;
        scratch = new ScratchMemory[threads * (MaximumDepth + 1)];
        nestedShared = new ScratchMemory[scratch.Length];
        shares = new Share[threads];
        this.threads = new Thread[threads - 1];
        for (int i = 0; i < this.threads.Length; i++)
        {
            int worker = i + 1;
            this.threads[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = $"sprint worker {worker}" };
            this.threads[i].Start();
        }
    }

    /// <summary>How many threads work on a job, the calling one included.</summary>
    public int Threads { get; }

    /// <summary>How many threads a user's number stands for: 0 for as many as there are cores.</summary>
    /// <param name="threads">The number.</param>
    /// <exception cref="SprintException"><paramref name="threads"/> is not from 0 to 1024.</exception>
    public static int Resolve(int threads) => threads is >= 0 and <= DeviceSelection.MaximumThreads
        ? threads == 0 ? Environment.ProcessorCount : threads
        : throw new SprintException($"The number of threads is {threads}; it must be from 0 (as many as there are cores) to {DeviceSelection.MaximumThreads}.");

    /// <summary>
    /// Runs the job for the indices from 0 to <paramref name="count"/> and returns when all are done. Calls from several threads take turns;
    /// a call from inside a job of this pool runs on the thread it is made from.
    /// </summary>
    /// <typeparam name="TJob">The job's type.</typeparam>
    /// <param name="job">The job; the workers share it, and what they write into it is there afterwards.</param>
    /// <param name="count">How many pieces it has; none if zero or less.</param>
    /// <exception cref="ObjectDisposedException">The pool was disposed.</exception>
    /// <remarks>What a piece throws is thrown here; the pieces not yet begun are then left out.</remarks>
    public void Run<TJob>(ref TJob job, int count)
        where TJob : struct, IWorkerJob
    {
        if (currentPool == this)
        {
            RunHere(ref job, count, currentWorker);
            return;
        }

        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (count <= 1 || Threads == 1)
                RunHere(ref job, count, worker: 0);
            else
                RunShared(ref job, count);
        }
    }

    /// <summary>Ends the threads and frees the scratch memory; a job that is running ends first.</summary>
    /// <exception cref="InvalidOperationException">Called from inside a job of this pool.</exception>
    public void Dispose()
    {
        if (currentPool == this)
            throw new InvalidOperationException("A worker pool cannot be disposed from inside one of its jobs.");

        lock (gate)
        {
            if (disposed)
                return;

            disposed = true;
            lock (bed)
                Monitor.PulseAll(bed);
            foreach (Thread thread in threads)
                thread.Join();
            FreeScratch();
        }
    }

    private void RunHere<TJob>(ref TJob job, int count, int worker)
        where TJob : struct, IWorkerJob
    {
        Place outer = Enter(worker);
        try
        {
            for (int index = 0; index < count; index++)
                job.Execute(index, worker);
        }
        finally
        {
            Leave(outer);
        }
    }

    private void RunShared<TJob>(ref TJob job, int count)
        where TJob : struct, IWorkerJob
    {
        // A copy on the stack stays where it is; the caller's may lie in an object that the collector moves.
        TJob shared = job;
        state.Job = Unsafe.AsPointer(ref shared);
        state.Execute = &Execute<TJob>;
        state.Count = count;

        Open(helpers: Math.Min(count, Threads) - 1);
        Work(worker: 0);
        Close();

        job = shared;
        if (this.failure is { } failure)
        {
            this.failure = null;
            failure.Throw();
        }
    }

    private static void Execute<TJob>(void* job, int index, int worker)
        where TJob : struct, IWorkerJob
        => Unsafe.AsRef<TJob>(job).Execute(index, worker);

    private void Work(int worker)
    {
        Place outer = Enter(worker);
        try
        {
            void* job = state.Job;
            delegate*<void*, int, int, void> execute = state.Execute;
            for (int share = worker, left = Threads; left > 0; left--)
            {
                for (int index = Claim(share); index >= 0; index = Claim(share))
                    execute(job, index, worker);
                share = share + 1 < Threads ? share + 1 : 0;
            }
        }
#pragma warning disable CA1031 // Whatever a piece throws is rethrown by the caller's thread.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
            Abandon();
        }
        finally
        {
            Leave(outer);
        }
    }

    private Place Enter(int worker)
    {
        Place outer = new(currentPool, currentWorker, currentDepth);
        currentDepth = currentPool == this ? currentDepth + 1 : 0;
        currentPool = this;
        currentWorker = worker;
        return outer;
    }

    private static void Leave(Place outer)
    {
        currentPool = outer.Pool;
        currentWorker = outer.Worker;
        currentDepth = outer.Depth;
    }

    private readonly record struct Place(WorkerPool? Pool, int Worker, int Depth);
}
