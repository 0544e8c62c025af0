using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>
/// Follows undefined values through the registers, the local memory and the calls of one warp, from the shuffle that read a lane which does not
/// take part to their use. A warp that has met none runs without. Every lane of a register has a number, 0 where it is defined, of the origin of
/// its value; an instruction gives its targets the largest of its sources.
/// </summary>
internal sealed unsafe partial class UndefinedTracker(Warp warp)
{
    private readonly UndefinedStep?[] steps = warp.Launch.Program.UndefinedFlow.Steps;
    private readonly UndefinedBytes local = new();

    /// <summary>Forgets the previous block.</summary>
    public void Reset() => local.Clear();

    /// <summary>Executes until the warp stops, as the null says that is given back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Instruction* Run(Instruction* i)
    {
        Instruction* code = warp.Launch.Program.Code;
        while (i != null)
        {
            UndefinedStep? step = steps[i - code];
            if (step is not null)
                Follow(step, i);
            if (step is { Rule: UndefinedRule.Call })
                i = Call(i);
            else
                i = i->Handler(warp, i);
        }
        return null;
    }

    /// <summary>Faults if a lane's bytes in its own memory hold an undefined value.</summary>
    public void CheckLocal(Instruction* i, int lane, ulong address, int bytes)
    {
        if (IsLocal(address) && local.Find(lane, address - MemoryWindows.Local, bytes) is > 0 and ushort origin)
            throw Fault(i, lane, origin, "prints it");
    }

    private void Follow(UndefinedStep step, Instruction* i)
    {
        Frame frame = warp.Frame;
        ushort* origins = frame.Origins;
        uint lanes = warp.Active;
        if (step.Guard >= 0)
        {
            Check(step, i, origins, step.Guard, lanes);
            uint guard = Predicate(frame, step.Guard);
            lanes &= step.Instruction!.GuardNegated ? ~guard : guard;
            if (lanes == 0)
                return;
            i += step.ElementBytes > 0 ? 1 : 0;
        }
        foreach (int register in step.Used)
            Check(step, i, origins, register, lanes);
        switch (step.Rule)
        {
            case UndefinedRule.PassOn:
                PassOn(step, origins, lanes);
                break;
            case UndefinedRule.Select:
                uint chosen = Predicate(frame, step.Instruction!.Operands[3]);
                Vector512<ushort> choice = Vector512.ConditionalSelect(Lanes.Mask<ushort>(chosen, 0), Of(origins, step.Sources[0]), Of(origins, step.Sources[1]));
                Set(origins, step.Targets, lanes, Vector512.Max(choice, Of(origins, step.Sources[2])));
                break;
            case UndefinedRule.Logic:
                SetLogic(step, frame, origins, lanes);
                break;
            case UndefinedRule.Pack:
                Pack(step, origins, lanes);
                break;
            case UndefinedRule.Unpack:
                Unpack(step, origins, lanes);
                break;
            case UndefinedRule.Halves:
                PassOnHalves(step, origins, lanes);
                break;
            case UndefinedRule.Load:
                Load(step, i, origins, lanes);
                break;
            case UndefinedRule.Store:
                Store(step, i, origins, lanes);
                break;
            case UndefinedRule.LoadArgument:
                for (int k = 0; k < step.Targets.Length; k++)
                    LoadBytes(frame.ArgumentOrigins, origins, step.Targets[k], lanes, null, (ulong)(i->A + i->Immediate + k * step.ElementBytes), step.ElementBytes);
                break;
            case UndefinedRule.StoreArgument:
                for (int k = 0; k < step.Sources.Length; k++)
                    StoreBytes(frame.ArgumentOrigins, origins, step.Sources[k], lanes, null, (ulong)(i->A + i->Immediate + k * step.ElementBytes), step.ElementBytes);
                break;
            case UndefinedRule.CallRuntime:
                CheckArguments(frame, i, lanes);
                break;
            case UndefinedRule.Return when frame.Parent is { } parent:
                DecodedFunction function = frame.Function;
                for (int k = 0; k < function.Results.Length; k++)
                    parent.ArgumentOrigins.Copy(lanes, (ulong)frame.Call->List[function.Parameters.Length + k], frame.ArgumentOrigins, (ulong)function.Results[k].Offset, function.Results[k].Size);
                break;
        }
    }

    private void PassOn(UndefinedStep step, ushort* origins, uint lanes)
    {
        Vector512<ushort> all = Vector512<ushort>.Zero;
        foreach (int register in step.Sources)
            all = Vector512.Max(all, Vector512.LoadAligned(origins + register * Lanes.Count));
        Set(origins, step.Targets, lanes, all);
    }

    private void SetLogic(UndefinedStep step, Frame frame, ushort* origins, uint lanes)
    {
        // A defined operand decides an and by being false, an or by being true.
        uint flip = step.Instruction!.Name == "or" ? 0 : uint.MaxValue;
        Vector512<ushort> first = Of(origins, step.Sources[0]), second = Of(origins, step.Sources[1]);
        Vector512<ushort> firstDecides = Lanes.Mask<ushort>(Predicate(frame, step.Instruction.Operands[1]) ^ flip, 0) & Vector512.Equals(first, Vector512<ushort>.Zero);
        Vector512<ushort> secondDecides = Lanes.Mask<ushort>(Predicate(frame, step.Instruction.Operands[2]) ^ flip, 0) & Vector512.Equals(second, Vector512<ushort>.Zero);
        Set(origins, step.Targets, lanes, Vector512.AndNot(Vector512.Max(first, second), firstDecides | secondDecides));
    }

    private void Load(UndefinedStep step, Instruction* i, ushort* origins, uint lanes)
    {
        if (local.IsEmpty)
        {
            Set(origins, step.Targets, lanes, Vector512<ushort>.Zero);
            return;
        }
        FindLocal(i, step.ElementBytes * i->Count);
        for (int k = 0; k < step.Targets.Length; k++)
            LoadBytes(local, origins, step.Targets[k], lanes, warp.Addresses, (ulong)(k * step.ElementBytes), step.ElementBytes);
    }

    private void Store(UndefinedStep step, Instruction* i, ushort* origins, uint lanes)
    {
        Vector512<ushort> all = Vector512<ushort>.Zero;
        foreach (int register in step.Sources)
            all = Vector512.Max(all, Of(origins, register));
        bool carries = (all & Lanes.Mask<ushort>(lanes, 0)) != Vector512<ushort>.Zero;
        if (!carries && local.IsEmpty)
            return;
        FindLocal(i, step.ElementBytes * i->Count);
        uint own = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            own |= warp.Addresses[lane] < MemoryWindows.Size ? 1u << lane : 0;
        }
        foreach (int register in step.Sources)
            Check(step, i, origins, register, lanes & ~own);
        for (int k = 0; k < step.Sources.Length; k++)
            StoreBytes(local, origins, step.Sources[k], own, warp.Addresses, (ulong)(k * step.ElementBytes), step.ElementBytes);
    }

    // The address of every lane's access: in its own memory an offset, elsewhere what lies beyond all offsets.
    private void FindLocal(Instruction* i, int bytes)
    {
        Handlers.ComputeAddresses(warp, i, bytes);
        if (warp.Launch.Program.Info[i - warp.Launch.Program.Code].Cost.Space == Parsing.PtxSpace.Local)
            return;
        for (int lane = 0; lane < Lanes.Count; lane++)
            warp.Addresses[lane] = IsLocal(warp.Addresses[lane]) ? warp.Addresses[lane] - MemoryWindows.Local : MemoryWindows.Global;
    }

    private static bool IsLocal(ulong address) => address - MemoryWindows.Local < MemoryWindows.Size;

    private void LoadBytes(UndefinedBytes from, ushort* origins, int register, uint lanes, ulong* addresses, ulong offset, int bytes)
    {
        for (uint rest = register < 0 ? 0 : lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            origins[register * Lanes.Count + lane] = from.Find(lane, (addresses == null ? 0 : addresses[lane]) + offset, bytes);
        }
        SetDefinedHalves([register], lanes, 0, 0);
    }

    private static void StoreBytes(UndefinedBytes to, ushort* origins, int register, uint lanes, ulong* addresses, ulong offset, int bytes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            to.Set(lane, (addresses == null ? 0 : addresses[lane]) + offset, bytes, register < 0 ? (ushort)0 : origins[register * Lanes.Count + lane]);
        }
    }

    private Instruction* Call(Instruction* call)
    {
        Frame caller = warp.Frame;
        Instruction* next = call->Handler(warp, call);
        Frame callee = warp.Frame;
        FrameParameter[] parameters = callee.Function.Parameters;
        for (int k = 0; k < parameters.Length; k++)
            callee.ArgumentOrigins.Copy(warp.Active, (ulong)parameters[k].Offset, caller.ArgumentOrigins, (ulong)call->List[k], parameters[k].Size);
        return next;
    }

    // The runtime's functions use their arguments, and what they give is defined.
    private void CheckArguments(Frame frame, Instruction* call, uint lanes)
    {
        for (uint rest = frame.ArgumentOrigins.IsEmpty ? 0 : lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            for (int k = 0; k < call->Count; k++)
            {
                ulong slot = (ulong)call->List[2 * k];
                if (k < 2 && frame.ArgumentOrigins.Find(lane, slot, call->List[2 * k + 1]) is > 0 and ushort origin)
                    throw Fault(call, lane, origin, "uses it");
                frame.ArgumentOrigins.Set(lane, slot, call->List[2 * k + 1], 0);
            }
        }
    }

    private static Vector512<ushort> Of(ushort* origins, int register)
        => register < 0 ? Vector512<ushort>.Zero : Vector512.LoadAligned(origins + register * Lanes.Count);

    private void Set(ushort* origins, ReadOnlySpan<int> registers, uint lanes, Vector512<ushort> value)
    {
        foreach (int register in registers)
        {
            if (register >= 0)
                Lanes.Store(lanes, origins, register * Lanes.Count, value);
        }
        SetDefinedHalves(registers, lanes, 0, 0);
    }

    private static uint Predicate(Frame frame, int register) => *(uint*)(frame.Registers + frame.Function.RegisterSlots[register - 1]);

    private static uint Predicate(Frame frame, Parsing.PtxOperand operand)
    {
        uint value = operand.Register is null ? operand.Value != 0 ? uint.MaxValue : 0 : Predicate(frame, UndefinedFlow.Number(operand.Register));
        return operand.IsNegated ? ~value : value;
    }
}
