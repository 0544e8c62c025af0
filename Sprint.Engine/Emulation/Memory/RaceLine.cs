using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>How an access to global memory relates to others at the same place.</summary>
internal enum GlobalAccess
{
    Read,
    Write,

    /// <summary>A store past the first-level cache (<c>.cg</c>, <c>.wt</c>): what reads past it too may see it at any time.</summary>
    UncachedWrite,

    /// <summary>An atomic, volatile or relaxed read, or a load past the first-level cache.</summary>
    StrongRead,

    /// <summary>An atomic, volatile or relaxed write.</summary>
    StrongWrite,
}

/// <summary>
/// Who accessed some bytes in this launch, in 64 bits each: the last two plain writers, the last two plain readers and the last two atomic or
/// volatile accesses, the later of these behind the earlier; of two the kept are of different blocks where there are such, else of different warps. The same 64 bytes head the
/// shadow of a line of 128 bytes of memory: while all its accesses cover the same bytes they are noted in the head itself, else in
/// a list of records in order of address.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RaceRecord
{
    /// <summary>The first byte within the line, in bits 8 to 15 the one behind the last, then the number of records in <see cref="More"/>; bit 31 locks a line.</summary>
    public uint State;

    /// <summary>Of a line the launch that its notes are of; of the first of a list its capacity.</summary>
    public uint Launch;

    public RaceRecord* More;
    public fixed ulong Entries[6];

    public readonly int First => (int)(State & 255);

    public readonly int End => (int)(State >> 8 & 255);
}

/// <summary>An access in 64 bits: from the top the block's number (24), the warp (5), a flag, the warp's clock (21), the site (13).</summary>
internal static unsafe class RaceEntry
{
    public const int WarpShift = 35;
    public const int ClockShift = 13;
    public const uint UnknownSite = (1u << ClockShift) - 1;
    public const uint BlockMask = (1u << 24) - 1;

    /// <summary>On an atomic or volatile access: it writes. On a plain writer: it stores past the first-level cache.</summary>
    public const ulong Flag = 1ul << 34;

    /// <summary>Block and warp.</summary>
    public const ulong WhoMask = ulong.MaxValue << WarpShift;

    public static ulong Pack(uint block, int warp, uint clock, uint site)
        => (ulong)block << 40 | (ulong)(uint)warp << WarpShift | (ulong)clock << ClockShift | site;

    public static uint Block(ulong entry) => (uint)(entry >> 40);

    public static int Warp(ulong entry) => (int)(entry >> WarpShift & 31);

    public static uint Clock(ulong entry) => (uint)(entry >> ClockShift & (1u << 21) - 1);

    public static uint Site(ulong entry) => (uint)(entry & UnknownSite);

    public static bool SameWarp(ulong a, ulong b) => ((a ^ b) & WhoMask) == 0;

    /// <summary>Notes a plain access in a pair of entries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Note(ulong* pair, ulong self)
    {
        if (pair[0] == 0 || SameWarp(pair[0], self))
        {
            pair[0] = self;
            return;
        }
        int victim = pair[1] == 0 || SameWarp(pair[1], self) || Worth(pair[1], self, false) <= Worth(pair[0], self, false) ? 1 : 0;
        pair[victim] = self;
    }

    /// <summary>Notes an atomic or volatile access in a pair of entries, of which the second is the later. A write says more than a read.</summary>
    public static void NoteStrong(ulong* pair, ulong self)
    {
        bool writes = (self & Flag) != 0;
        if (pair[1] == 0 || SameWarp(pair[1], self))
        {
            if (pair[1] == 0 || (pair[1] & Flag) == 0 || writes)
                pair[1] = self;
            return;
        }
        int victim = pair[0] == 0 || SameWarp(pair[0], self) || Worth(pair[1], self, true) > Worth(pair[0], self, true) ? 0 : 1;
        if ((pair[victim] & Flag) != 0 && !writes)
            return;
        if (victim == 0)
            pair[0] = pair[1];
        pair[1] = self;
    }

    // Another block says more than another warp, a write than a read, a later clock of the same block than an earlier one.
    private static ulong Worth(ulong entry, ulong self, bool strong)
        => (strong && (entry & Flag) != 0 ? 1ul << 63 : 0) | (Block(entry) != Block(self) ? 1ul << 62 : Clock(entry));
}

/// <summary>The shadow of one allocation's global memory: a <see cref="RaceRecord"/> for every 128 bytes.</summary>
internal sealed unsafe class RaceShadow : IDisposable
{
    public const int LineShift = 7;
    public const int LineBytes = 1 << LineShift;
    private const uint Locked = 1u << 31;

    private readonly void* memory;
    private readonly RaceRecord* lines;
    private readonly long count;

    public RaceShadow(long bytes)
    {
        count = (bytes >> LineShift) + 1;
        // Zeroed pages that nobody touches cost nothing.
        memory = NativeMemory.AllocZeroed((nuint)(count + 1), (nuint)sizeof(RaceRecord));
        lines = (RaceRecord*)(((nuint)memory + 63) / 64 * 64);
    }

    ~RaceShadow() => Free();

    /// <summary>The line that holds an offset.</summary>
    public RaceRecord* Line(long offset) => lines + (offset >> LineShift);

    public static uint Lock(RaceRecord* line)
    {
        SpinWait spin = default;
        while (true)
        {
            uint state = Volatile.Read(ref line->State);
            if ((state & Locked) == 0 && Interlocked.CompareExchange(ref line->State, state | Locked, state) == state)
                return state;
            spin.SpinOnce(-1);
        }
    }

    /// <summary>The record of a byte of a locked line, null if nobody has accessed it.</summary>
    public static RaceRecord* Find(RaceRecord* line, uint state, int at)
    {
        int count = (int)(state >> 16 & 255);
        if (count == 0)
            return at >= (int)(state & 255) && at < (int)(state >> 8 & 255) ? line : null;
        for (int k = 0; k < count; k++)
        {
            if (at >= line->More[k].First && at < line->More[k].End)
                return line->More + k;
        }
        return null;
    }

    public static void Unlock(RaceRecord* line, uint state) => Volatile.Write(ref line->State, state);

    /// <summary>Replaces a locked line's records; returns its state.</summary>
    /// <param name="line">The line.</param>
    /// <param name="records">The records.</param>
    /// <exception cref="OutOfMemoryException">The host has no memory; the line is as it was, and still locked.</exception>
    public static uint Store(RaceRecord* line, ReadOnlySpan<RaceRecord> records)
    {
        if (records.Length == 1)
        {
            fixed (RaceRecord* only = records)
                CopyEntries(only, line);
            return records[0].State;
        }
        if (line->More == null || line->More->Launch < records.Length)
            Grow(line, records.Length);
        uint kept = line->More->Launch;
        records.CopyTo(new Span<RaceRecord>(line->More, records.Length));
        line->More->Launch = kept;
        return (uint)records.Length << 16;
    }

    private static void Grow(RaceRecord* line, int count)
    {
        uint capacity = Math.Max(4, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count));
        RaceRecord* more = (RaceRecord*)NativeMemory.AlignedAlloc(capacity * (nuint)sizeof(RaceRecord), 64);
        NativeMemory.AlignedFree(line->More);
        line->More = more;
        more->Launch = capacity;
    }

    public static void CopyEntries(RaceRecord* from, RaceRecord* to)
    {
        for (int k = 0; k < 6; k++)
            to->Entries[k] = from->Entries[k];
    }

    /// <summary>Whether two records say the same, but for the sites.</summary>
    public static bool SameEntries(RaceRecord* a, RaceRecord* b)
    {
        Vector512<ulong> difference = (Vector512.Load((ulong*)a) ^ Vector512.Load((ulong*)b)) & Vector512.Create(~(ulong)RaceEntry.UnknownSite);
        return (Vector512.Equals(difference, Vector512<ulong>.Zero).ExtractMostSignificantBits() | 3) == 255;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        for (long k = 0; k < count; k++)
        {
            if (lines[k].More != null)
                NativeMemory.AlignedFree(lines[k].More);
        }
        NativeMemory.Free(memory);
    }
}
