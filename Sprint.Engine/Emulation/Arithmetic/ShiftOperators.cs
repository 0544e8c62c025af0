using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>Shift left; counts beyond the width give zero.</summary>
internal readonly struct ShiftLeft32 : IBinary<uint>
{
    public static Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftLeftLogicalVariable(a, b);
        return Elements.Map(a, b, static (value, count) => count > 31 ? 0 : value << (int)count);
    }
}

/// <summary>Logical shift right; counts beyond the width give zero.</summary>
internal readonly struct ShiftRight32 : IBinary<uint>
{
    public static Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightLogicalVariable(a, b);
        return Elements.Map(a, b, static (value, count) => count > 31 ? 0 : value >> (int)count);
    }
}

/// <summary>Arithmetic shift right; counts beyond the width give the sign.</summary>
internal readonly struct ShiftRightSigned32 : IBinary<uint>
{
    public static Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightArithmeticVariable(a.AsInt32(), b).AsUInt32();
        return Elements.Map(a, b, static (value, count) => (uint)((int)value >> (int)Math.Min(count, 31)));
    }
}

internal static class Elements
{
    public static Vector512<uint> Map(Vector512<uint> a, Vector512<uint> b, Func<uint, uint, uint> function)
    {
        Vector512<uint> result = default;
        for (int k = 0; k < Vector512<uint>.Count; k++)
            result = result.WithElement(k, function(a[k], b[k]));
        return result;
    }
}

/// <summary>Shifts of 64-bit and 16-bit values by a 32-bit count; mode 0 left, 1 right, 2 right with sign.</summary>
internal static class ScalarShift
{
    public static ulong Apply(ulong a, uint count, int width, int mode)
    {
        bool beyond = count >= (uint)width;
        return mode switch
        {
            0 => beyond ? 0 : a << (int)count,
            1 => beyond ? 0 : a >> (int)count,
            _ => (ulong)((long)a >> (int)Math.Min(count, (uint)width - 1)),
        };
    }
}
