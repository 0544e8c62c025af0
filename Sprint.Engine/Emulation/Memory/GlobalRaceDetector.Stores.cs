using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// Whether two stores are of the same value. An access is noted before its data is in memory, so each worker shows the others the store that it is
/// making: who is noted second, under the lock of the line, compares with what the first is about to write, or with memory where that has arrived.
/// Nobody waits for anybody.
/// </summary>
internal sealed unsafe partial class GlobalRaceDetector
{
    private PendingStore pending;

    // Odd while a store is noted and its data may not be there yet; each store has its own number.
    private int storing;

    /// <summary>A plain store: each lane's address, and where its data is: registers of the instruction, or one after another where it names none.</summary>
    private struct PendingStore
    {
        public ulong* Addresses;
        public uint Lanes;
        public byte* Data;
        public Instruction* Instruction;
        public int Bytes;

        /// <summary>Copies what the store writes to 16 bytes or fewer from an address on; returns a mask of the bytes that it writes.</summary>
        public readonly uint CopyTo(ulong address, int count, byte* values)
        {
            uint mask = 0;
            for (uint lanes = Lanes; lanes != 0; lanes &= lanes - 1)
            {
                int lane = BitOperations.TrailingZeroCount(lanes);
                ulong start = Addresses[lane];
                if (start >= address + (ulong)count || address >= start + (ulong)Bytes)
                    continue;
                for (int k = 0; k < count; k++)
                {
                    ulong at = address + (ulong)k - start;
                    if (at >= (ulong)Bytes)
                        continue;
                    values[k] = ByteOf(lane, (int)at);
                    mask |= 1u << k;
                }
            }
            return mask;
        }

        private readonly byte ByteOf(int lane, int at)
        {
            int register = Instruction->B;
            if (register == 0)
                return Data[lane * Bytes + at];
            int element = Bytes / Instruction->Count;
            int slot = Instruction->Count == 1 ? Instruction->D : Instruction->List[at / element];
            return Data[slot + lane * register + at % element];
        }
    }

    /// <summary>A plain store begins, before any of its accesses is noted.</summary>
    public void BeginStore(Warp warp, Instruction* instruction, int bytes)
    {
        pending.Addresses = warp.Addresses;
        pending.Lanes = warp.Active;
        pending.Data = instruction->B == 0 ? warp.Staged : warp.Registers;
        pending.Instruction = instruction;
        pending.Bytes = bytes;
        Volatile.Write(ref storing, storing | 1);
    }

    /// <summary>The data of a plain store is in memory.</summary>
    public void EndStore()
    {
        if ((storing & 1) == 0)
            return;
        Volatile.Write(ref storing, storing + 1);
        // Before registers change that others may still be reading as this store's.
        Volatile.WriteBarrier();
    }

    /// <summary>Whether the store in progress writes to a record's bytes, whose line is locked, what the store of an entry wrote there, or is about to write.</summary>
    private bool IsSameStore(ulong entry, RaceRecord* record)
    {
        ulong address = lineAddress + (ulong)record->First;
        int count = record->End - record->First;
        byte* mine = stackalloc byte[RaceShadow.LineBytes], others = stackalloc byte[RaceShadow.LineBytes];
        uint written = 0;
        GlobalRaceDetector? other = launch.FindRaceDetector(RaceEntry.Block(entry));
        if (other is not null && !ReferenceEquals(other, this))
            written = other.CopyPending(RaceEntry.Block(entry), address, count, others);
        uint own = pending.CopyTo(address, count, mine);
        for (int k = 0; k < count; k++)
        {
            byte value = (written >> k & 1) != 0 ? others[k] : lineHost[record->First + k];
            if ((own >> k & 1) == 0 || value != mine[k])
                return false;
        }
        return true;
    }

    /// <summary>Whether a lane stores to some bytes, 16 or fewer, what lanes before it in the store in progress have for them, or memory where none has.</summary>
    public bool IsSameStore(int lane, ulong address, int count, MemoryAllocation allocation)
    {
        byte* mine = stackalloc byte[16], others = stackalloc byte[16];
        PendingStore store = pending;
        store.Lanes = pending.Lanes & (1u << lane) - 1;
        uint before = store.CopyTo(address, count, others);
        store.Lanes = 1u << lane;
        uint own = store.CopyTo(address, count, mine);
        for (int k = 0; k < count; k++)
        {
            byte value = (before >> k & 1) != 0 ? others[k] : allocation.Host[address - allocation.Start + (ulong)k];
            if ((own >> k & 1) != 0 && value != mine[k])
                return false;
        }
        return true;
    }

    // For other workers: a mask of the bytes that a store in progress of a block writes, and its values; nothing once the data is in memory.
    private uint CopyPending(uint block, ulong address, int count, byte* values)
    {
        int turn = Volatile.Read(ref storing);
        if ((turn & 1) == 0 || Block != block)
            return 0;
        PendingStore store = pending;
        Volatile.ReadBarrier();
        if (Volatile.Read(ref storing) != turn)
            return 0;
        // All that it points to is kept until the launch ends.
        uint mask = store.CopyTo(address, count, values);
        Volatile.ReadBarrier();
        return Volatile.Read(ref storing) == turn ? mask : 0;
    }
}
