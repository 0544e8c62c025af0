using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>The asynchronous copies of one instruction that have not arrived: for each lane its group, destination and data.</summary>
internal unsafe struct PendingCopies
{
    /// <summary>Lanes whose copy has not arrived.</summary>
    public uint Lanes;

    /// <summary>Bytes of each copy.</summary>
    public int Bytes;

    /// <summary>The instruction.</summary>
    public Instruction* Copy;

    /// <summary>The warp's clock when they began.</summary>
    public uint Clock;

    /// <summary>How many bytes each lane reads from its source; the rest of what it copies are zeros.</summary>
    public fixed byte Sizes[32];

    public fixed ulong Sources[32];

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

    /// <summary>Notes copies that the active lanes begin from <see cref="Addresses"/>: their data is in <see cref="PendingCopies.Data"/> of what is returned, for the caller to fill.</summary>
    public PendingCopies* BeginCopies(Instruction* copy, ulong* destinations)
    {
        if (copyCount == copyCapacity)
        {
            copyCapacity *= 2;
            this.copies = (PendingCopies*)NativeMemory.Realloc(this.copies, (nuint)copyCapacity * (nuint)sizeof(PendingCopies));
        }
        PendingCopies* copies = this.copies + copyCount++;
        copies->Lanes = Active;
        copies->Bytes = copy->E;
        copies->Copy = copy;
        copies->Clock = Block.Clocks?.Clocks[Index] ?? 0;
        groups.AsSpan().CopyTo(new Span<int>(copies->Groups, 32));
        for (int lane = 0; lane < 32; lane++)
            copies->Offsets[lane] = (int)destinations[lane];
        new Span<byte>(copies->Sizes, 32).Fill((byte)copy->E);
        new Span<ulong>(Addresses, 32).CopyTo(new Span<ulong>(copies->Sources, 32));
        new Span<ulong>(copies->Data, 64).Clear();
        return copies;
    }

    public void Commit(uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
            groups[BitOperations.TrailingZeroCount(rest)]++;
    }

    /// <summary>Delivers the active lanes' copies of all groups but the newest <paramref name="outstanding"/>; with -1 also the uncommitted ones.</summary>
    /// <exception cref="EmulationException">Something else was stored to what they read.</exception>
    public void Arrive(Instruction* wait, uint lanes, int outstanding)
    {
        int kept = 0;
        for (int k = 0; k < copyCount; k++)
        {
            PendingCopies* copies = this.copies + k;
            uint ended = lanes & copies->Lanes & EndedGroups(copies, outstanding);
            if (ended != 0)
            {
                GlobalSpace.EndCopies(this, wait, copies, ended);
                Deliver(copies, ended);
            }
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

    // Lanes whose group is none of the newest.
    private uint EndedGroups(PendingCopies* copies, int outstanding)
    {
        uint ended = 0;
        for (int k = 0; k < 32; k += 16)
        {
            Vector512<int> limit = Vector512.LoadUnsafe(ref groups[k]) - Vector512.Create(outstanding);
            ended |= (uint)Vector512.LessThan(Vector512.Load(copies->Groups + k), limit).ExtractMostSignificantBits() << k;
        }
        return ended;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Deliver(PendingCopies* copies, uint lanes)
    {
        SharedMemory shared = Block.Shared;
        int bytes = copies->Bytes;
        copies->Lanes &= ~lanes;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
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
