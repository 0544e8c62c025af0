namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// What happens before what among the warps of a block: vector clocks, as in Flanagan and Freund, "FastTrack", PLDI 2009, with a warp as the
/// unit that has a clock. A barrier takes the clocks of those who arrive and gives them to those who wait; fences order in the order in which
/// they run. What device-wide fences have covered, and which publications of other blocks a warp has taken notice of, travels the same way.
/// </summary>
internal sealed class WarpClocks
{
    public const uint Limit = (1u << 21) - 8;

    private readonly uint[] fence = new uint[32];
    private readonly uint[] covered = new uint[32 * 32];
    private readonly uint[]?[] published = new uint[32][];
    private readonly SyncPoint?[] acquired = new SyncPoint?[32];
    private readonly SyncPoint?[] newest = new SyncPoint?[32];
    private readonly SyncKnowledge?[] knowledge = new SyncKnowledge?[32];
    private SyncPoint? fenceAcquired;
    private bool publishes;
    private int warps;

    /// <summary>Each warp's clock.</summary>
    public uint[] Clocks { get; } = new uint[32];

    /// <summary>At 32 w + o: the clock of warp o up to which its accesses are ordered before what warp w does now.</summary>
    public uint[] Seen { get; } = new uint[32 * 32];

    /// <summary>For each warp the least of what it has seen.</summary>
    public uint[] MinimumSeen { get; } = new uint[32];

    /// <summary>For each thread the clock of the last barrier within its warp.</summary>
    public uint[] LaneClocks { get; } = new uint[32 * 32];

    /// <summary>Starts a block: everything that happened before is ordered.</summary>
    public void Reset(int warps)
    {
        this.warps = warps;
        Array.Fill(Clocks, 1u);
        Array.Clear(Seen, 0, warps * 32);
        Array.Clear(MinimumSeen);
        Array.Clear(LaneClocks, 0, warps * 32);
        Array.Clear(fence);
        Array.Clear(acquired);
        Array.Clear(newest);
        Array.Clear(knowledge);
        fenceAcquired = null;
        if (!publishes)
            return;
        publishes = false;
        Array.Clear(covered);
        Array.Clear(published);
    }

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
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) != 0)
                LaneClocks[warp * 32 + lane] = clock;
        }
        if ((live & ~lanes) == 0)
            Seen[warp * 32 + warp] = clock;
        Advance(warp);
        UpdateMinimum(warp);
    }

    /// <summary>A memory fence: what other warps did before their fences is ordered before what this warp does after its own.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="device">Whether the fence is for other blocks too, so that what comes before it can be published to them.</param>
    public void Fence(int warp, bool device)
    {
        for (int other = 0; other < warps; other++)
        {
            if (other != warp)
                Seen[warp * 32 + other] = Math.Max(Seen[warp * 32 + other], fence[other]);
            fence[other] = Math.Max(fence[other], other == warp ? Clocks[warp] : Seen[warp * 32 + other]);
        }
        fenceAcquired = acquired[warp] = SyncPoint.Join(acquired[warp], fenceAcquired);
        if (device)
        {
            publishes = true;
            for (int other = 0; other < warps; other++)
                Cover(warp, other, other == warp ? Clocks[warp] : Seen[warp * 32 + other]);
        }
        Advance(warp);
        UpdateMinimum(warp);
    }

    /// <summary>What an atomic or volatile write of a warp publishes: the clocks that a device-wide fence has covered; null if none has run.</summary>
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
