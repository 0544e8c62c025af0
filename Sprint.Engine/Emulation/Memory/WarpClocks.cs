namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// What happens before what among the warps of a block: vector clocks, as in Flanagan and Freund, "FastTrack", PLDI 2009, with a warp as the
/// unit that has a clock. A barrier takes the clocks of those who arrive and gives them to those who wait; a word of memory takes what a fence has covered
/// and gives it to who reads it (<see cref="SyncWords"/>). What device-wide fences have covered, and which publications of other blocks a
/// warp has taken notice of, travels the same way. Lanes of a warp are told apart towards each other only.
/// </summary>
internal sealed class WarpClocks
{
    public const uint Limit = (1u << 21) - 8;

    private readonly int warps;
    private readonly uint[] fenced = new uint[32 * 32];
    private readonly uint[] covered = new uint[32 * 32];
    private readonly uint[]?[] laneSeen = new uint[32][];
    private readonly uint[]?[] laneFenced = new uint[32][];
    private readonly uint[]?[] published = new uint[32][];
    private readonly SyncPoint?[] acquired = new SyncPoint?[32];
    private readonly SyncPoint?[] newest = new SyncPoint?[32];
    private readonly SyncKnowledge?[] knowledge = new SyncKnowledge?[32];
    private uint block;
    private uint lanesApart;
    private bool publishes;

    /// <summary>Prepares the clocks of a block's warps.</summary>
    /// <param name="warps">Warps of a block.</param>
    /// <param name="hasFences">Whether the code has fences, so that warps may order each other without barriers.</param>
    public WarpClocks(int warps, bool hasFences)
    {
        this.warps = warps;
        Words = hasFences ? new SyncWords(this, warps) : null;
    }

    /// <summary>Each warp's clock.</summary>
    public uint[] Clocks { get; } = new uint[32];

    /// <summary>At 32 w + o: the clock of warp o up to which its accesses are ordered before what warp w does now.</summary>
    public uint[] Seen { get; } = new uint[32 * 32];

    /// <summary>For each warp the least of what it has seen.</summary>
    public uint[] MinimumSeen { get; } = new uint[32];

    /// <summary>The words by which warps order each other; null if the code has no fences, so that none can.</summary>
    public SyncWords? Words { get; }

    /// <summary>Starts a block: everything that happened before is ordered.</summary>
    /// <param name="block">The block's number, as accesses are noted with it.</param>
    public void Reset(uint block)
    {
        this.block = block;
        Array.Fill(Clocks, 1u);
        Array.Clear(Seen, 0, warps * 32);
        Array.Clear(MinimumSeen);
        Array.Clear(acquired);
        Array.Clear(newest);
        Array.Clear(knowledge);
        foreach (uint[]? lanes in laneSeen.AsSpan(0, warps))
            lanes?.AsSpan().Clear();
        lanesApart = 0;
        if (Words is null)
            return;
        Words.Reset();
        Array.Clear(fenced, 0, warps * 32);
        foreach (uint[]? lanes in laneFenced.AsSpan(0, warps))
            lanes?.AsSpan().Clear();
        if (!publishes)
            return;
        publishes = false;
        Array.Clear(covered);
        Array.Clear(published);
    }

    /// <summary>Whether what another warp of the block did up to a clock happens before what a warp does now.</summary>
    public bool IsOrdered(int warp, int other, uint clock)
        => clock <= Seen[warp * 32 + other] || Words is { IsFull: true } || Knows(warp, block, other, clock);

    /// <summary>Whether some lanes of a warp have been ordered without the others since the block began.</summary>
    public bool TellsLanesApart(int warp) => (lanesApart >> warp & 1) != 0;

    /// <summary>Whether what a lane did up to a clock happens before what another lane of its warp does now, though not for the whole warp.</summary>
    public bool IsOrdered(int warp, int lane, int other, uint clock)
        => (laneSeen[warp] is { } seen && clock <= seen[lane * 32 + other]) || Words is { IsFull: true } || Knows(warp, block, warp, clock);

    /// <summary>A warp arrives at a barrier: what it did so far, and what that was ordered behind, joins the barrier.</summary>
    public void Arrive(int warp, BarrierClock barrier)
    {
        for (int other = 0; other < warps; other++)
            barrier.Seen[other] = Math.Max(barrier.Seen[other], other == warp ? Clocks[warp] : Seen[warp * 32 + other]);
        for (int other = 0; publishes && other < warps; other++)
            barrier.Covered[other] = Math.Max(barrier.Covered[other], covered[warp * 32 + other]);
        barrier.Acquired = SyncPoint.Join(barrier.Acquired, acquired[warp]);
        Advance(warp);
    }

    /// <summary>A warp goes on behind a barrier: what joined it is ordered before what the warp does from now on.</summary>
    public void Pass(int warp, BarrierClock barrier)
    {
        for (int other = 0; other < warps; other++)
            Seen[warp * 32 + other] = Math.Max(Seen[warp * 32 + other], barrier.Seen[other]);
        for (int other = 0; publishes && other < warps; other++)
            Cover(warp, other, barrier.Covered[other]);
        acquired[warp] = SyncPoint.Join(acquired[warp], barrier.Acquired);
        UpdateMinimum(warp);
    }

    /// <summary>Orders lanes of one warp.</summary>
    public void JoinLanes(int warp, uint lanes, uint live)
    {
        uint clock = Clocks[warp];
        if ((live & ~lanes) == 0)
        {
            Seen[warp * 32 + warp] = clock;
            lanesApart &= ~(1u << warp);
        }
        else
            JoinSome(RowsOfLanes(warp), lanes, clock);
        Advance(warp);
        UpdateMinimum(warp);
    }

    /// <summary>A memory fence: what lanes write atomically behind it publishes what comes before it.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="lanes">The lanes that execute it.</param>
    /// <param name="device">Whether the fence is for other blocks too, so that what comes before it can be published to them.</param>
    public void Fence(int warp, uint lanes, bool device)
    {
        publishes |= device;
        for (int other = 0; other < warps; other++)
        {
            uint clock = other == warp ? Clocks[warp] : Seen[warp * 32 + other];
            fenced[warp * 32 + other] = clock;
            if (device)
                Cover(warp, other, clock);
        }
        uint[] rows = laneFenced[warp] ??= new uint[32 * 32];
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) == 0)
                continue;
            laneSeen[warp]?.AsSpan(lane * 32, 32).CopyTo(rows.AsSpan(lane * 32, 32));
            rows[lane * 32 + lane] = Clocks[warp];
        }
        Advance(warp);
    }

    /// <summary>What a lane's fences have covered joins a word that it writes atomically.</summary>
    public void Publish(int warp, int lane, SyncWord at)
    {
        if (fenced[warp * 32 + warp] == 0)
            return;
        SyncWord.Publication word = at.Open();
        word.Own[warp] = fenced[warp * 32 + warp];
        for (int other = 0; other < warps; other++)
        {
            if (other != warp)
                word.Seen[other] = Math.Max(word.Seen[other], fenced[warp * 32 + other]);
            if (publishes)
                word.Covered[other] = Math.Max(word.Covered[other], covered[warp * 32 + other]);
        }
        word.Acquired = SyncPoint.Join(word.Acquired, acquired[warp]);
        Raise(word.Lanes[warp] ??= new uint[32], laneFenced[warp].AsSpan(lane * 32, 32));
    }

    /// <summary>What is published at a word is ordered before what the warp of a lane that reads it atomically does from now on.</summary>
    public void Acquire(int warp, int lane, SyncWord at)
    {
        if (at.Published is not { } word)
            return;
        for (int other = 0; other < warps; other++)
        {
            if (other != warp)
                Seen[warp * 32 + other] = Math.Max(Seen[warp * 32 + other], Math.Max(word.Seen[other], word.Own[other]));
            if (publishes)
                Cover(warp, other, word.Covered[other]);
        }
        acquired[warp] = SyncPoint.Join(acquired[warp], word.Acquired);
        if (word.Lanes[warp] is { } lanes)
            Raise(RowsOfLanes(warp).AsSpan(lane * 32, 32), lanes);

        // What others have published of the warp's own accesses comes back to this lane, not to those beside it.
        if (word.Seen[warp] > Seen[warp * 32 + warp])
        {
            foreach (ref uint known in RowsOfLanes(warp).AsSpan(lane * 32, 32))
                known = Math.Max(known, word.Seen[warp]);
        }
        UpdateMinimum(warp);
    }

    /// <summary>What an atomic or volatile write of a warp publishes to other blocks: the clocks that a device-wide fence has covered; null if none has run.</summary>
    public uint[]? Published(int warp) => publishes ? published[warp] ??= Snapshot(warp) : null;

    /// <summary>What a warp knows of other blocks' publications.</summary>
    public SyncPoint? Acquired(int warp) => acquired[warp];

    /// <summary>A warp has read what was published at a point; of its own publications only what was there before is news.</summary>
    public void Acquire(int warp, SyncPoint? point)
    {
        while (point?.Content?.Clocks is { } clocks && ReferenceEquals(clocks, published[warp]))
            point = point.Previous;
        if (point is null || ReferenceEquals(newest[warp], point))
            return;
        newest[warp] = point;
        acquired[warp] = SyncPoint.Join(point, acquired[warp]);
    }

    /// <summary>Whether another block's access is published and the publication known to a warp.</summary>
    public bool Knows(int warp, uint block, int otherWarp, uint clock)
    {
        if (acquired[warp] is not { } head)
            return false;
        return (knowledge[warp] ??= new SyncKnowledge()).Contains(head, block, otherWarp, clock);
    }

    /// <summary>Whether a warp has read another block's atomic or volatile write, or what that block wrote there later.</summary>
    public bool Knows(int warp, SyncWrite write) => acquired[warp] is { } head && (knowledge[warp] ??= new SyncKnowledge()).Contains(head, write);

    private uint[] RowsOfLanes(int warp)
    {
        lanesApart |= 1u << warp;
        return laneSeen[warp] ??= new uint[32 * 32];
    }

    private static void JoinSome(uint[] seen, uint lanes, uint clock)
    {
        Span<uint> joined = stackalloc uint[32];
        joined.Clear();
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) == 0)
                continue;
            Raise(joined, seen.AsSpan(lane * 32, 32));
            joined[lane] = clock;
        }
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0)
                joined.CopyTo(seen.AsSpan(lane * 32, 32));
        }
    }

    private static void Raise(Span<uint> clocks, ReadOnlySpan<uint> to)
    {
        for (int k = 0; k < 32; k++)
            clocks[k] = Math.Max(clocks[k], to[k]);
    }

    private void Cover(int warp, int other, uint clock)
    {
        if (covered[warp * 32 + other] >= clock)
            return;
        covered[warp * 32 + other] = clock;
        published[warp] = null;
    }

    private uint[]? Snapshot(int warp)
    {
        uint[] clocks = covered.AsSpan(warp * 32, warps).ToArray();
        return Array.Exists(clocks, clock => clock > 0) ? clocks : null;
    }

    private void Advance(int warp)
    {
        // A clock that runs out stops ordering what follows: better a race unseen than one invented.
        if (Clocks[warp] < Limit)
            Clocks[warp]++;
    }

    private void UpdateMinimum(int warp)
    {
        uint minimum = uint.MaxValue;
        for (int other = 0; other < warps; other++)
            minimum = Math.Min(minimum, Seen[warp * 32 + other]);
        MinimumSeen[warp] = minimum;
    }
}

/// <summary>What has joined a barrier: how far it has seen each warp, what fences have covered, and what is known of other blocks.</summary>
internal sealed class BarrierClock
{
    public uint[] Seen { get; } = new uint[32];

    public uint[] Covered { get; } = new uint[32];

    public SyncPoint? Acquired { get; set; }

    public void Reset()
    {
        Array.Clear(Seen);
        Array.Clear(Covered);
        Acquired = null;
    }
}
