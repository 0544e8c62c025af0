using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sprint.Engine.Emulation;

/// <summary>How the warps of one worker touch memory; summed over workers at the end of a launch.</summary>
internal sealed unsafe class AccessCounters
{
    private const int SectorShift = 5;

    public long GlobalRequests;
    public long GlobalSectors;
    public long GlobalIdealSectors;
    public long SharedRequests;
    public long SharedWavefronts;
    public long SharedIdealWavefronts;
    public long DivergentBranches;
    public long Branches;

    /// <summary>Counts a request whose lanes touch one contiguous range.</summary>
    public void CountGlobalRange(ulong address, long bytes)
    {
        GlobalRequests++;
        GlobalSectors += (long)((address + (ulong)bytes - 1 >> SectorShift) - (address >> SectorShift) + 1);
        GlobalIdealSectors += bytes + 31 >> SectorShift;
    }

    /// <summary>Counts a request of scattered lanes: distinct 32-byte sectors, and how few could have held the distinct bytes.</summary>
    public void CountGlobal(ulong* addresses, uint active, int size)
    {
        GlobalRequests++;
        Span<ulong> sectors = stackalloc ulong[64];
        Span<ulong> starts = stackalloc ulong[32];
        int sectorCount = 0;
        int startCount = 0;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            ulong address = addresses[BitOperations.TrailingZeroCount(lanes)];
            if (!starts[..startCount].Contains(address))
                starts[startCount++] = address;
            for (ulong sector = address >> SectorShift; sector <= address + (ulong)size - 1 >> SectorShift; sector++)
            {
                if (!sectors[..sectorCount].Contains(sector))
                    sectors[sectorCount++] = sector;
            }
        }
        GlobalSectors += sectorCount;
        GlobalIdealSectors += (long)startCount * size + 31 >> SectorShift;
    }

    /// <summary>
    /// Counts a shared-memory request: 32 banks of 4 bytes; lanes that touch different words of one bank are served one after
    /// another, and so are atomic operations on one word. Accesses of 8 and 16 bytes are served in halves and quarters of the warp.
    /// </summary>
    public void CountShared(ulong* addresses, uint active, int size, bool atomic)
    {
        SharedRequests++;
        int words = Math.Max(1, size / 4);
        int lanesPerPhase = 32 / words;
        for (int phase = 0; phase < words; phase++)
        {
            uint mask = active >> phase * lanesPerPhase & (uint)((1ul << lanesPerPhase) - 1);
            if (mask == 0)
                continue;
            ulong* start = addresses + phase * lanesPerPhase;
            SharedWavefronts += !atomic && HasNoConflict(start, mask, words) ? 1 : PhaseWavefronts(start, mask, words, atomic);
            SharedIdealWavefronts++;
        }
    }

    public void CountSharedRange(int bytesPerLane)
    {
        int wavefronts = Math.Max(1, bytesPerLane / 4);
        SharedRequests++;
        SharedWavefronts += wavefronts;
        SharedIdealWavefronts += wavefronts;
    }

    public void Add(AccessCounters other)
    {
        GlobalRequests += other.GlobalRequests;
        GlobalSectors += other.GlobalSectors;
        GlobalIdealSectors += other.GlobalIdealSectors;
        SharedRequests += other.SharedRequests;
        SharedWavefronts += other.SharedWavefronts;
        SharedIdealWavefronts += other.SharedIdealWavefronts;
        DivergentBranches += other.DivergentBranches;
        Branches += other.Branches;
    }

    // The common case: no bank is asked for two different words.
    [SkipLocalsInit]
    private static bool HasNoConflict(ulong* addresses, uint mask, int words)
    {
        ulong* wordOf = stackalloc ulong[32];
        uint used = 0;
        for (uint lanes = mask; lanes != 0; lanes &= lanes - 1)
        {
            ulong first = addresses[BitOperations.TrailingZeroCount(lanes)] >> 2;
            for (ulong word = first; word < first + (ulong)words; word++)
            {
                int bank = (int)(word & 31);
                if ((used >> bank & 1) == 0)
                    wordOf[bank] = word;
                else if (wordOf[bank] != word)
                    return false;
                used |= 1u << bank;
            }
        }
        return true;
    }

    private static int PhaseWavefronts(ulong* addresses, uint mask, int words, bool atomic)
    {
        Span<ulong> seen = stackalloc ulong[32];
        Span<byte> depth = stackalloc byte[32];
        depth.Clear();
        int count = 0;
        int worst = 1;
        for (uint lanes = mask; lanes != 0; lanes &= lanes - 1)
        {
            ulong first = addresses[BitOperations.TrailingZeroCount(lanes)] >> 2;
            for (ulong word = first; word < first + (ulong)words; word++)
            {
                if (!atomic && (count == 32 || seen[..count].Contains(word)))
                    continue;
                if (!atomic)
                    seen[count++] = word;
                int bank = (int)(word & 31);
                worst = Math.Max(worst, ++depth[bank]);
            }
        }
        return worst;
    }
}
