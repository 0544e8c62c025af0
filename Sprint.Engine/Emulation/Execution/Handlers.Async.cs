using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Asynchronous copies from global to shared memory.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>
    /// Starts copies of E bytes. A, C, Immediate: source address; B: destination address, List[0]: 1 if it has 32 bits,
    /// List[1]: its offset, List[2]: register with the bytes to read (the rest is zeros) or -1, List[3]: predicate that ignores the source, or -1.
    /// </summary>
    public static Instruction* CopyAsync(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint active = warp.Active;
        int bytes = i->E;
        ulong* destinations = stackalloc ulong[Lanes.Count];
        Instruction destination = *i;
        destination.A = i->B;
        destination.C = i->List[0];
        destination.Immediate = i->List[1];
        ComputeAddresses(warp, &destination, bytes);
        new Span<ulong>(warp.Addresses, 32).CopyTo(new Span<ulong>(destinations, 32));
        ClaimDestinations(warp, i, destinations, bytes);
        bool neighbours = ComputeAddresses(warp, i, bytes);
        PendingCopies* copies = warp.BeginCopies(i, destinations);
        if (neighbours && i->List[2] < 0 && i->List[3] < 0 && GlobalSpace.Range(warp, i, warp.Addresses[0], bytes, AccessKind.Load) is var host && host != null)
        {
            for (int lane = 0; lane < Lanes.Count; lane++)
                CopySmall(host + lane * bytes, (byte*)(copies->Data + lane * 2), bytes);
            return i + 1;
        }
        uint ignored = i->List[3] >= 0 ? *(uint*)(r + i->List[3]) : 0;
        uint whole = active & ~ignored;
        for (uint lanes = ignored; lanes != 0; lanes &= lanes - 1)
            copies->Sizes[BitOperations.TrailingZeroCount(lanes)] = 0;
        if (i->List[2] >= 0)
            whole = ReadParts(warp, i, whole, (uint*)(r + i->List[2]), copies);
        if (whole != 0)
        {
            GlobalSpace.Scatter(warp, i, whole, bytes, AccessKind.Load);
            for (uint lanes = whole; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                CopySmall(warp.Host[lane], (byte*)(copies->Data + lane * 2), bytes);
            }
        }
        return i + 1;
    }

    // Copies of lanes that read less than the whole; returns those that read all.
    private static uint ReadParts(Warp warp, Instruction* i, uint active, uint* sizes, PendingCopies* copies)
    {
        uint whole = 0;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            if (sizes[lane] > (uint)i->E)
                throw warp.Fault(i, lane, EmulationFault.OutOfBounds, $"An asynchronous copy of {i->E} bytes is to read {sizes[lane]}");
            copies->Sizes[lane] = (byte)sizes[lane];
            if (sizes[lane] == i->E)
                whole |= 1u << lane;
            else
                ReadPart(warp, i, lane, (int)sizes[lane], (byte*)(copies->Data + lane * 2));
        }
        return whole;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopySmall(byte* from, byte* to, int bytes)
    {
        if (bytes == 16)
            Vector128.Load(from).Store(to);
        else if (bytes == 8)
            *(ulong*)to = *(ulong*)from;
        else
            *(uint*)to = *(uint*)from;
    }

    /// <summary>Closes the active lanes' current group.</summary>
    public static Instruction* CommitCopies(Warp warp, Instruction* i)
    {
        warp.Commit(warp.Active);
        return i + 1;
    }

    /// <summary>Waits until at most E groups are outstanding; -1 for all copies.</summary>
    public static Instruction* WaitCopies(Warp warp, Instruction* i)
    {
        warp.Arrive(i, warp.Active, i->E);
        return i + 1;
    }

    private static void ClaimDestinations(Warp warp, Instruction* i, ulong* destinations, int bytes)
    {
        SharedMemory shared = warp.Block.Shared;
        uint site = (uint)(i - warp.Launch.Program.Code);
        SharedRange range = default;
        warp.Counters?.CountShared(destinations, warp.Active, bytes, false);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong offset = destinations[lane];
            if (!range.Contains(offset, bytes) && !(range = shared.Map.Find(offset)).Contains(offset, bytes))
                throw SharedSpace.OutOfBounds(warp, i, lane, offset, bytes, AccessKind.Store);
            if ((offset & (ulong)(bytes - 1)) != 0)
                throw SharedSpace.Misaligned(warp, i, lane, offset, bytes, AccessKind.Store);
            if (shared.Races is not { } races)
                continue;
            if (!races.TryClaim(warp.Index, lane, (int)offset, bytes, site))
            {
                if (races.Access(warp.Index, lane, (int)offset, bytes, RaceAccess.Write, site) is { } conflict)
                    throw SharedSpace.Race(warp, i, lane, offset, bytes, AccessKind.Store, conflict);
                races.MarkInFlight(warp.Index, lane, (int)offset, bytes, site);
            }
        }
    }

    private static void ReadPart(Warp warp, Instruction* i, int lane, int size, byte* data)
    {
        ulong address = warp.Addresses[lane];
        if (size > 0 && (address & (ulong)(i->E - 1)) != 0)
            throw MemoryAccess.Misaligned(warp, i, lane, "global", address, i->E, AccessKind.Load);
        for (int k = 0; k < size; k++)
        {
            warp.Addresses[lane] = address + (ulong)k;
            GlobalSpace.Scatter(warp, i, 1u << lane, 1, AccessKind.Load);
            data[k] = *warp.Host[lane];
        }
        warp.Addresses[lane] = address;
    }
}
