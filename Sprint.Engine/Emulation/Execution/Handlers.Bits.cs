using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Shifts, bit fields, and logic of three operands.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>D = A shifted by the 32-bit count B; E: see <see cref="ScalarShift"/>.</summary>
    public static Instruction* Shift<T>(Warp warp, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A), d = (T*)(r + i->D);
        uint* b = (uint*)(r + i->B);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            ulong value = i->E == 2 ? (ulong)long.CreateTruncating(a[lane]) : ulong.CreateTruncating(a[lane]);
            d[lane] = T.CreateTruncating(ScalarShift.Apply(value, b[lane], 8 * sizeof(T), i->E));
        }
        return i + 1;
    }

    /// <summary>D = bits B.. of A, C of them.</summary>
    public static Instruction* ExtractBits<T>(Warp warp, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A), d = (T*)(r + i->D);
        uint* b = (uint*)(r + i->B), c = (uint*)(r + i->C);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = BitField.Extract(a[lane], b[lane], c[lane]);
        }
        return i + 1;
    }

    /// <summary>D = B with bits from C on, E of them (a register), replaced by A.</summary>
    public static Instruction* InsertBits<T>(Warp warp, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A), b = (T*)(r + i->B), d = (T*)(r + i->D);
        uint* c = (uint*)(r + i->C), e = (uint*)(r + i->E);
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = BitField.Insert(a[lane], b[lane], c[lane], e[lane]);
        }
        return i + 1;
    }

    /// <summary>Any function of three bits: bit (a,b,c) of the table E.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Lookup3(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint* a = (uint*)(r + i->A), b = (uint*)(r + i->B), c = (uint*)(r + i->C), d = (uint*)(r + i->D);
        int table = i->E;
        for (int k = 0; k < Lanes.Count; k += 16)
        {
            Vector512<uint> x = Vector512.LoadAligned(a + k), y = Vector512.LoadAligned(b + k), z = Vector512.LoadAligned(c + k);
            Vector512<uint> result = Vector512<uint>.Zero;
            for (int term = 0; term < 8; term++)
            {
                if ((table >> term & 1) != 0)
                    result |= ((term & 4) != 0 ? x : ~x) & ((term & 2) != 0 ? y : ~y) & ((term & 1) != 0 ? z : ~z);
            }
            Lanes.Store(warp.Active, d, k, result);
        }
        return i + 1;
    }

    /// <summary>Whether a floating-point number is of the class E: finite, infinite, number, not a number, normal, subnormal.</summary>
    public static Instruction* TestClass<T>(Warp warp, Instruction* i)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A);
        uint holds = 0;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            T value = a[lane];
            bool result = i->E switch
            {
                0 => T.IsFinite(value),
                1 => T.IsInfinity(value),
                2 => !T.IsNaN(value),
                3 => T.IsNaN(value),
                4 => T.IsNormal(value),
                _ => T.IsSubnormal(value),
            };
            holds |= result ? 1u << lane : 0;
        }
        uint* d = (uint*)(r + i->D);
        *d = *d & ~warp.Active | holds;
        return i + 1;
    }
}
