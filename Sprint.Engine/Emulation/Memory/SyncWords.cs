namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// How warps of a block order each other without a barrier, by the rules of <see cref="SyncGraph"/>: a fence, for the block or wider, followed by an atomic
/// or volatile write publishes at that word of shared or global memory what the fence covers; an atomic or volatile read of the word takes
/// notice of all that was published there so far. A block runs on one worker at a time, so that what is known is merged where it is read.
/// </summary>
internal sealed class SyncWords(WarpClocks clocks, int warps)
{
    private const int MaximumWords = 1 << 14;

    private readonly Dictionary<ulong, SyncWord> words = [];
    private readonly List<SyncWord> free = [];
    private uint step;

    /// <summary>Whether so many words were written that no more are kept: then all warps count as ordered, as a race unseen is better than one invented.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Forgets the previous block.</summary>
    public void Reset()
    {
        free.AddRange(words.Values);
        words.Clear();
        step = 0;
        IsFull = false;
    }

    /// <summary>A lane has written a place of the generic address space atomically.</summary>
    public void Publish(int warp, int lane, ulong address, int bytes)
    {
        for (ulong word = address >> 2; word <= address + (ulong)bytes - 1 >> 2; word++)
        {
            if (Find(word) is not { } published)
                return;
            clocks.Publish(warp, lane, published);
            published.Writes[warp] = ++step;
        }
    }

    /// <summary>A lane has read a place of the generic address space atomically.</summary>
    public void Acquire(int warp, int lane, ulong address, int bytes)
    {
        for (ulong word = address >> 2; word <= address + (ulong)bytes - 1 >> 2; word++)
        {
            if (!words.TryGetValue(word, out SyncWord? published))
                continue;
            clocks.Acquire(warp, lane, published);
            published.Reads[warp] = ++step;
            published.ReadClocks[warp] = clocks.Clocks[warp];
        }
    }

    /// <summary>
    /// Whether the last atomic write of a word by another warp comes before what a warp does now because it was observed, by the warp itself or by one
    /// whose reading is ordered before: no fence is needed for that (what is observed comes first in causality order).
    /// </summary>
    public bool IsObserved(int warp, int other, ulong word)
    {
        if (!words.TryGetValue(word, out SyncWord? written))
            return false;
        for (int reader = 0; reader < warps; reader++)
        {
            if (written.Reads[reader] > written.Writes[other] && (reader == warp || written.ReadClocks[reader] <= clocks.Seen[warp * 32 + reader]))
                return true;
        }
        return false;
    }

    private SyncWord? Find(ulong word)
    {
        if (words.TryGetValue(word, out SyncWord? known))
            return known;
        IsFull |= words.Count == MaximumWords;
        if (IsFull)
            return null;
        if (free.Count > 0)
        {
            known = free[^1];
            free.RemoveAt(free.Count - 1);
            known.Reset();
        }
        known ??= new SyncWord(warps);
        words.Add(word, known);
        return known;
    }
}

/// <summary>A word of memory that was written atomically: what is published there, and which warp has written and read it last.</summary>
internal sealed class SyncWord(int warps)
{
    private readonly uint[] steps = new uint[3 * warps];

    /// <summary>What fences have covered of what was done before the word was written; null as long as nothing is.</summary>
    public Publication? Published { get; private set; }

    /// <summary>Of each warp's last write, in the order of all reads and writes; 0 if there was none.</summary>
    public Span<uint> Writes => steps.AsSpan(0, warps);

    /// <summary>Of each warp's last read, in the order of all reads and writes; 0 if there was none.</summary>
    public Span<uint> Reads => steps.AsSpan(warps, warps);

    /// <summary>Each warp's clock at its last read.</summary>
    public Span<uint> ReadClocks => steps.AsSpan(2 * warps, warps);

    /// <summary>What is published, made when something is.</summary>
    public Publication Open() => Published ??= new Publication(warps);

    public void Reset()
    {
        Array.Clear(steps);
        Published = null;
    }

    /// <summary>What is published at a word.</summary>
    internal sealed class Publication(int warps)
    {
        /// <summary>The clock of each warp up to which others have published its accesses.</summary>
        public uint[] Seen { get; } = new uint[warps];

        /// <summary>The same of what a warp has published itself, which orders its own lanes by <see cref="Lanes"/> alone.</summary>
        public uint[] Own { get; } = new uint[warps];

        /// <summary>What device-wide fences have covered.</summary>
        public uint[] Covered { get; } = new uint[warps];

        /// <summary>What is known of other blocks.</summary>
        public SyncPoint? Acquired { get; set; }

        /// <summary>For a warp that has published: the clock of each of its lanes up to which the publishing lanes' fences cover it.</summary>
        public uint[]?[] Lanes { get; } = new uint[warps][];
    }
}
