using System.Numerics;
using System.Runtime.CompilerServices;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Control flow: block entries, guards, branches, calls, ends.</summary>
internal static unsafe partial class Handlers
{
    private const int MaximumCallDepth = 256;

    /// <summary>Entry of a basic block (D: its number, E: its instructions): yields when the slice is used up, reconverges, counts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* EnterBlock(Warp warp, Instruction* i)
    {
        if (warp.Slice <= 0)
        {
            warp.Push(i, warp.Active, WaitKind.None, 0);
            return null;
        }
        if (warp.PendingCount != 0)
        {
            i = warp.Reconverge(i);
            if (i->IsEntry == 0)
                return i;
        }
        warp.Slice -= i->E;
        long* counts = warp.BlockCounts + i->D * 2;
        counts[0]++;
        counts[1] += BitOperations.PopCount(warp.Active);
        return i + 1;
    }

    /// <summary>Executes the next operation for the active lanes whose predicate A holds (E: negated, D: counter).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Guard(Warp warp, Instruction* i)
    {
        uint active = warp.Active;
        uint effective = active & (*(uint*)(warp.Registers + i->A) ^ (uint)i->E);
        if (effective == 0)
            return i + 2;
        long* counts = warp.GuardCounts + i->D * 2;
        counts[0]++;
        counts[1] += BitOperations.PopCount(effective);
        warp.Active = effective;
        (i + 1)->Handler(warp, i + 1);
        warp.Active = active;
        return i + 2;
    }

    /// <summary>Goes to the target.</summary>
    public static Instruction* Jump(Warp warp, Instruction* i) => i->Target;

    /// <summary>Active lanes whose predicate A holds (E: negated) go to the target, the others on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Branch(Warp warp, Instruction* i)
    {
        uint active = warp.Active;
        uint taken = active & (*(uint*)(warp.Registers + i->A) ^ (uint)i->E);
        if (warp.Counters is { } counters)
        {
            counters.Branches++;
            counters.DivergentBranches += taken != 0 && taken != active ? 1 : 0;
        }
        if (taken == 0)
            return i + 1;
        if (taken != active)
        {
            warp.Push(i->Target, taken, WaitKind.None, 0);
            warp.Active = active & ~taken;
            return i + 1;
        }
        return i->Target;
    }

    /// <summary>Goes to the target that index A selects; List holds the operation number of every target relative to this one.</summary>
    public static Instruction* BranchTable(Warp warp, Instruction* i)
    {
        uint* index = (uint*)(warp.Registers + i->A);
        uint rest = warp.Active;
        if (warp.Counters is { } counters)
            counters.Branches++;
        bool diverged = false;
        while (true)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            uint chosen = index[lane];
            if (chosen >= (uint)i->Count)
                throw warp.Fault(i, lane, EmulationFault.OutOfBounds, $"A branch by index {chosen} into a table of {i->Count} targets");
            uint same = 0;
            for (uint lanes = rest; lanes != 0; lanes &= lanes - 1)
            {
                int other = BitOperations.TrailingZeroCount(lanes);
                same |= i->List[index[other]] == i->List[chosen] ? 1u << other : 0;
            }
            Instruction* target = i + i->List[chosen];
            rest &= ~same;
            if (rest == 0)
            {
                if (diverged && warp.Counters is { } access)
                    access.DivergentBranches++;
                warp.Active = same;
                return target;
            }
            diverged = true;
            warp.Push(target, same, WaitKind.None, 0);
        }
    }

    /// <summary>Ends the active threads.</summary>
    public static Instruction* Exit(Warp warp, Instruction* i)
    {
        warp.Exit(warp.Active);
        return warp.AfterExit();
    }

    /// <summary>Calls the function in <see cref="Instruction.E"/>; List holds pairs of parameter slots: arguments, then results.</summary>
    public static Instruction* Call(Warp warp, Instruction* i) => EnterFunction(warp, i, i->E, warp.Active);

    /// <summary>Calls the function whose address register A holds, which may differ between lanes; List has slots, then sizes.</summary>
    public static Instruction* CallIndirect(Warp warp, Instruction* i)
    {
        ulong* addresses = (ulong*)(warp.Registers + i->A);
        int lane = Warp.LowestLane(warp.Active);
        ulong address = addresses[lane];
        ulong number = (address - MemoryWindows.Function) / MemoryWindows.FunctionStride;
        IReadOnlyList<DecodedFunction?> functions = warp.Launch.Program.Functions;
        if (address < MemoryWindows.Function || number >= (ulong)functions.Count || functions[(int)number] is not { } callee)
            throw warp.Fault(i, lane, EmulationFault.OutOfBounds, $"A call to 0x{address:X}, which is no function's address");
        if (!Fits(callee, i))
            throw warp.Fault(i, lane, EmulationFault.Unsupported, $"An indirect call passes {i->Count} parameters and results that do not fit those of {callee.Syntax.Name}");
        uint same = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int other = BitOperations.TrailingZeroCount(lanes);
            same |= addresses[other] == address ? 1u << other : 0;
        }
        if (same != warp.Active)
            warp.Push(i, warp.Active & ~same, WaitKind.None, 0);
        warp.Active = same;
        return EnterFunction(warp, i, (int)number, same);
    }

    /// <summary>Returns the active lanes to their caller, or ends them.</summary>
    public static Instruction* Return(Warp warp, Instruction* i)
    {
        Frame frame = warp.Frame;
        if (frame.Parent is not { } parent)
            return Exit(warp, i);
        uint lanes = warp.Active;
        DecodedFunction function = frame.Function;
        int arguments = function.Parameters.Length;
        for (int k = 0; k < function.Results.Length; k++)
            CopyParameter(frame.Registers, function.Results[k], parent.Registers, frame.Call->List[arguments + k], lanes);
        frame.Live &= ~lanes;
        if (frame.Live == 0)
        {
            Instruction* next = frame.Return;
            warp.Block.Return(frame);
            warp.Enter(parent);
            return next;
        }
        warp.Push(frame.Return, parent, lanes, WaitKind.None, 0);
        return warp.SelectNext();
    }

    /// <summary>Raises the fault of <c>trap</c>; E: 1 where the code asks for the grid's workspace, which cooperative groups trap without.</summary>
    public static Instruction* Trap(Warp warp, Instruction* i)
        => throw (i->E == 0 || warp.Launch.GridWorkspace != 0
            ? warp.Fault(i, Warp.LowestLane(warp.Active), EmulationFault.Trap, "The kernel executed trap")
            : warp.Fault(i, Warp.LowestLane(warp.Active), EmulationFault.Launch, "The kernel executed trap, as grid.sync() does without a cooperative launch"));

    /// <summary>Refuses what the decoder could not decode; F is the number of the reason.</summary>
    public static Instruction* Refuse(Warp warp, Instruction* i)
        => throw warp.Fault(i, Warp.LowestLane(warp.Active), EmulationFault.Unsupported, warp.Launch.Program.Refusals[i->F]);

    private static bool Fits(DecodedFunction callee, Instruction* call)
    {
        if (callee.Parameters.Length + callee.Results.Length != call->Count)
            return false;
        for (int k = 0; k < call->Count; k++)
        {
            FrameParameter expected = k < callee.Parameters.Length ? callee.Parameters[k] : callee.Results[k - callee.Parameters.Length];
            if (expected.Size != call->List[call->Count + k])
                return false;
        }
        return true;
    }

    private static Instruction* EnterFunction(Warp warp, Instruction* i, int number, uint lanes)
    {
        DecodedFunction callee = warp.Launch.Program.Functions[number]!;
        Frame caller = warp.Frame;
        int localBase = caller.LocalBase + caller.Function.LocalBytes;
        if (caller.Depth >= MaximumCallDepth || localBase + callee.LocalBytes > warp.Launch.LocalBytes)
        {
            throw warp.Fault(i, Warp.LowestLane(lanes), EmulationFault.StackOverflow,
                $"Calls nest {caller.Depth + 1} deep with {localBase + callee.LocalBytes} bytes of local memory; at most {MaximumCallDepth} calls and {warp.Launch.LocalBytes} bytes are there");
        }
        Frame frame = warp.Block.Rent(callee) ?? throw warp.Fault(i, Warp.LowestLane(lanes), EmulationFault.StackOverflow,
            $"The registers of nested calls take too much memory, {caller.Depth + 1} deep");
        frame.Parent = caller;
        frame.Call = i;
        frame.Return = i + 1;
        frame.Depth = caller.Depth + 1;
        frame.LocalBase = localBase;
        frame.Live = lanes;
        frame.Prepare(warp);
        warp.Block.ForgetLocal(warp.Index, lanes, localBase, callee.LocalBytes);
        for (int k = 0; k < callee.Parameters.Length; k++)
            CopyParameter(caller.Registers, new FrameParameter(i->List[k], callee.Parameters[k].Size), frame.Registers, callee.Parameters[k].Offset, lanes);
        warp.Enter(frame);
        return callee.Entry;
    }

    private static void CopyParameter(byte* from, FrameParameter source, byte* to, int destination, uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            Buffer.MemoryCopy(from + source.Offset + lane * source.Size, to + destination + lane * source.Size, source.Size, source.Size);
        }
    }
}
