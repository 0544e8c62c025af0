using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Undefined values that a warp has met, which are followed from there on to the end of its block.</summary>
internal sealed unsafe partial class Warp
{
    /// <summary>Whether undefined values are followed.</summary>
    public bool FollowsUndefined;

    private UndefinedTracker? undefined;

    /// <summary>Goes on behind a shuffle some of whose results may be undefined.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="sources">The lane that each active lane has read.</param>
    /// <param name="absent">Lanes that read one that does not take part.</param>
    public Instruction* FollowShuffle(Instruction* shuffle, int* sources, uint absent)
    {
        undefined ??= new UndefinedTracker(this);
        bool follows = FollowsUndefined;
        if (!follows)
            undefined.Reset();
        FollowsUndefined = true;
        undefined.NoteShuffle(shuffle, sources, absent);
        return follows ? shuffle + 1 : undefined.Run(shuffle + 1);
    }

    /// <summary>Faults if a lane prints an undefined value.</summary>
    public void CheckPrinted(Instruction* call, int lane, ulong address, int bytes)
    {
        if (FollowsUndefined)
            undefined!.CheckLocal(call, lane, address, bytes);
    }
}
