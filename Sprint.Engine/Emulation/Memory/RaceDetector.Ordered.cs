using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>The common cases, in which everything before an access is ordered, recorded without a look at each thread's clock.</summary>
internal sealed unsafe partial class RaceDetector
{
    /// <summary>
    /// Records one lane's read where all writes before it are ordered and no other warp read since; false, having recorded
    /// nothing, if a closer look is needed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(int warp, int lane, int offset, int bytes, uint site)
    {
        int granule = offset >> shift;
        uint limit = minimumSeen[warp] + 1 << ClockShift;
        if (bytes > 1 << shift || writers[granule] >= limit)
            return false;
        uint self = clocks[warp] << ClockShift | (uint)(warp * 32 + lane);
        RecordReader(warp, granule, self, limit, LimitOfLanes(warp), site);
        return true;
    }

    /// <summary>Whether granules have 4 bytes.</summary>
    public bool HasWordGranules => shift == 2;

    /// <summary>Records reads of one word by each active lane at the given offsets if all writes before them are ordered; false, having recorded nothing, otherwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryReadWords(int warp, uint active, uint* offsets, uint site)
    {
        uint limit = minimumSeen[warp] + 1 << ClockShift;
        for (int k = 0; k < 32; k += 8)
        {
            Vector256<uint> writers = Avx2.GatherVector256(this.writers, (Vector256.Load(offsets + k) >> 2).AsInt32(), 4);
            if (!Vector256.LessThanAll(writers, Vector256.Create(limit)))
                return false;
        }
        uint entry = clocks[warp] << ClockShift | (uint)(warp * 32);
        uint limitOfLanes = LimitOfLanes(warp);
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint granule = offsets[lane] >> 2;
            uint self = entry | (uint)lane;
            RecordReader(warp, (int)granule, self, limit, limitOfLanes, site);
        }
        return true;
    }

    /// <summary>
    /// Like <see cref="TryRead"/> for an access of several granules, four at a time: 16 bytes of a vector load or of a matrix row.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadWide(int warp, int lane, int offset, int bytes, uint site)
    {
        int count = bytes >> shift;
        if ((count & 3) != 0 || order.TellsLanesApart(warp))
            return false;
        int first = offset >> shift;
        Vector128<uint> limit = Vector128.Create(minimumSeen[warp] + 1 << ClockShift);
        Vector128<uint> limitOfWarp = Vector128.Create(seen[warp * 32 + warp] + 1 << ClockShift);
        Vector128<uint> entry = Vector128.Create(clocks[warp] << ClockShift | (uint)(warp * 32 + lane));
        for (int k = first; k < first + count; k += 4)
        {
            if (!Vector128.LessThanAll(Vector128.Load(writers + k), limit))
                return false;
        }
        for (int k = first; k < first + count; k += 4)
        {
            Vector128<uint> reader = Vector128.Load(readers + k);
            if (Vector128.LessThanAll(reader, limit))
            {
                entry.Store(readers + k);
            }
            else
            {
                Vector128<uint> recent = Vector128.GreaterThanOrEqual(reader, limit);
                Vector128<uint> sameWarp = Vector128.Equals((reader & Vector128.Create(ThreadMask)) >>> 5, Vector128.Create((uint)warp));
                Vector128<uint> other = Vector128.Load(otherReaders + k);
                Vector128.ConditionalSelect(Vector128.AndNot(recent, sameWarp), reader & ~Vector128.Create(Flag), other).Store(otherReaders + k);
                Vector128<uint> unordered = Vector128.GreaterThanOrEqual(reader, limitOfWarp) & sameWarp;
                Vector128<uint> another = unordered & ~Vector128.Equals((reader ^ entry) & Vector128.Create(ThreadMask), Vector128<uint>.Zero);
                (entry | ((another | (unordered & reader)) & Vector128.Create(Flag))).Store(readers + k);
            }
            Vector128.Create(site).Store(readerSites + k);
        }
        return true;
    }

    /// <summary>Marks a range as the destination of an asynchronous copy if all accesses to it are ordered before; false, having marked nothing, if a closer look is needed.</summary>
    public bool TryClaim(int warp, int lane, int offset, int bytes, uint site)
    {
        int count = bytes >> shift;
        if ((count & 3) != 0)
            return false;
        int first = offset >> shift;
        Vector128<uint> limit = Vector128.Create(minimumSeen[warp] + 1 << ClockShift);
        for (int k = first; k < first + count; k += 4)
        {
            Vector128<uint> newest = Vector128.Max(Vector128.Load(writers + k), Vector128.Max(Vector128.Load(readers + k), Vector128.Load(otherReaders + k)));
            if (!Vector128.LessThanAll(newest, limit))
                return false;
        }
        Vector128<uint> entry = Vector128.Create(InFlight << ClockShift | (uint)(warp * 32 + lane));
        for (int k = first; k < first + count; k += 4)
        {
            entry.Store(writers + k);
            Vector128.Create(site).Store(writerSites + k);
            Vector128<uint>.Zero.Store(readers + k);
            Vector128<uint>.Zero.Store(otherReaders + k);
        }
        return true;
    }

    /// <summary>
    /// The common case at vector speed: all 32 lanes of a warp touch neighbouring ranges of <paramref name="bytes"/> each, and
    /// everything before them is ordered. Returns false, having recorded nothing, if a closer look is needed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryAccessRange(int warp, int offset, int bytes, RaceAccess access, uint site)
    {
        if (access >= RaceAccess.Atomic || bytes >> shift == 0 || (offset & bytes - 1) != 0 || (access == RaceAccess.Read && order.TellsLanesApart(warp)))
            return false;
        int first = offset >> shift;
        int perLane = bytes >> shift;
        int laneShift = int.Log2(perLane);
        int count = 32 * perLane;
        Vector512<uint> limit = Vector512.Create(minimumSeen[warp] + 1 << ClockShift);
        for (int k = 0; k < count; k += 16)
        {
            Vector512<uint> newest = Vector512.Load(writers + first + k);
            if (access == RaceAccess.Write)
                newest = Vector512.Max(newest, Vector512.Max(Vector512.Load(readers + first + k), Vector512.Load(otherReaders + first + k)));
            if (!Vector512.LessThanAll(newest, limit))
                return false;
        }
        Vector512<uint> limitOfWarp = Vector512.Create(seen[warp * 32 + warp] + 1 << ClockShift);
        Vector512<uint> self = Vector512.Create(clocks[warp] << ClockShift | (uint)(warp * 32));
        Vector512<uint> sites = Vector512.Create(site);
        for (int k = 0; k < count; k += 16)
        {
            Vector512<uint> entry = self + ((Vector512<uint>.Indices + Vector512.Create((uint)k)) >>> laneShift);
            if (access == RaceAccess.Write)
            {
                entry.Store(writers + first + k);
                sites.Store(writerSites + first + k);
                Vector512<uint>.Zero.Store(readers + first + k);
                Vector512<uint>.Zero.Store(otherReaders + first + k);
                continue;
            }
            Vector512<uint> reader = Vector512.Load(readers + first + k);
            Vector512<uint> recent = Vector512.GreaterThanOrEqual(reader, limit);
            Vector512<uint> sameWarp = Vector512.Equals((reader & Vector512.Create(ThreadMask)) >>> 5, Vector512.Create((uint)warp));
            Vector512<uint> other = Vector512.Load(otherReaders + first + k);
            Vector512.ConditionalSelect(Vector512.AndNot(recent, sameWarp), reader & ~Vector512.Create(Flag), other).Store(otherReaders + first + k);
            Vector512<uint> unordered = Vector512.GreaterThanOrEqual(reader, limitOfWarp) & sameWarp;
            Vector512<uint> another = unordered & ~Vector512.Equals((reader ^ entry) & Vector512.Create(ThreadMask), Vector512<uint>.Zero);
            (entry | ((another | (unordered & reader)) & Vector512.Create(Flag))).Store(readers + first + k);
            sites.Store(readerSites + first + k);
        }
        return true;
    }

    // The least entry of a warp's own lanes that is not ordered before what all its lanes do now; 0 if that is to be asked of each.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint LimitOfLanes(int warp) => order.Words is null && !order.TellsLanesApart(warp) ? seen[warp * 32 + warp] + 1 << ClockShift : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RecordReader(int warp, int granule, uint self, uint limit, uint limitOfLanes, uint site)
    {
        uint reader = readers[granule];
        if (reader >= limit)
        {
            if ((reader & ThreadMask) >> 5 != warp)
                otherReaders[granule] = reader & ~Flag;
            else if (limitOfLanes == 0 ? !IsOrdered(warp, (int)(self & 31), reader) : reader >= limitOfLanes && ((reader ^ self) & (ThreadMask | Flag)) != 0)
                self |= Flag;
        }
        readers[granule] = self;
        readerSites[granule] = site;
    }
}
