using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Cpu;

/// <content>How threads wait for a job, join it and leave it.</content>
internal sealed unsafe partial class WorkerPool
{
    // A thread that meets the next job while it spins, spins as long again; one that had to lie down spins less next time.
    private static readonly long s_longestSpin = Stopwatch.Frequency / 10_000;
    private static readonly long s_shortestSpin = Stopwatch.Frequency / 1_000_000;

    // Where the idle threads sleep, and where a caller sleeps until the last helper has left.
    private readonly object _bed = new();
    private readonly object _door = new();

    /// <summary>
    /// Publishes the job. A helper first counts itself as active and then looks whether the job is open; the caller first closes it and then
    /// looks for active ones; both are full fences, so either the helper sees that it is too late or the caller sees the helper.
    /// </summary>
    private void Open(int helpers)
    {
        // In this order: a helper that sees the new generation finds the job open.
        Volatile.Write(ref _state.Open, 1);
        Interlocked.Increment(ref _state.Generation);
        if (Volatile.Read(ref _state.Sleeping) == 0)
            return;

        lock (_bed)
        {
            int wake = Math.Min(helpers, _state.Sleeping);
            for (int i = 0; i < wake; i++)
                Monitor.Pulse(_bed);
        }
    }

    private void Close()
    {
        Interlocked.Exchange(ref _state.Open, 0);
        if (Volatile.Read(ref _state.Active) == 0)
            return;

        long start = Stopwatch.GetTimestamp();
        for (int turn = 1; Volatile.Read(ref _state.Active) != 0; turn++)
        {
            Pause(turn);
            if (Stopwatch.GetTimestamp() - start < s_longestSpin)
                continue;

            Interlocked.Exchange(ref _state.CallerSleeps, 1);
            lock (_door)
            {
                while (Volatile.Read(ref _state.Active) != 0)
                    Monitor.Wait(_door);
            }

            Volatile.Write(ref _state.CallerSleeps, 0);
        }
    }

    private void Serve(int worker)
    {
        int seen = 0;
        long spin = Threads <= Environment.ProcessorCount ? s_longestSpin : 0;
        while (AwaitJob(ref seen, ref spin))
        {
            Interlocked.Increment(ref _state.Active);
            if (Volatile.Read(ref _state.Open) != 0)
                Work(worker);

            if (Interlocked.Decrement(ref _state.Active) == 0 && Volatile.Read(ref _state.CallerSleeps) != 0)
            {
                lock (_door)
                    Monitor.PulseAll(_door);
            }
        }
    }

    // Returns false when the pool is disposed.
    private bool AwaitJob(ref int seen, ref long spin)
    {
        long start = spin > 0 ? Stopwatch.GetTimestamp() : 0;
        for (int turn = 1; spin > 0; turn++)
        {
            int generation = Volatile.Read(ref _state.Generation);
            if (generation != seen)
            {
                seen = generation;
                spin = Math.Min(2 * spin, s_longestSpin);
                return true;
            }

            Pause(turn);
            if (_disposed)
                return false;
            if (Stopwatch.GetTimestamp() - start >= spin)
            {
                spin = Math.Max(spin / 2, s_shortestSpin);
                break;
            }
        }

        lock (_bed)
        {
            Interlocked.Increment(ref _state.Sleeping);
            while (Volatile.Read(ref _state.Generation) == seen && !_disposed)
                Monitor.Wait(_bed);
            Interlocked.Decrement(ref _state.Sleeping);
            seen = _state.Generation;
        }

        return !_disposed;
    }

    // Other programs may want this core: now and then it is offered.
    private static void Pause(int turn)
    {
        if (turn % 64 == 0)
            Thread.Yield();
        else
            Thread.SpinWait(4);
    }

    // Each on a cache line pair of its own: the counter is written by all for every piece.
    [StructLayout(LayoutKind.Explicit, Size = 7 * 128)]
    private struct PaddedState
    {
        [FieldOffset(1 * 128)]
        public int Next;
        [FieldOffset(2 * 128)]
        public int Active;
        [FieldOffset(3 * 128)]
        public int Open;
        [FieldOffset((3 * 128) + 4)]
        public int Generation;
        [FieldOffset(4 * 128)]
        public int Sleeping;
        [FieldOffset(5 * 128)]
        public int CallerSleeps;
    }
}
