using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Packing, address spaces, clocks, carries.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>Packs Count elements of List into D, the first lowest.</summary>
    public static Instruction* Pack<TElement, TWhole>(Warp warp, Instruction* i)
        where TElement : unmanaged
        where TWhole : unmanaged
    {
        byte* r = warp.Registers;
        TElement* d = (TElement*)(r + i->D);
        TElement* packed = stackalloc TElement[4];
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            for (int k = 0; k < i->Count; k++)
                packed[k] = ((TElement*)(r + i->List[k]))[lane];
            for (int k = 0; k < i->Count; k++)
                d[lane * i->Count + k] = packed[k];
        }
        return i + 1;
    }

    /// <summary>Unpacks A into Count elements of List.</summary>
    public static Instruction* Unpack<TElement, TWhole>(Warp warp, Instruction* i)
        where TElement : unmanaged
        where TWhole : unmanaged
    {
        byte* r = warp.Registers;
        TElement* a = (TElement*)(r + i->A);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            for (int k = 0; k < i->Count; k++)
                ((TElement*)(r + i->List[k]))[lane] = a[lane * i->Count + k];
        }
        return i + 1;
    }

    /// <summary>Whether the generic address A lies in the window E.</summary>
    public static Instruction* IsInSpace(Warp warp, Instruction* i)
    {
        ulong* a = (ulong*)(warp.Registers + i->A);
        ulong window = (ulong)i->Immediate;
        uint holds = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            bool inside = window == MemoryWindows.Global
                ? a[lane] >= window
                : a[lane] - window < MemoryWindows.Size;
            holds |= inside ? 1u << lane : 0;
        }
        uint* d = (uint*)(warp.Registers + i->D);
        *d = *d & ~warp.Active | holds;
        return i + 1;
    }

    /// <summary>A clock that counts the warp's instructions, the same in every run; E: how far to shift it.</summary>
    public static Instruction* ReadClock<T>(Warp warp, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* d = (T*)(warp.Registers + i->D);
        T value = T.CreateTruncating(warp.Clock() >> i->E);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
            d[BitOperations.TrailingZeroCount(lanes)] = value;
        return i + 1;
    }

    /// <summary>
    /// D = A + B with carries: E bit 0 reads the carry in C, bit 1 writes it, bit 2 subtracts instead.
    /// </summary>
    public static Instruction* AddWithCarry<T>(Warp warp, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A), b = (T*)(r + i->B), d = (T*)(r + i->D);
        uint* carry = (uint*)(r + i->C);
        bool subtract = (i->E & 4) != 0;
        uint carryIn = (i->E & 1) != 0 ? *carry : 0;
        uint carryOut = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            UInt128 extra = carryIn >> lane & 1;
            UInt128 left = UInt128.CreateTruncating(a[lane]);
            UInt128 right = UInt128.CreateTruncating(b[lane]);
            UInt128 sum = subtract ? left - right - extra : left + right + extra;
            d[lane] = T.CreateTruncating(sum);
            carryOut |= (sum >> 8 * sizeof(T) & 1) != 0 ? 1u << lane : 0;
        }
        if ((i->E & 2) != 0)
            *carry = *carry & ~warp.Active | carryOut;
        return i + 1;
    }
}
