using System.Numerics;
using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>One thread's asynchronous copy that has not arrived.</summary>
internal readonly record struct PendingCopy(int Lane, int Group, int Offset, int Bytes, UInt128 Data);

/// <summary>Asynchronous copies: each thread commits its own into groups, and the data arrives when the thread waits for the group.</summary>
internal sealed unsafe partial class Warp : IDisposable
{
    private readonly int[] _groups = new int[32];

    public List<PendingCopy> PendingCopies { get; }

    /// <summary>The group that a lane's next copy belongs to.</summary>
    public int GroupOf(int lane) => _groups[lane];

    public void Commit(uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
            _groups[BitOperations.TrailingZeroCount(rest)]++;
    }

    /// <summary>Delivers the active lanes' copies of all groups but the newest <paramref name="outstanding"/>; with -1 also the uncommitted ones.</summary>
    public void Arrive(uint lanes, int outstanding)
    {
        SharedMemory shared = Block.Shared;
        int kept = 0;
        for (int k = 0; k < PendingCopies.Count; k++)
        {
            PendingCopy copy = PendingCopies[k];
            bool arrives = (lanes >> copy.Lane & 1) != 0 && copy.Group < _groups[copy.Lane] - outstanding;
            if (!arrives)
            {
                PendingCopies[kept++] = copy;
                continue;
            }
            UInt128 data = copy.Data;
            Buffer.MemoryCopy(&data, shared.Bytes + copy.Offset, copy.Bytes, copy.Bytes);
            NativeMemory.Fill(shared.Initialised + copy.Offset, (nuint)copy.Bytes, 1);
            shared.Races?.MarkArrived(Index, copy.Lane, copy.Offset, copy.Bytes);
        }
        PendingCopies.RemoveRange(kept, PendingCopies.Count - kept);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Addresses);
        for (Frame? frame = _frame; frame is not null; frame = frame.Parent)
            frame.Dispose();
        GC.SuppressFinalize(this);
    }

    private void ResetSynchronization() => Array.Clear(_groups);
}
