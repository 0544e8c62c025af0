using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>How an access relates to others at the same place.</summary>
internal enum RaceAccess
{
    Read,
    Write,

    /// <summary>An atomic operation, which observes what it replaces. Atomic accesses do not race with each other.</summary>
    Atomic,

    /// <summary>A volatile or relaxed write, which is atomic and observes nothing.</summary>
    AtomicWrite,

    /// <summary>A volatile or relaxed read: it does not race with atomic writes.</summary>
    AtomicRead,
}

/// <summary>
/// Finds shared-memory races by happens-before (<see cref="WarpClocks"/>). Each granule remembers its last writer and last two readers of
/// different warps as clock, flag and thread in 32 bits. Within a warp, <c>bar.warp.sync</c> and publications order lanes.
/// </summary>
internal sealed unsafe partial class RaceDetector : IDisposable
{
    private const int ClockShift = 11;

    // On a writer: it was atomic. On a reader: other lanes of its warp read too. On an other reader: it was an atomic writer.
    private const uint Flag = 1u << 10;
    private const uint ThreadMask = 1023;

    // On a writer's site: it was atomic and observed nothing of what other threads wrote before.
    private const uint Unobserving = 1u << 31;

    /// <summary>Clock of a granule that an asynchronous copy is still going to write.</summary>
    public const uint InFlight = (1u << 21) - 1;

    private readonly int granules;
    private readonly int shift;
    private readonly uint* writers;
    private readonly uint* readers;
    private readonly uint* otherReaders;
    private readonly uint* writerSites;
    private readonly uint* readerSites;
    private readonly uint[] clocks;
    private readonly uint[] seen;
    private readonly uint[] minimumSeen;
    private readonly WarpClocks order;

    public RaceDetector(int size, int granule, WarpClocks order)
    {
        clocks = order.Clocks;
        seen = order.Seen;
        minimumSeen = order.MinimumSeen;
        this.order = order;
        shift = int.Log2(granule);
        granules = (size + granule - 1 >> shift) + 16;
        writers = (uint*)NativeMemory.AlignedAlloc((nuint)granules * 20, 64);
        readers = writers + granules;
        otherReaders = readers + granules;
        writerSites = otherReaders + granules;
        readerSites = writerSites + granules;
        Clear();
    }

    ~RaceDetector() => NativeMemory.AlignedFree(writers);

    /// <summary>Forgets the previous block.</summary>
    public void Clear() => NativeMemory.Clear(writers, (nuint)granules * 20);

    /// <summary>Notes that more lanes made the read that was recorded last.</summary>
    public void ShareRead(int offset, int bytes)
    {
        int last = offset + bytes - 1 >> shift;
        for (int granule = offset >> shift; granule <= last; granule++)
            readers[granule] |= Flag;
    }

    /// <summary>Checks and records one lane's access; returns the other access if the two race.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public RaceConflict? Access(int warp, int lane, int offset, int bytes, RaceAccess access, uint site)
    {
        int last = offset + bytes - 1 >> shift;
        for (int granule = offset >> shift; granule <= last; granule++)
        {
            RaceConflict? conflict = AccessGranule(warp, lane, granule, access, site);
            if (conflict is not null)
                return conflict;
        }
        return null;
    }

    /// <summary>Marks a range as the destination of an asynchronous copy that has not arrived.</summary>
    public void MarkInFlight(int warp, int lane, int offset, int bytes, uint site)
    {
        uint entry = InFlight << ClockShift | (uint)(warp * 32 + lane);
        int last = offset + bytes - 1 >> shift;
        for (int granule = offset >> shift; granule <= last; granule++)
        {
            writers[granule] = entry;
            writerSites[granule] = site;
        }
    }

    /// <summary>Ends <see cref="MarkInFlight"/>: the thread has waited, so that the write counts as its own, done now.</summary>
    public void MarkArrived(int warp, int lane, int offset, int bytes)
    {
        uint entry = clocks[warp] << ClockShift | (uint)(warp * 32 + lane);
        int last = offset + bytes - 1 >> shift;
        for (int granule = offset >> shift; granule <= last; granule++)
            writers[granule] = entry;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(writers);
        GC.SuppressFinalize(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private RaceConflict? AccessGranule(int warp, int lane, int granule, RaceAccess access, uint site)
    {
        uint limit = minimumSeen[warp] + 1 << ClockShift;
        uint self = clocks[warp] << ClockShift | (uint)(warp * 32 + lane);
        uint writer = writers[granule];
        if (writer >= limit && !(access >= RaceAccess.Atomic && (writer & Flag) != 0 && writer >> ClockShift != InFlight)
            && !IsOrdered(warp, lane, writer & ~Flag) && !((writer & Flag) != 0 && IsObserved(warp, writer, granule)))
            return new RaceConflict(writer, writerSites[granule], true);
        if (access == RaceAccess.AtomicRead)
            return null;
        if (access == RaceAccess.Read)
        {
            uint atomic = otherReaders[granule];
            if ((atomic & Flag) != 0 && atomic >= limit && !IsOrdered(warp, lane, atomic & ~Flag) && !IsObserved(warp, atomic, granule)
                && !((atomic & ThreadMask) >> 5 == warp && IsReplaced(granule, self)))
                return new RaceConflict(atomic, writerSites[granule], true);
            RecordReader(warp, granule, self, limit, LimitOfLanes(warp), site);
            return null;
        }
        uint reader = readers[granule];
        if (reader >= limit && !IsOrdered(warp, lane, reader))
            return new RaceConflict(reader, readerSites[granule], false);
        uint other = otherReaders[granule];
        if (access == RaceAccess.Write)
        {
            bool atomic = (other & Flag) != 0;
            if (other >= limit && !(atomic && IsReplaced(granule, self)) && !IsOrdered(warp, lane, other & ~Flag) && !(atomic && IsObserved(warp, other, granule)))
                return new RaceConflict(other, atomic ? writerSites[granule] : readerSites[granule], atomic);
            otherReaders[granule] = 0;
        }
        else
        {
            // The lane's own plain store stays in sight of those that are not behind it.
            bool isOwn = (writer & ThreadMask) == (self & ThreadMask);
            if (writer >= limit && (writer & Flag) == 0 && isOwn)
                return null;
            // Of its own warp's lanes a volatile write leaves the first in sight: it has not observed them.
            bool isForeign = (writer & ThreadMask) >> 5 != warp;
            bool isUnobserved = access == RaceAccess.AtomicWrite && !isOwn && (writer & Flag) != 0 && other < limit;
            otherReaders[granule] = writer >= limit && (isForeign || isUnobserved) ? writer | Flag : other;
            if (access == RaceAccess.AtomicWrite && !(writer >= limit && IsReplaced(granule, self)))
                site |= Unobserving;
            self |= Flag;
        }
        writers[granule] = self;
        writerSites[granule] = site;
        readers[granule] = 0;
        return null;
    }

    // Whether the last write is an atomic operation of the thread itself, which has observed what it replaced.
    private bool IsReplaced(int granule, uint self)
        => (writers[granule] & Flag) != 0 && ((writers[granule] ^ self) & ThreadMask) == 0 && (writerSites[granule] & Unobserving) == 0;

    private bool IsOrdered(int warp, int lane, uint entry)
    {
        uint clock = entry >> ClockShift;
        int thread = (int)(entry & ThreadMask);
        if (clock == InFlight)
            return false;
        if (clock <= seen[warp * 32 + (thread >> 5)])
            return true;
        if (thread >> 5 != warp)
            return order.IsOrdered(warp, thread >> 5, clock);
        return ((thread & 31) == lane && (entry & Flag) == 0) || order.IsOrdered(warp, lane, thread & 31, clock);
    }

    // Whether a warp has read what the atomic write of an entry left there.
    private bool IsObserved(int warp, uint entry, int granule)
        => entry >> ClockShift != InFlight && order.Words is { } words && words.IsObserved(warp, (int)(entry & ThreadMask) >> 5, MemoryWindows.Shared + ((ulong)granule << shift) >> 2);
}
