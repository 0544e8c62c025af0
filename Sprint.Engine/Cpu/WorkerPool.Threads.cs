using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Cpu;

/// <content>How threads wait for a job, join it and leave it.</content>
internal sealed unsafe partial class WorkerPool
{
    // A thread that meets the next job while it spins, spins as long again; one that had to lie down spins less next time.
    private static readonly long LongestSpin = Stopwatch.Frequency / 10_000;
    private static readonly long ShortestSpin = Stopwatch.Frequency / 1_000_000;

    // In the state's word: whether a helper may still join the job.
    private const long OpenBit = 1L << 31;

    // Where the idle threads sleep, and where a caller sleeps until the last helper has left.
    private readonly object bed = new();
    private readonly object door = new();

    /// <summary>
    /// Publishes the job. One word holds the job's number, whether it may still be joined and how many helpers have: a helper joins by one exchange
    /// of that word, so it either is counted before the caller closes the job or sees that it is too late.
    /// </summary>
    private void Open(int helpers)
    {
        long number = (state.Word >> 32) + 1;
        if (number > int.MaxValue)
        {
            // Numbers begin anew: no share may look as if it belonged to one of them.
            number = 1;
            Array.Clear(shares);
        }

        Interlocked.Exchange(ref state.Word, (number << 32) | OpenBit);
        if (Volatile.Read(ref state.Sleeping) == 0)
            return;

        lock (bed)
        {
            int wake = Math.Min(helpers, state.Sleeping);
            for (int i = 0; i < wake; i++)
                Monitor.Pulse(bed);
        }
    }

    private void Close()
    {
        if (ActiveOf(Interlocked.And(ref state.Word, ~OpenBit)) == 0)
            return;

        long start = Stopwatch.GetTimestamp();
        for (int turn = 1; ActiveOf(Volatile.Read(ref state.Word)) != 0; turn++)
        {
            Pause(turn);
            if (Stopwatch.GetTimestamp() - start < LongestSpin)
                continue;

            Interlocked.Exchange(ref state.CallerSleeps, 1);
            lock (door)
            {
                while (ActiveOf(Volatile.Read(ref state.Word)) != 0)
                    Monitor.Wait(door);
            }

            Volatile.Write(ref state.CallerSleeps, 0);
        }
    }

    private void Serve(int worker)
    {
        long seen = 0;
        long spin = Threads <= Environment.ProcessorCount ? LongestSpin : 0;
        while (AwaitJob(ref seen, ref spin))
        {
            if (!TryJoin(seen))
                continue;

            Work(worker);
            if (ActiveOf(Interlocked.Decrement(ref state.Word)) == 0 && Volatile.Read(ref state.CallerSleeps) != 0)
            {
                lock (door)
                    Monitor.PulseAll(door);
            }
        }
    }

    private bool TryJoin(long number)
    {
        long word = Volatile.Read(ref state.Word);
        while (word >> 32 == number && (word & OpenBit) != 0)
        {
            long found = Interlocked.CompareExchange(ref state.Word, word + 1, word);
            if (found == word)
                return true;
            word = found;
        }

        return false;
    }

    // Returns false when the pool is disposed.
    private bool AwaitJob(ref long seen, ref long spin)
    {
        long start = spin > 0 ? Stopwatch.GetTimestamp() : 0;
        for (int turn = 1; spin > 0; turn++)
        {
            long number = Volatile.Read(ref state.Word) >> 32;
            if (number != seen)
            {
                seen = number;
                spin = Math.Min(2 * spin, LongestSpin);
                return true;
            }

            Pause(turn);
            if (disposed)
                return false;
            if (Stopwatch.GetTimestamp() - start >= spin)
            {
                spin = Math.Max(spin / 2, ShortestSpin);
                break;
            }
        }

        lock (bed)
        {
            Interlocked.Increment(ref state.Sleeping);
            while (Volatile.Read(ref state.Word) >> 32 == seen && !disposed)
                Monitor.Wait(bed);
            Interlocked.Decrement(ref state.Sleeping);
            seen = Volatile.Read(ref state.Word) >> 32;
        }

        return !disposed;
    }

    private static int ActiveOf(long word) => (int)(word & (OpenBit - 1));

    // Other programs may want this core: now and then it is offered.
    private static void Pause(int turn)
    {
        if (turn % 256 == 0)
            Thread.Yield();
        else
            Thread.SpinWait(1);
    }

    // Each on a cache line pair of its own; what a helper needs to begin lies beside the word that it waits for.
    [StructLayout(LayoutKind.Explicit, Size = 4 * 128)]
    private struct PaddedState
    {
        /// <summary>The job's number in the upper half, below it <see cref="OpenBit"/> and the number of helpers at work.</summary>
        [FieldOffset(1 * 128)]
        public long Word;
        [FieldOffset((1 * 128) + 8)]
        public void* Job;
        [FieldOffset((1 * 128) + 16)]
        public delegate*<void*, int, int, void> Execute;
        [FieldOffset((1 * 128) + 24)]
        public int Count;
        [FieldOffset(2 * 128)]
        public int Sleeping;
        [FieldOffset(3 * 128)]
        public int CallerSleeps;
    }
}
