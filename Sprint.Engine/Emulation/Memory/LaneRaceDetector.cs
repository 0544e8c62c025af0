using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// Finds races in global memory between lanes of one warp, which <see cref="GlobalRaceDetector"/> takes as one. Each warp keeps for itself who of its lanes
/// touched what last, in a cache of lines of 32 granules (the smallest access of the kernel), so that what is found depends on nothing that
/// other warps do. Who has been forgotten, because the warp has touched so many lines since, is not found.
/// </summary>
internal sealed unsafe class LaneRaceDetector : IDisposable
{
    private const int Sets = 64;
    private const int Ways = 4;
    private const int LineGranules = 32;

    // A granule's note, from the top: the clock since the base (11 bits), the lane (5), flags, the site (13). 0 if nobody has touched it.
    private const int ClockShift = 21;
    private const int LaneShift = 16;
    private const uint LaneMask = 31u << LaneShift;
    private const uint MaximumClock = (1u << (32 - ClockShift)) - 1;

    // Other lanes did the same before.
    private const uint Several = 1u << 15;
    private const uint Writes = 1u << 14;

    // Atomic, volatile or past the first-level cache.
    private const uint Strong = 1u << 13;
    private const uint SiteMask = RaceEntry.UnknownSite;

    private readonly GlobalRaceDetector races;
    private readonly WarpClocks clocks;
    private readonly KernelProgram program;
    private readonly int warp;
    private readonly int shift;
    private readonly ulong[] tags = new ulong[Sets * Ways];
    private readonly byte[] victims = new byte[Sets];
    private uint* notes;
    private ulong generation = 1;
    private uint baseClock;
    private uint limit;
    private uint self;
    private bool isUncached;

    public LaneRaceDetector(GlobalRaceDetector races, WarpClocks clocks, int warp, KernelProgram program)
    {
        this.races = races;
        this.clocks = clocks;
        this.warp = warp;
        this.program = program;
        shift = int.Log2(program.GlobalGranule);
        // Whole vectors are read and written, also behind the end of a line.
        notes = (uint*)NativeMemory.AlignedAlloc((Sets * Ways + 1) * LineGranules * sizeof(uint), 64);
    }

    ~LaneRaceDetector() => Free();

    /// <summary>Forgets the previous block.</summary>
    public void Reset()
    {
        baseClock = 0;
        Forget();
    }

    /// <summary>
    /// Notes plain accesses of neighbouring places by all lanes where nothing is wrong; false if a closer look by <see cref="Access"/> is needed.
    /// </summary>
    /// <param name="address">The first lane's address.</param>
    /// <param name="bytes">Bytes of a lane.</param>
    /// <param name="kind">What the access does.</param>
    /// <param name="site">Number of the operation among those that access global memory.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryAccessRange(ulong address, int bytes, AccessKind kind, uint site)
    {
        if (kind is not (AccessKind.Load or AccessKind.ReadOnlyLoad or AccessKind.Store) || bytes >> shift == 0)
            return false;
        Begin(kind, site);
        bool reads = kind != AccessKind.Store;
        int perLane = int.Log2(bytes >> shift);
        Vector512<uint> unordered = Vector512.Create(limit);
        uint racy = reads ? Writes | Strong : uint.MaxValue;
        ulong granule = address >> shift;
        for (int done = 0; done < LineGranules << perLane;)
        {
            int first = (int)((granule + (uint)done) % LineGranules);
            int count = Math.Min(LineGranules - first, (LineGranules << perLane) - done);
            uint* line = Find((granule + (uint)done) / LineGranules) + first;
            for (int k = 0; k < count; k += Vector512<uint>.Count)
            {
                Vector512<uint> old = Vector512.Load(line + k);
                Vector512<uint> at = Vector512<uint>.Indices + Vector512.Create((uint)k);
                Vector512<uint> own = Vector512.Create(self) | ((at + Vector512.Create((uint)done)) >>> perLane << LaneShift);
                Vector512<uint> inside = Vector512.LessThan(at, Vector512.Create((uint)count));
                Vector512<uint> recent = Vector512.GreaterThanOrEqual(old, unordered) & inside;
                Vector512<uint> foreign = recent & ~Vector512.Equals((old ^ own) & Vector512.Create(LaneMask | Several), Vector512<uint>.Zero);
                Vector512<uint> strong = recent & ~Vector512.Equals(old & Vector512.Create(Strong), Vector512<uint>.Zero);
                Vector512<uint> wrong = (foreign & ~Vector512.Equals(old & Vector512.Create(racy), Vector512<uint>.Zero)) | strong;
                if (wrong != Vector512<uint>.Zero)
                    return false;
                if (reads)
                {
                    // Whether the other lane's read is over for this lane, only a look at each tells.
                    if (clocks.TellsLanesApart(warp) && foreign != Vector512<uint>.Zero)
                        return false;
                    Vector512<uint> kept = recent & ~Vector512.Equals(old & Vector512.Create(Writes), Vector512<uint>.Zero);
                    own = Vector512.ConditionalSelect(kept, old, own | (foreign & Vector512.Create(Several)));
                }
                Vector512.ConditionalSelect(inside, own, old).Store(line + k);
            }
            done += count;
        }
        return true;
    }

    /// <summary>Checks and notes each lane's access.</summary>
    /// <exception cref="EmulationException">An access races with another lane's.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Access(Warp warp, Instruction* instruction, uint lanes, int bytes, AccessKind kind, MemoryAllocation allocation, uint site)
    {
        Begin(kind, site);
        bool strong = (self & Strong) != 0;
        ulong lastLine = ulong.MaxValue;
        uint* line = null;
        for (; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint own = self | (uint)lane << LaneShift;
            ulong last = warp.Addresses[lane] + (ulong)bytes - 1 >> shift;
            for (ulong granule = warp.Addresses[lane] >> shift; granule <= last; granule++)
            {
                if (granule / LineGranules != lastLine)
                    line = Find(lastLine = granule / LineGranules);
                uint* note = line + granule % LineGranules;
                uint old = *note;
                if (old < limit)
                {
                    *note = own;
                    continue;
                }
                if (IsRacy(old, lane) && !IsOrdered(old, lane, granule) && !(IsPlainStore(old) && kind == AccessKind.Store && races.IsSameStore(lane, granule << shift, 1 << shift, allocation)))
                    throw Fault(warp, instruction, lane, bytes, kind, allocation, old);
                *note = strong ? Merge(old, own) : IsReadBefore(old, lane) ? own : MergePlain(old, own);
            }
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(notes);
        notes = null;
    }

    private static bool IsPlainStore(uint note) => (note & (Writes | Strong)) == Writes;

    // What is kept of a note beside an atomic or volatile access that does not race with it: who says more.
    private uint Merge(uint old, uint own)
    {
        if ((old & Strong) == 0)
            return (old & Writes) == 0 && (own & Writes) != 0 ? own : old;
        if ((own & Writes) == 0 && (old & Writes) != 0)
            return old;
        bool sameLane = ((old ^ own) & LaneMask) == 0;
        bool others = (old & Writes) == (own & Writes) && (!sameLane || ((old & Several) != 0 && !HasObserved(old)));
        return others ? own | Several : own;
    }

    // Whether the last of those noted has observed the others, by an atomic operation.
    private bool HasObserved(uint note) => (note & (Writes | Strong)) == (Writes | Strong) && program.IsAtomic(note & SiteMask);

    // The same beside a plain access.
    private static uint MergePlain(uint old, uint own)
    {
        if ((own & Writes) != 0)
            return own;
        if ((old & Writes) != 0)
            return old;
        bool others = (old & Strong) == 0 && ((old & Several) != 0 || ((old ^ own) & LaneMask) != 0);
        return others ? own | Several : own;
    }

    private void Begin(AccessKind kind, uint site)
    {
        uint clock = clocks.Clocks[warp];
        if (clock - baseClock > MaximumClock)
        {
            baseClock = clock - 1;
            Forget();
        }
        uint seen = clocks.Seen[warp * 32 + warp];
        limit = (seen > baseClock ? seen - baseClock : 0) + 1 << ClockShift;
        uint flags = kind switch
        {
            AccessKind.Load or AccessKind.ReadOnlyLoad => 0,
            AccessKind.VolatileLoad => Strong,
            AccessKind.Store => Writes,
            _ => Writes | Strong,
        };
        self = clock - baseClock << ClockShift | flags | site;
        isUncached = kind == AccessKind.UncachedStore;
    }

    private void Forget()
    {
        if (++generation == 1 << 16)
        {
            generation = 1;
            Array.Clear(tags);
        }
    }

    // The notes of a line, empty if it was not at hand.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint* Find(ulong line)
    {
        ulong tag = line << 16 | generation;
        int set = (int)((line ^ line >> 6 ^ line >> 12) % Sets);
        Span<ulong> ways = tags.AsSpan(set * Ways, Ways);
        uint hits = Vector256.Equals(Vector256.Create<ulong>(ways), Vector256.Create(tag)).ExtractMostSignificantBits();
        if (hits != 0)
            return notes + (set * Ways + BitOperations.TrailingZeroCount(hits)) * LineGranules;
        int way = victims[set]++ % Ways;
        ways[way] = tag;
        uint* found = notes + (set * Ways + way) * LineGranules;
        new Span<uint>(found, LineGranules).Clear();
        return found;
    }

    // Whether an access like this one by a lane races with what is noted, if nothing orders the two.
    private bool IsRacy(uint old, int lane)
    {
        if ((old & Several) == 0 && (old >> LaneShift & 31) == lane)
            return false;
        bool writes = (old & Writes) != 0, strong = (old & Strong) != 0;
        if ((self & Strong) == 0 || !strong)
            return writes || (self & Writes) != 0;
        // Two stores past the first-level cache by one instruction: what else such a store meets of its kind is harmless.
        return isUncached && writes && (old & SiteMask) == (self & SiteMask);
    }

    // Whether all that is noted are plain reads that happen before this lane's, so that who is not behind them is not behind this one either.
    private bool IsReadBefore(uint old, int lane) => (old & (Writes | Strong)) == 0 && IsOrderedByClock(old, lane);

    private bool IsOrdered(uint old, int lane, ulong granule)
    {
        int last = (int)(old >> LaneShift & 31);
        return ((old & (Writes | Strong)) == (Writes | Strong) && ((last == lane && HasObserved(old)) || clocks.Words?.IsObserved(warp, warp, granule << shift >> 2) == true))
            || IsOrderedByClock(old, lane);
    }

    private bool IsOrderedByClock(uint old, int lane)
    {
        uint clock = baseClock + (old >> ClockShift);
        int last = (int)(old >> LaneShift & 31);
        if (last != lane)
            return clocks.IsOrdered(warp, lane, last, clock);
        for (int other = 0; other < Lanes.Count; other++)
        {
            if (other != lane && clocks.IsOrdered(warp, lane, other, clock))
                return true;
        }
        return false;
    }

    private EmulationException Fault(Warp warp, Instruction* instruction, int lane, int bytes, AccessKind kind, MemoryAllocation allocation, uint old)
    {
        LaunchContext launch = warp.Launch;
        int last = (int)(old >> LaneShift & 31);
        string who = last == lane ? "other lanes" : $"thread {launch.BlockSize.At((ulong)(warp.Index * 32 + last))}";
        return warp.Fault(instruction, lane, EmulationFault.GlobalMemoryRace,
            $"A race in global memory: {warp.DescribeAccess(kind, bytes, self & SiteMask)} at byte {warp.Addresses[lane] - allocation.Start} of {allocation.Describe()}{launch.DescribeArgument(allocation)}"
            + $" and {What(old)} by {who} of the same warp{warp.DescribeSite(old & SiteMask)} have no __syncwarp() between them");
    }

    /// <summary>"a store by thread (3,0,0) at kernel.cu:12", of the last store to an address if it is known and not before a clock.</summary>
    public string? DescribeStore(Warp warp, ulong address, uint since)
    {
        ulong granule = address >> shift;
        uint note = Find(granule / LineGranules)[granule % LineGranules];
        if ((note & Writes) == 0 || baseClock + (note >> ClockShift) < since)
            return null;
        return $"{What(note)} by thread {warp.Launch.BlockSize.At((ulong)(warp.Index * 32) + (note >> LaneShift & 31))}{warp.DescribeSite(note & SiteMask)}";
    }

    private static string What(uint note)
    {
        bool writes = (note & Writes) != 0;
        return (note & Strong) == 0 ? writes ? "a store" : "a load" : writes ? "an atomic or volatile write" : "an atomic or volatile read";
    }
}
