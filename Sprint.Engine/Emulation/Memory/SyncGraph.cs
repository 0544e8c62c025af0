using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// One publication, or a join of several: the clocks of a block's warps up to which everything is visible to who reads the published value,
/// and what was known before, at the same place in memory and to the publishing warp.
/// </summary>
internal sealed class SyncPoint(SyncWrite write, SyncContent? content, SyncPoint? previous)
{
    private volatile SyncContent? content = content;

    /// <summary>The write that publishes.</summary>
    public SyncWrite Write { get; } = write;

    /// <summary>What is published; null once it was withdrawn, which another worker may do between two reads of this property.</summary>
    public SyncContent? Content => content;

    /// <summary>What was published at the same place before.</summary>
    public SyncPoint? Previous { get; } = previous;

    /// <summary>Nothing is published after all; what was published before stays.</summary>
    public void Withdraw() => content = null;

    /// <summary>Everything that either knows, the first being the newer.</summary>
    public static SyncPoint? Join(SyncPoint? first, SyncPoint? second)
    {
        if (first is null || ReferenceEquals(first, second))
            return second;
        if (second is null || ReferenceEquals(first.Previous, second) || ReferenceEquals(first.Content?.Acquired, second))
            return first;
        if (ReferenceEquals(second.Previous, first) || ReferenceEquals(second.Content?.Acquired, first))
            return second;
        return new SyncPoint(default, new SyncContent(null, second), first);
    }
}

/// <summary>What a publication tells.</summary>
/// <param name="Clocks">The published clocks; null for a join.</param>
/// <param name="Acquired">What the publishing warp knew of other blocks.</param>
internal sealed record SyncContent(uint[]? Clocks, SyncPoint? Acquired);

/// <summary>An atomic or volatile write: of which warp of which block, at which of its clocks, to which word of memory.</summary>
internal readonly record struct SyncWrite(uint Block, int Warp, uint Clock, ulong Word);

/// <summary>What one write has published anew: a point for each of its words.</summary>
internal readonly record struct Publication(SyncPoint? Low, SyncPoint? High)
{
    public void Withdraw()
    {
        Low?.Withdraw();
        High?.Withdraw();
    }
}

/// <summary>
/// How blocks of a launch order each other: a device-wide fence followed by an atomic or volatile write publishes at that word of memory
/// (the release pattern of the PTX ISA's memory consistency model), and an atomic or volatile read of the word takes notice of everything
/// published there so far, also of the publishing writes to the word themselves (what is observed comes first in causality order). A fence behind that read is not asked for: much code relies on the branch that follows it.
/// </summary>
internal sealed class SyncGraph
{
    private const int MaximumPoints = 1 << 22;

    private readonly ConcurrentDictionary<ulong, SyncPoint> places = new();
    private int points;

    /// <summary>Whether so much was published that no more is kept: then all blocks count as ordered, as a race unseen is better than one invented.</summary>
    public bool IsFull => Volatile.Read(ref points) >= MaximumPoints;

    /// <summary>A warp writes atomically; called before the value is there to be read.</summary>
    public Publication Publish(WarpClocks clocks, int warp, uint block, ulong address, int bytes)
    {
        if (clocks.Published(warp) is not { } published || IsFull)
            return default;
        Publication result = default;
        SyncPoint? acquired = clocks.Acquired(warp);
        for (ulong word = address >> 2; word <= address + (ulong)bytes - 1 >> 2; word++)
        {
            SyncWrite write = new(block, warp, clocks.Clocks[warp], word);
            bool known = places.TryGetValue(word, out SyncPoint? last)
                && last.Write == write && last.Content is { } content && ReferenceEquals(content.Clocks, published) && ReferenceEquals(content.Acquired, acquired);
            if (known)
                continue;
            Interlocked.Increment(ref points);
            SyncPoint fresh = new(write, new SyncContent(published, acquired), null);
            fresh = places.AddOrUpdate(word, static (_, fresh) => fresh, static (_, last, fresh) => new SyncPoint(fresh.Write, fresh.Content, last), fresh);
            result = new Publication(fresh, result.Low);
        }
        return result;
    }

    /// <summary>A warp has read atomically; called after the value was read.</summary>
    public void Acquire(WarpClocks clocks, int warp, ulong address, int bytes)
    {
        for (ulong word = address >> 2; word <= address + (ulong)bytes - 1 >> 2; word++)
        {
            if (places.TryGetValue(word, out SyncPoint? point))
                clocks.Acquire(warp, point);
        }
    }
}

/// <summary>What a warp knows of other blocks, found by walking the graph from the newest publication back, as far as was ever asked.</summary>
internal sealed class SyncKnowledge
{
    private readonly Dictionary<uint, uint[]> known = [];
    private readonly Dictionary<(uint Block, int Warp, ulong Word), uint> writes = [];
    private readonly HashSet<SyncPoint> visited = [];
    private readonly Stack<SyncPoint> frontier = [];
    private SyncPoint? head;

    /// <summary>Whether what is known at a point includes a block's warp up to a clock.</summary>
    public bool Contains(SyncPoint head, uint block, int warp, uint clock)
    {
        Enter(head);
        do
        {
            if (known.TryGetValue(block, out uint[]? clocks) && clocks[warp] >= clock)
                return true;
        }
        while (Step());
        return false;
    }

    /// <summary>Whether what is known at a point includes an atomic or volatile write, or a later one by the same warp to the same word.</summary>
    public bool Contains(SyncPoint head, SyncWrite write)
    {
        Enter(head);
        do
        {
            if (writes.TryGetValue((write.Block, write.Warp, write.Word), out uint clock) && clock >= write.Clock)
                return true;
        }
        while (Step());
        return false;
    }

    private void Enter(SyncPoint head)
    {
        if (!ReferenceEquals(this.head, head))
        {
            this.head = head;
            frontier.Push(head);
        }
    }

    private bool Step()
    {
        if (!frontier.TryPop(out SyncPoint? point))
            return false;
        Visit(point);
        return true;
    }

    private void Visit(SyncPoint point)
    {
        if (!visited.Add(point))
            return;
        SyncContent? content = point.Content;
        if (content?.Acquired is not null)
            frontier.Push(content.Acquired);
        if (point.Previous is not null)
            frontier.Push(point.Previous);
        if (content?.Clocks is not { } published)
            return;
        ref uint written = ref CollectionsMarshal.GetValueRefOrAddDefault(writes, (point.Write.Block, point.Write.Warp, point.Write.Word), out _);
        written = Math.Max(written, point.Write.Clock);
        ref uint[]? clocks = ref CollectionsMarshal.GetValueRefOrAddDefault(known, point.Write.Block, out bool exists);
        if (!exists)
        {
            clocks = published;
            return;
        }
        uint[] merged = new uint[published.Length];
        for (int k = 0; k < merged.Length; k++)
            merged[k] = Math.Max(clocks![k], published[k]);
        clocks = merged;
    }
}
