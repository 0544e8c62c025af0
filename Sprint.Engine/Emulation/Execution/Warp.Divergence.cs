using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Why a group of lanes does not run.</summary>
internal enum WaitKind
{
    /// <summary>It could run.</summary>
    None,

    /// <summary>It waits for other lanes of its warp to come to the same instruction.</summary>
    Lanes,

    /// <summary>It waits at a barrier of the block.</summary>
    Barrier,
}

/// <summary>Lanes of a warp that are at the same instruction of the same activation.</summary>
internal unsafe struct LaneGroup
{
    public Instruction* Pc;
    public Frame Frame;
    public uint Mask;
    public WaitKind Wait;

    /// <summary>The lanes waited for, or the barrier's number.</summary>
    public uint Required;
}

/// <summary>
/// Divergence. A warp is a set of lane groups, of which one runs. At every basic block the group whose block comes first
/// runs on, in an order that puts loop bodies before what follows the loop (Bourdoncle's weak topological order), and groups
/// that meet merge: that is reconvergence as early as the flow allows. Now and then another group is drawn, so that lanes
/// that wait for each other in loops all make progress, as threads are promised since compute capability 7.0.
/// </summary>
internal sealed unsafe partial class Warp
{
    private const int RotationInterval = 1024;

    private readonly LaneGroup[] pending = new LaneGroup[34];
    private int rotation;
    private int stay;

    /// <summary>The groups that do not run.</summary>
    public ReadOnlySpan<LaneGroup> Pending => pending.AsSpan(0, PendingCount);

    /// <summary>Whether the warp has anything to execute.</summary>
    public bool CanRun
    {
        get
        {
            for (int k = 0; k < PendingCount; k++)
            {
                if (IsRunnable(ref pending[k]))
                    return true;
            }
            return false;
        }
    }

    /// <summary>Sets lanes of the current frame aside.</summary>
    public void Push(Instruction* pc, uint mask, WaitKind wait, uint required) => Push(pc, frame, mask, wait, required);

    public void Push(Instruction* pc, Frame frame, uint mask, WaitKind wait, uint required)
        => pending[PendingCount++] = new LaneGroup { Pc = pc, Frame = frame, Mask = mask, Wait = wait, Required = required };

    /// <summary>Called at the entry of a basic block while groups are pending: merges, then picks who runs on.</summary>
    public Instruction* Reconverge(Instruction* entry)
    {
        Merge(entry);
        if (PendingCount == 0)
            return entry;
        if (stay > 0)
        {
            stay--;
            return entry;
        }
        if (--rotation <= 0)
        {
            rotation = RotationInterval / 4 + (int)(Block.NextRandom() % RotationInterval);
            stay = RotationInterval / 8;
            Push(entry, Active, WaitKind.None, 0);
            return LoadGroup(DrawRunnable());
        }
        int best = BestRunnable();
        if (best < 0 || !Precedes(ref pending[best], entry, frame))
            return entry;
        Push(entry, Active, WaitKind.None, 0);
        return LoadGroup(best);
    }

    /// <summary>Goes on with the group whose turn it is; null if none can run.</summary>
    public Instruction* SelectNext()
    {
        int best = BestRunnable();
        return best < 0 ? null : LoadGroup(best);
    }

    /// <summary>
    /// Makes sure that lanes arrive at an instruction together. Returns true when all required ones are active; otherwise
    /// the active lanes were set aside and <paramref name="next"/> is what the warp does instead.
    /// </summary>
    public bool Gather(Instruction* instruction, uint required, out Instruction* next)
    {
        Merge(instruction);
        next = null;
        required &= Live;
        if ((required & ~Active) == 0)
            return true;
        Push(instruction, Active, WaitKind.Lanes, required);
        next = SelectNext();
        if (next == null)
            CheckLaneDeadlock();
        return false;
    }

    /// <summary>Ends lanes; returns true when no active lane is left.</summary>
    public bool Exit(uint mask)
    {
        Exited |= mask;
        for (Frame? frame = this.frame; frame is not null; frame = frame.Parent)
            frame.Live &= ~mask;
        Active &= ~mask;
        return Active == 0;
    }

    /// <summary>Goes on after the active lanes have vanished: to another group, or out of the warp.</summary>
    public Instruction* AfterExit()
    {
        Instruction* next = SelectNext();
        if (next == null)
            CheckLaneDeadlock();
        return next;
    }

    /// <summary>Enters a new activation of a function.</summary>
    public void Enter(Frame frame)
    {
        this.frame = frame;
        Registers = frame.Registers;
    }

    /// <summary>Lets the groups that wait at a barrier go on behind it.</summary>
    public void Release(uint barrier)
    {
        for (int k = 0; k < PendingCount; k++)
        {
            ref LaneGroup group = ref pending[k];
            if (group.Wait == WaitKind.Barrier && group.Required == barrier)
            {
                group.Wait = WaitKind.None;
                group.Pc++;
            }
        }
    }

    // A block's schedule is its own, whatever blocks the worker executed before.
    private void ResetRotation()
    {
        rotation = RotationInterval;
        stay = 0;
    }

    private bool IsRunnable(ref LaneGroup group) => group.Wait switch
    {
        WaitKind.None => true,
        WaitKind.Lanes => (group.Required & Live & ~group.Mask) == 0,
        _ => false,
    };

    private static bool Precedes(ref LaneGroup group, Instruction* pc, Frame frame)
        => group.Frame.Depth != frame.Depth ? group.Frame.Depth > frame.Depth : group.Pc->Order < pc->Order;

    private int BestRunnable()
    {
        int best = -1;
        for (int k = 0; k < PendingCount; k++)
        {
            if (IsRunnable(ref pending[k]) && (best < 0 || Precedes(ref pending[k], pending[best].Pc, pending[best].Frame)))
                best = k;
        }
        return best;
    }

    private int DrawRunnable()
    {
        int start = (int)(Block.NextRandom() % (uint)PendingCount);
        while (!IsRunnable(ref pending[start]))
            start = (start + 1) % PendingCount;
        return start;
    }

    private void Merge(Instruction* pc)
    {
        for (int k = PendingCount - 1; k >= 0; k--)
        {
            ref LaneGroup group = ref pending[k];
            if (group.Pc == pc && group.Wait != WaitKind.Barrier && CanJoin(group.Frame, frame, group.Mask))
            {
                JoinFrames(group.Frame, frame, group.Mask);
                Active |= group.Mask;
                Remove(k);
            }
        }
    }

    // Lanes that called the same function from the same place one after another meet in it again, if all of them are here.
    private static bool CanJoin(Frame? from, Frame? to, uint lanes)
    {
        if (ReferenceEquals(from, to))
            return true;
        return from is not null && to is not null && ReferenceEquals(from.Function, to.Function) && from.Call == to.Call
            && from.Depth == to.Depth && from.Live == lanes && CanJoin(from.Parent, to.Parent, lanes);
    }

    private void JoinFrames(Frame from, Frame to, uint lanes)
    {
        while (!ReferenceEquals(from, to))
        {
            to.Absorb(from, lanes);
            Frame next = from.Parent!;
            Block.Return(from);
            from = next;
            to = to.Parent!;
        }
    }

    private Instruction* LoadGroup(int index)
    {
        LaneGroup group = pending[index];
        Remove(index);
        Active = group.Mask;
        Enter(group.Frame);
        return group.Pc;
    }

    private void Remove(int index)
    {
        pending[index] = pending[--PendingCount];
        pending[PendingCount] = default;
    }

    // Only lanes of the same warp can free lanes that wait for lanes; at a barrier of the block others can.
    private void CheckLaneDeadlock()
    {
        bool atBarrier = false;
        for (int k = 0; k < PendingCount; k++)
            atBarrier |= pending[k].Wait == WaitKind.Barrier;
        if (PendingCount > 0 && !atBarrier)
            throw DescribeStuckLanes();
    }

    /// <summary>The error of lanes that wait for lanes which never come.</summary>
    public EmulationException DescribeStuckLanes()
    {
        List<string> waits = [];
        EmulationFault fault = EmulationFault.WarpSynchronization;
        int first = 0;
        for (int k = 0; k < PendingCount; k++)
        {
            ref LaneGroup group = ref pending[k];
            Parsing.PtxInstruction? source = NearestInfo(Launch.Program, group.Pc).Source;
            string name = source?.Name ?? "?";
            if (name is "bar" or "barrier" && !source!.Has("warp"))
                fault = EmulationFault.BarrierDivergence;
            if (LowestLane(group.Mask) < LowestLane(pending[first].Mask))
                first = k;
            uint missing = group.Wait == WaitKind.Lanes ? group.Required & Live & ~group.Mask : 0;
            waits.Add($"{Lanes.Describe(group.Mask)} at {name} ({Place(group.Pc)}) for {(missing == 0 ? "the block" : Lanes.Describe(missing))}");
        }
        string what = fault == EmulationFault.BarrierDivergence
            ? "A barrier under divergence: the lanes of a warp wait at different places"
            : "A warp-wide instruction waits for lanes that never come to it";
        return Fault(pending[first].Pc, LowestLane(pending[first].Mask), fault, $"{what}: {string.Join("; ", waits)}");
    }
}
