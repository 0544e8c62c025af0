using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// Finds races in global memory for the block that a worker executes. Within a block accesses are ordered by <see cref="WarpClocks"/>,
/// between blocks by <see cref="SyncGraph"/> alone, so that what is found does not depend on which warp or block happened to run first.
/// </summary>
internal sealed unsafe partial class GlobalRaceDetector(LaunchContext launch, WarpClocks clocks)
{
    // Which of a record's entries (from bit 2 on) an access of each kind may race with.
    private const byte Writers = 0b0000_1100;
    private const byte Readers = 0b0011_0000;
    private const byte Strong = 0b1100_0000;

    private readonly uint launchNumber = launch.RaceNumber;
    private GlobalAccess access;
    private ulong self;
    private byte relevant;
    private int warp;
    private int pair;
    private int place;
    private ulong lineAddress;
    private byte* lineHost;

    /// <summary>Number of the block that is executed.</summary>
    public uint Block { get; private set; }

    public void Begin(long rank)
    {
        Block = (uint)rank & RaceEntry.BlockMask;
        Array.Clear(observations);
    }

    /// <summary>Prepares for accesses by one instruction of a warp.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="kind">What the accesses do.</param>
    /// <param name="site">Their number in <see cref="Decoding.AccessSites"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int warp, AccessKind kind, uint site)
    {
        this.warp = warp;
        access = kind switch
        {
            AccessKind.Load or AccessKind.ReadOnlyLoad => GlobalAccess.Read,
            AccessKind.Store => GlobalAccess.Write,
            AccessKind.VolatileLoad => GlobalAccess.StrongRead,
            AccessKind.UncachedStore => GlobalAccess.UncachedWrite,
            _ => GlobalAccess.StrongWrite,
        };
        relevant = access switch
        {
            GlobalAccess.Read => Writers | Strong,
            GlobalAccess.Write => Writers | Readers | Strong,
            GlobalAccess.StrongRead => Writers,
            _ => Writers | Readers,
        };
        pair = access switch
        {
            GlobalAccess.Read => 2,
            GlobalAccess.Write or GlobalAccess.UncachedWrite => 0,
            _ => 4,
        };
        place = pair == 4 ? 5 : pair;
        self = RaceEntry.Pack(Block, warp, clocks.Clocks[warp], site)
            | (access is GlobalAccess.StrongWrite or GlobalAccess.UncachedWrite ? RaceEntry.Flag : 0);
    }

    /// <summary>Notes an access of neighbouring bytes of an allocation; false if it races, or may race, with another, which a closer look by <see cref="Conflict"/> finds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryAccess(MemoryAllocation allocation, long offset, int bytes)
    {
        long end = offset + bytes;
        while (offset < end)
        {
            RaceRecord* line = allocation.Races!.Line(offset);
            int first = (int)offset & RaceShadow.LineBytes - 1;
            lineAddress = allocation.Start + (ulong)(offset - first);
            int last = (int)Math.Min(RaceShadow.LineBytes, first + end - offset);
            if (AccessLine(line, first, last, true) != 0)
                return false;
            offset += last - first;
        }
        return true;
    }

    /// <summary>Notes an access of 16 bytes or fewer within one line in any case; returns the access that it races with, 0 if none.</summary>
    public ulong Conflict(MemoryAllocation allocation, long offset, int bytes)
    {
        int first = (int)offset & RaceShadow.LineBytes - 1;
        lineAddress = allocation.Start + (ulong)(offset - first);
        lineHost = allocation.Host + (offset - first);
        return AccessLine(allocation.Races!.Line(offset), first, first + bytes, false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong AccessLine(RaceRecord* line, int first, int end, bool onlyIfClean)
    {
        uint state = RaceShadow.Lock(line);
        uint range = (uint)(first | end << 8);
        ulong conflict = 0;
        if (line->Launch != launchNumber)
        {
            // The first touch in this launch.
            line->Launch = launchNumber;
            new Span<ulong>(line->Entries, 6).Clear();
            line->Entries[place] = self;
            state = range;
        }
        else if (state == range && IsClean(line))
        {
            Note(line);
        }
        else if (state >> 8 == (uint)first && IsFresh(line))
        {
            // The warp goes on where it has just been.
            state = (uint)(line->First | end << 8);
        }
        else
        {
            conflict = AccessLocked(line, ref state, first, end, onlyIfClean);
        }
        RaceShadow.Unlock(line, state);
        return conflict;
    }

    // What may throw while a line is locked: for want of memory, say. Then the line is as it was, and others may have it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong AccessLocked(RaceRecord* line, ref uint state, int first, int end, bool onlyIfClean)
    {
        try
        {
            return state == (uint)(first | end << 8) ? TouchUnclean(line, onlyIfClean) : AccessRecords(line, ref state, first, end, onlyIfClean);
        }
        catch
        {
            RaceShadow.Unlock(line, state);
            throw;
        }
    }

    // Whether a record knows no more than an access like this one by the same warp at the same clock.
    private bool IsFresh(RaceRecord* record)
    {
        Vector512<ulong> difference = Vector512.Load((ulong*)record) ^ Vector512<ulong>.Zero.WithElement(place + 2, self);
        return (Vector512.Equals(difference & Vector512.Create(~(ulong)RaceEntry.UnknownSite), Vector512<ulong>.Zero).ExtractMostSignificantBits() | 3) == 255;
    }

    // Checks an access to all bytes of a record and notes it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Touch(RaceRecord* record, bool onlyIfClean)
    {
        if (!IsClean(record))
            return TouchUnclean(record, onlyIfClean);
        Note(record);
        return 0;
    }

    private ulong TouchUnclean(RaceRecord* record, bool onlyIfClean)
    {
        ulong conflict = FindConflict(record, onlyIfClean);
        if (conflict == 0 || !onlyIfClean)
            Note(record);
        return conflict;
    }

    // Whether a record knows of nothing by other warps that an access like this one may race with.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsClean(RaceRecord* record)
    {
        Vector512<ulong> entries = Vector512.Load((ulong*)record);
        Vector512<ulong> same = Vector512.Equals((entries ^ Vector512.Create(self)) & Vector512.Create(RaceEntry.WhoMask), Vector512<ulong>.Zero)
            | Vector512.Equals(entries, Vector512<ulong>.Zero);
        return (~(uint)same.ExtractMostSignificantBits() & relevant) == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Note(RaceRecord* record)
    {
        if (pair == 4)
            RaceEntry.NoteStrong(record->Entries + 4, self);
        else
            RaceEntry.Note(record->Entries + pair, self);
    }

    // The entry that an access is unordered with. Among plain stores only those of different values count, once values are looked at.
    private ulong FindConflict(RaceRecord* record, bool onlyIfClean)
    {
        for (int k = 5; k >= 0; k--)
        {
            ulong entry = record->Entries[k];
            if ((relevant >> (k + 2) & 1) == 0 || entry == 0 || RaceEntry.SameWarp(entry, self))
                continue;
            bool flagged = (entry & RaceEntry.Flag) != 0;
            bool harmless = k >= 4 ? access == GlobalAccess.Read && !flagged : k < 2 && flagged && access >= GlobalAccess.StrongRead;
            if (harmless || IsOrdered(entry) || (k >= 4 && flagged && (HasSeen(entry, record) || IsObserved(entry, record) || (k == 4 && IsOverwritten(record)))))
                continue;
            bool excused = k < 2 && !onlyIfClean && access is GlobalAccess.Write or GlobalAccess.UncachedWrite && IsSameStore(entry, record);
            if (!excused)
            {
                ConflictPlace = k;
                return entry;
            }
        }
        return 0;
    }

    /// <summary>Which entry of a record the last conflict was with.</summary>
    public int ConflictPlace { get; private set; }

    private bool IsOrdered(ulong entry)
    {
        uint clock = RaceEntry.Clock(entry);
        return RaceEntry.Block(entry) == Block
            ? clocks.IsOrdered(warp, RaceEntry.Warp(entry), clock)
            : launch.Sync is { IsFull: true } || clocks.Knows(warp, RaceEntry.Block(entry), RaceEntry.Warp(entry), clock);
    }

    // Whether the later of two atomic or volatile accesses is a write before what the warp does now, so that it has observed the earlier: where the
    // last to arrive at a counter sets it back, no fence is needed to see that all others have counted.
    private bool IsOverwritten(RaceRecord* record)
    {
        ulong latest = record->Entries[5];
        return (latest & RaceEntry.Flag) != 0 && (RaceEntry.SameWarp(latest, self) || IsOrdered(latest) || HasSeen(latest, record));
    }

    // Whether the warp has read what another warp's atomic or volatile write of these bytes has left there.
    private bool IsObserved(ulong entry, RaceRecord* record)
    {
        uint block = RaceEntry.Block(entry);
        int other = RaceEntry.Warp(entry);
        for (ulong word = lineAddress + (ulong)record->First >> 2; word <= lineAddress + (ulong)record->End - 1 >> 2; word++)
        {
            bool isObserved = block == Block
                ? clocks.Words is { } words && words.IsObserved(warp, other, word)
                : clocks.Knows(warp, new SyncWrite(block, other, RaceEntry.Clock(entry), word));
            if (!isObserved)
                return false;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private ulong AccessRecords(RaceRecord* line, ref uint state, int first, int end, bool onlyIfClean)
    {
        int count = (int)(state >> 16 & 255);
        RaceRecord only = *line;
        only.State = state;
        RaceRecord* records = count == 0 ? &only : line->More;
        count = Math.Max(count, 1);
        for (int k = 0; k < count; k++)
        {
            if (records != &only && records[k].First == first && records[k].End == end)
                return Touch(records + k, onlyIfClean);
        }
        RaceRecord* merged = stackalloc RaceRecord[RaceShadow.LineBytes + 4];
        int mergedCount = 0;
        int at = first;
        ulong conflict = 0;
        int conflictPlace = 0;
        for (int k = 0; k < count; k++)
        {
            RaceRecord* old = records + k;
            int from = Math.Max(old->First, first), to = Math.Min(old->End, end);
            if (from >= to)
            {
                if (old->First >= end && at < end)
                {
                    mergedCount = Append(merged, mergedCount, null, at, end);
                    at = end;
                }
                mergedCount = Append(merged, mergedCount, old, old->First, old->End);
                continue;
            }
            if (old->First < first)
                mergedCount = Append(merged, mergedCount, old, old->First, first);
            if (at < from)
                mergedCount = Append(merged, mergedCount, null, at, from);
            RaceRecord piece = *old;
            piece.State = (uint)(from | to << 8);
            if (Touch(&piece, onlyIfClean) is var found && found != 0 && (conflict == 0 || ConflictPlace > conflictPlace))
            {
                conflict = found;
                conflictPlace = ConflictPlace;
            }
            mergedCount = Append(merged, mergedCount, &piece, from, to);
            at = to;
            if (old->End > end)
                mergedCount = Append(merged, mergedCount, old, end, old->End);
        }
        if (at < end)
            mergedCount = Append(merged, mergedCount, null, at, end);
        ConflictPlace = conflictPlace;
        state = RaceShadow.Store(line, new ReadOnlySpan<RaceRecord>(merged, mergedCount));
        return conflict;
    }

    // Adds a record, or a fresh one that knows this access alone, to those before it.
    private int Append(RaceRecord* records, int count, RaceRecord* source, int first, int end)
    {
        RaceRecord* record = records + count;
        if (source == null)
        {
            *record = default;
            record->Entries[place] = self;
        }
        else
        {
            *record = *source;
        }
        record->State = (uint)(first | end << 8);
        if (count == 0 || record[-1].End != first || !RaceShadow.SameEntries(record - 1, record))
            return count + 1;
        record[-1].State = (uint)(record[-1].First | end << 8);
        return count;
    }
}
