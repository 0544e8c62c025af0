using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>Bit-field extraction of c bits from bit b.</summary>
internal static class BitField
{
    public static T Extract<T>(T a, uint position, uint length)
        where T : unmanaged, IBinaryInteger<T>
    {
        int top = 8 * Unsafe.SizeOf<T>() - 1;
        int start = (int)(position & 0xFF);
        int count = (int)(length & 0xFF);
        bool signed = T.IsNegative(~T.Zero);
        if (count == 0)
            return T.Zero;
        T sign = signed ? a >> Math.Min(start + count - 1, top) & T.One : T.Zero;
        T field = start > top ? T.Zero : Logical(a, start);
        if (count <= top)
        {
            T mask = (T.One << count) - T.One;
            field &= mask;
            if (!T.IsZero(sign))
                field |= ~mask;
        }
        if (!T.IsZero(sign) && start + count - 1 > top)
        {
            int valid = Math.Max(top - start + 1, 0);
            field |= valid > top ? T.Zero : ~T.Zero << valid;
        }
        return field;
    }

    public static T Insert<T>(T field, T background, uint position, uint length)
        where T : unmanaged, IBinaryInteger<T>
    {
        int top = 8 * Unsafe.SizeOf<T>() - 1;
        int start = (int)(position & 0xFF);
        int count = (int)(length & 0xFF);
        if (count == 0 || start > top)
            return background;
        T mask = count > top ? ~T.Zero : (T.One << count) - T.One;
        mask <<= start;
        return background & ~mask | field << start & mask;
    }

    private static T Logical<T>(T a, int shift)
        where T : unmanaged, IBinaryInteger<T>
        => Unsafe.SizeOf<T>() == 8
            ? T.CreateTruncating(ulong.CreateTruncating(a) >> shift)
            : T.CreateTruncating(uint.CreateTruncating(a) >> shift);
}

/// <summary>Byte permutation.</summary>
internal static class BytePermutation
{
    /// <summary>PTX <c>prmt</c>: <paramref name="mode"/> 0 is the general form, then f4e, b4e, rc8, ecl, ecr, rc16.</summary>
    public static uint Apply(uint a, uint b, uint selector, int mode)
    {
        ulong bytes = (ulong)b << 32 | a;
        uint result = 0;
        for (int k = 0; k < 4; k++)
        {
            uint choice = mode == 0 ? selector >> 4 * k & 0xF : Named(mode, (int)selector & 3, k);
            uint value = (uint)(bytes >> (int)(8 * (choice & 7))) & 0xFF;
            if ((choice & 8) != 0)
                value = (value & 0x80) != 0 ? 0xFFu : 0;
            result |= value << 8 * k;
        }
        return result;
    }

    private static uint Named(int mode, int selector, int k) => mode switch
    {
        1 => (uint)(selector + k & 7),
        2 => (uint)(selector - k & 7),
        3 => (uint)selector,
        4 => (uint)Math.Max(selector, k),
        5 => (uint)Math.Min(selector, k),
        _ => (uint)(2 * (selector & 1) + (k & 1)),
    };
}

internal readonly struct Permute : IScalarMode<uint, uint>
{
    public static uint Apply(uint a, uint b, uint c, int mode) => BytePermutation.Apply(a, b, c, mode);
}

/// <summary>Dot products of packed bytes; mode bit 0: a signed, bit 1: b signed, bit 2: two 16-bit by 8-bit, bit 3: the upper bytes of b.</summary>
internal readonly struct PackedDot : IScalarMode<uint, uint>
{
    public static uint Apply(uint a, uint b, uint c, int mode)
    {
        long sum = c;
        bool pairs = (mode & 4) != 0;
        for (int k = 0; k < (pairs ? 2 : 4); k++)
        {
            uint x = pairs ? a >> 16 * k & 0xFFFF : a >> 8 * k & 0xFF;
            uint y = b >> 8 * k + ((mode & 8) != 0 ? 16 : 0) & 0xFF;
            long left = (mode & 1) == 0 ? x : pairs ? (short)x : (sbyte)x;
            long right = (mode & 2) == 0 ? y : (sbyte)y;
            sum += left * right;
        }
        return (uint)sum;
    }
}
