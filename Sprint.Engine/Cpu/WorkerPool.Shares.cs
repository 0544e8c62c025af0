using System.Runtime.InteropServices;

namespace Sprint.Engine.Cpu;

/// <content>How the pieces of a job are given out.</content>
internal sealed unsafe partial class WorkerPool
{
    private readonly Share[] shares;

    /// <summary>Takes the next piece of a thread's share, its own or another's.</summary>
    /// <returns>The piece's index, or -1 where none is left.</returns>
    private int Claim(int share)
    {
        long count = state.Count;
        int first = (int)(count * share / Threads);
        int length = (int)(count * (share + 1) / Threads) - first;
        ref long taken = ref shares[share].Taken;
        long job = state.Word >> 32 << 32;
        long seen = Volatile.Read(ref taken);
        while (true)
        {
            // What was taken of an earlier job's share counts as nothing: so nobody has to reset it between two jobs.
            long before = seen >> 32 << 32 == job ? (uint)seen : 0;
            if (before >= length)
                return -1;

            long found = Interlocked.CompareExchange(ref taken, job | (before + 1), seen);
            if (found == seen)
                return first + (int)before;
            seen = found;
        }
    }

    /// <summary>Leaves out what nobody has begun.</summary>
    private void Abandon()
    {
        long job = state.Word >> 32 << 32;
        foreach (ref Share share in shares.AsSpan())
            Interlocked.Exchange(ref share.Taken, job | int.MaxValue);
    }

    /// <summary>How much of a thread's share is taken: the job's number in the upper half, the number of pieces in the lower. On cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 2 * 128)]
    private struct Share
    {
        [FieldOffset(128)]
        public long Taken;
    }
}
