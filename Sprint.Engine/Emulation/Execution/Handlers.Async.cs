using System.Numerics;
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
        UInt128* data = stackalloc UInt128[Lanes.Count];
        Instruction destination = *i;
        destination.A = i->B;
        destination.C = i->List[0];
        destination.Immediate = i->List[1];
        ComputeAddresses(warp, &destination, bytes);
        new Span<ulong>(warp.Addresses, 32).CopyTo(new Span<ulong>(destinations, 32));
        ClaimDestinations(warp, i, destinations, bytes);
        ComputeAddresses(warp, i, bytes);
        uint ignored = i->List[3] >= 0 ? *(uint*)(r + i->List[3]) : 0;
        uint whole = 0;
        for (uint lanes = active & ~ignored; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            uint size = i->List[2] >= 0 ? ((uint*)(r + i->List[2]))[lane] : (uint)bytes;
            if (size > (uint)bytes)
                throw warp.Fault(i, lane, EmulationFault.OutOfBounds, $"An asynchronous copy of {bytes} bytes is to read {size}");
            if (size == bytes)
                whole |= 1u << lane;
            else
                ReadPart(warp, i, lane, (int)size, (byte*)(data + lane));
        }
        if (whole != 0)
        {
            GlobalSpace.Scatter(warp, i, whole, bytes, AccessKind.Load);
            for (uint lanes = whole; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                Buffer.MemoryCopy(warp.Host[lane], data + lane, 16, bytes);
            }
        }
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            warp.PendingCopies.Add(new PendingCopy(lane, warp.GroupOf(lane), (int)destinations[lane], bytes, data[lane]));
        }
        return i + 1;
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
        warp.Arrive(warp.Active, i->E);
        return i + 1;
    }

    private static void ClaimDestinations(Warp warp, Instruction* i, ulong* destinations, int bytes)
    {
        SharedMemory shared = warp.Block.Shared;
        uint site = (uint)(i - warp.Launch.Program.Code);
        warp.Counters?.CountShared(destinations, warp.Active, bytes);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong offset = destinations[lane];
            if (offset > (ulong)shared.Size || (ulong)shared.Size - offset < (ulong)bytes)
                throw SharedSpace.OutOfBounds(warp, i, lane, offset, bytes, AccessKind.Store);
            if ((offset & (ulong)(bytes - 1)) != 0)
                throw MemoryAccess.Misaligned(warp, i, lane, "shared", offset, bytes, AccessKind.Store);
            if (shared.Races is not { } races)
                continue;
            if (races.Access(warp.Index, lane, (int)offset, bytes, RaceAccess.Write, site) is { } conflict)
                throw SharedSpace.Race(warp, i, lane, offset, bytes, AccessKind.Store, conflict);
            races.MarkInFlight(warp.Index, lane, (int)offset, bytes, site);
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
