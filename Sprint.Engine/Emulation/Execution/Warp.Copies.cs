using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>The asynchronous copies of one instruction that have not arrived: for each lane its group, destination and data.</summary>
internal unsafe struct PendingCopies
{
    /// <summary>Lanes whose copy has not arrived.</summary>
    public uint Lanes;

    /// <summary>Bytes of each copy.</summary>
    public int Bytes;

    public fixed int Groups[32];

    public fixed int Offsets[32];

    public fixed ulong Data[64];
}

/// <summary>Asynchronous copies: each thread commits its own into groups, and the data arrives when the thread waits for the group.</summary>
internal sealed unsafe partial class Warp : IDisposable
{
    private readonly int[] groups = new int[32];
    private PendingCopies* copies = (PendingCopies*)NativeMemory.Alloc(4, (nuint)sizeof(PendingCopies));
    private int copyCount;
    private int copyCapacity = 4;

    /// <summary>Notes copies that begin: their data is in <see cref="PendingCopies.Data"/> of what is returned, for the caller to fill.</summary>
    public PendingCopies* BeginCopies(uint lanes, int bytes, ulong* destinations)
    {
        if (copyCount == copyCapacity)
        {
            copyCapacity *= 2;
            this.copies = (PendingCopies*)NativeMemory.Realloc(this.copies, (nuint)copyCapacity * (nuint)sizeof(PendingCopies));
        }
        PendingCopies* copies = this.copies + copyCount++;
        copies->Lanes = lanes;
        copies->Bytes = bytes;
        for (int lane = 0; lane < 32; lane++)
        {
            copies->Groups[lane] = groups[lane];
            copies->Offsets[lane] = (int)destinations[lane];
        }
        new Span<ulong>(copies->Data, 64).Clear();
        return copies;
    }

    public void Commit(uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
            groups[BitOperations.TrailingZeroCount(rest)]++;
    }

    /// <summary>Delivers the active lanes' copies of all groups but the newest <paramref name="outstanding"/>; with -1 also the uncommitted ones.</summary>
    public void Arrive(uint lanes, int outstanding)
    {
        int kept = 0;
        for (int k = 0; k < copyCount; k++)
        {
            PendingCopies* copies = this.copies + k;
            Deliver(copies, lanes & copies->Lanes, outstanding);
            if (copies->Lanes == 0)
                continue;
            if (kept != k)
                this.copies[kept] = *copies;
            kept++;
        }
        copyCount = kept;
    }

    public void Dispose()
    {
        Free();
        LaneRaces?.Dispose();
        for (Frame? frame = this.frame; frame is not null; frame = frame.Parent)
            frame.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(copies);
        copies = null;
        NativeMemory.AlignedFree(Addresses);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Deliver(PendingCopies* copies, uint lanes, int outstanding)
    {
        SharedMemory shared = Block.Shared;
        int bytes = copies->Bytes;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (copies->Groups[lane] >= groups[lane] - outstanding)
                continue;
            copies->Lanes &= ~(1u << lane);
            int offset = copies->Offsets[lane];
            byte* data = (byte*)(copies->Data + lane * 2);
            if (bytes == 16)
            {
                Vector128.Load(data).Store(shared.Bytes + offset);
                Vector128<byte>.One.Store(shared.Initialised + offset);
            }
            else
            {
                Buffer.MemoryCopy(data, shared.Bytes + offset, bytes, bytes);
                MemoryAccess.Mark(shared.Initialised + offset, bytes, 1);
            }
            shared.Races?.MarkArrived(Index, lane, offset, bytes);
        }
    }

    private void ResetSynchronization()
    {
        Array.Clear(groups);
        copyCount = 0;
    }
}
