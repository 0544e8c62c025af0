using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Undefined bytes that are copied through registers: a mask of lanes that carry some, and for each lane 8 bytes, 1 where defined.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>Before a load: the register whose notes are at D carries nothing undefined yet.</summary>
    public static Instruction* ForgetUndefined(Warp warp, Instruction* i)
    {
        *(uint*)(warp.Registers + i->D) &= ~warp.Active;
        return i + 1;
    }

    /// <summary>
    /// Notes the undefined bytes of one lane's load in the registers that carry them. Returns false if that is an error: nothing of the
    /// access is defined, or a register that is computed with takes an undefined byte.
    /// </summary>
    public static bool NoteUndefined(Warp warp, Instruction* load, int lane, byte* shadow, int bytes)
    {
        int count = load->Notes;
        if (count == 0 || new ReadOnlySpan<byte>(shadow, bytes).IndexOf((byte)1) < 0)
            return false;
        int size = bytes / count;
        for (int k = 0; k < count; k++)
        {
            byte* element = shadow + k * size;
            if (new ReadOnlySpan<byte>(element, size).IndexOf((byte)0) < 0)
                continue;
            int mask = load->List[count + 2 * k];
            if (mask < 0)
                return false;
            *(uint*)(warp.Registers + mask) |= 1u << lane;
            Buffer.MemoryCopy(element, warp.Registers + load->List[count + 2 * k + 1] + lane * 8, 8, size);
        }
        return true;
    }

    /// <summary>After a store of Count bytes at A, C, Immediate: the bytes that register D, E carries as undefined are undefined there.</summary>
    public static Instruction* StoreUndefined<TSpace>(Warp warp, Instruction* i)
        where TSpace : struct, IMemorySpace
    {
        uint carried = *(uint*)(warp.Registers + i->D) & warp.Active;
        if (carried == 0)
            return i + 1;
        ComputeAddresses(warp, i, i->Count);
        for (uint lanes = carried; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            byte* shadow = TSpace.Shadow(warp, lane, warp.Addresses[lane]);
            Buffer.MemoryCopy(warp.Registers + i->E + lane * 8, shadow, i->Count, i->Count);
        }
        return i + 1;
    }
}
