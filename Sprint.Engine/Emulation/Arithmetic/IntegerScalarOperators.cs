using System.Numerics;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>Division; by zero gives all ones, as the hardware does (the ISA leaves it open).</summary>
internal readonly struct Divide<T> : IScalarBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b)
    {
        if (T.IsZero(b))
            return ~T.Zero;
        // The smallest number divided by -1 wraps.
        return b == ~T.Zero && T.IsNegative(b) ? T.Zero - a : a / b;
    }
}

/// <summary>Remainder; by zero gives the dividend, as the hardware does (the ISA leaves it open).</summary>
internal readonly struct Remainder<T> : IScalarBinary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b)
    {
        if (T.IsZero(b))
            return a;
        return b == ~T.Zero && T.IsNegative(b) ? T.Zero : a % b;
    }
}

/// <summary>The upper half of the product.</summary>
internal readonly struct MultiplyHigh<T> : IScalarTernary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b, T c) => T.CreateTruncating((Int128.CreateTruncating(a) * Int128.CreateTruncating(b)) >> (8 * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()));
}

/// <summary>The upper half of the product, plus c.</summary>
internal readonly struct MultiplyHighAdd<T> : IScalarTernary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b, T c) => T.CreateTruncating(MultiplyHigh<T>.Apply(a, b, c) + c);
}

/// <summary>The saturated sum of the upper half of the product and c.</summary>
internal readonly struct MultiplyHighAddSaturated : IScalarTernary<int, int>
{
    public static int Apply(int a, int b, int c) => (int)Math.Clamp(((long)a * b >> 32) + c, int.MinValue, int.MaxValue);
}

/// <summary>Product of 24-bit integers, its low 32 bits.</summary>
internal readonly struct Multiply24Low<T> : IScalarTernary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b, T c) => T.CreateTruncating(Truncated(a) * Truncated(b));

    /// <summary>The low 24 bits with the type's sign.</summary>
    public static long Truncated(T a) => T.IsNegative(~T.Zero)
        ? (long)(int.CreateTruncating(a) << 8 >> 8)
        : uint.CreateTruncating(a) & 0xFFFFFF;
}

/// <summary>Product of 24-bit integers, bits 16 to 47.</summary>
internal readonly struct Multiply24High<T> : IScalarTernary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b, T c) => T.CreateTruncating(Multiply24Low<T>.Truncated(a) * Multiply24Low<T>.Truncated(b) >> 16);
}

/// <summary>Bits 16 to 47 of the product of 24-bit integers, plus c, clamped to the type.</summary>
internal readonly struct Multiply24HighAddSaturated : IScalarTernary<int, int>
{
    public static int Apply(int a, int b, int c) => (int)Math.Clamp((long)Multiply24High<int>.Apply(a, b, c) + c, int.MinValue, int.MaxValue);
}

/// <summary>One operator's result plus c.</summary>
internal readonly struct ThenAdd<TOperator, T> : IScalarTernary<T, T>
    where TOperator : struct, IScalarTernary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b, T c) => T.CreateTruncating(TOperator.Apply(a, b, c) + c);
}

/// <summary>c plus the absolute difference.</summary>
internal readonly struct SumOfAbsoluteDifference<T> : IScalarTernary<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T a, T b, T c) => unchecked(c + (a < b ? b - a : a - b));
}

internal readonly struct PopulationCount<T> : IScalarUnary<T, uint>
    where T : unmanaged, IBinaryInteger<T>
{
    public static uint Apply(T a) => uint.CreateTruncating(T.PopCount(a));
}

internal readonly struct LeadingZeros<T> : IScalarUnary<T, uint>
    where T : unmanaged, IBinaryInteger<T>
{
    public static uint Apply(T a) => uint.CreateTruncating(T.LeadingZeroCount(a));
}

internal readonly struct ReverseBits32 : IScalarUnary<uint, uint>
{
    public static uint Apply(uint a)
    {
        a = (a >> 1 & 0x55555555) | (a & 0x55555555) << 1;
        a = (a >> 2 & 0x33333333) | (a & 0x33333333) << 2;
        a = (a >> 4 & 0x0F0F0F0F) | (a & 0x0F0F0F0F) << 4;
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(a);
    }
}

internal readonly struct ReverseBits64 : IScalarUnary<ulong, ulong>
{
    public static ulong Apply(ulong a) => (ulong)ReverseBits32.Apply((uint)a) << 32 | ReverseBits32.Apply((uint)(a >> 32));
}

/// <summary>Position of the highest bit that is not a copy of the sign; all ones if there is none.</summary>
internal readonly struct FindLeading<T> : IScalarUnary<T, uint>
    where T : unmanaged, IBinaryInteger<T>
{
    public static uint Apply(T a)
    {
        T bits = T.IsNegative(a) ? ~a : a;
        int width = 8 * System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        return T.IsZero(bits) ? uint.MaxValue : (uint)(width - 1 - int.CreateTruncating(T.LeadingZeroCount(bits)));
    }
}

/// <summary>Like <see cref="FindLeading{T}"/>, as the left shift that brings the bit to the top.</summary>
internal readonly struct FindLeadingShift<T> : IScalarUnary<T, uint>
    where T : unmanaged, IBinaryInteger<T>
{
    public static uint Apply(T a)
    {
        uint position = FindLeading<T>.Apply(a);
        return position == uint.MaxValue ? position : (uint)(8 * System.Runtime.CompilerServices.Unsafe.SizeOf<T>() - 1) - position;
    }
}

/// <summary>Funnel shifts of c:a by the low bits of the count: mode bit 0 right, bit 1 clamped to 32 instead of wrapped.</summary>
internal readonly struct FunnelShift : IScalarMode<uint, uint>
{
    public static uint Apply(uint a, uint b, uint c, int mode)
    {
        int count = (int)((mode & 2) != 0 ? Math.Min(c, 32) : c & 31);
        ulong pair = (ulong)b << 32 | a;
        return (mode & 1) != 0 ? (uint)(pair >> count) : (uint)(pair << count >> 32);
    }
}

/// <summary>A mask of c bits from bit b; mode 1 wraps both to 5 bits, mode 0 clamps.</summary>
internal readonly struct BitMask : IScalarMode<uint, uint>
{
    public static uint Apply(uint a, uint b, uint c, int mode)
    {
        uint position = mode != 0 ? a & 31 : Math.Min(a, 32);
        uint width = mode != 0 ? b & 31 : Math.Min(b, 32);
        return (uint)(((1ul << (int)width) - 1) << (int)position);
    }
}

/// <summary>Sign or zero extension from bit b: mode bit 0 wraps the position, bit 1 extends the sign.</summary>
internal readonly struct ExtendFromBit : IScalarMode<uint, uint>
{
    public static uint Apply(uint a, uint b, uint c, int mode)
    {
        uint width = (mode & 1) != 0 ? b & 31 : Math.Min(b, 32);
        if (width == 0)
            return 0;
        int shift = 32 - (int)width;
        return (mode & 2) != 0 ? (uint)((int)(a << shift) >> shift) : a << shift >> shift;
    }
}

/// <summary>The position of the n-th set bit: from bit b, the |c|-th upwards or downwards, all ones if there is none.</summary>
internal readonly struct FindNthSet : IScalarTernary<uint, uint>
{
    public static uint Apply(uint a, uint b, uint c)
    {
        int offset = (int)c;
        int position = (int)b;
        if (offset == 0)
            return position < 32 && (a >> position & 1) != 0 ? b : uint.MaxValue;
        int step = Math.Sign(offset);
        long remaining = Math.Abs((long)offset);
        for (; position is >= 0 and < 32; position += step)
        {
            if ((a >> position & 1) != 0 && --remaining == 0)
                return (uint)position;
        }
        return uint.MaxValue;
    }
}

/// <summary>The upper half of the product of unsigned 64-bit integers.</summary>
internal readonly struct MultiplyHighUnsigned64 : IScalarTernary<ulong, ulong>
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Math.BigMul(a, b, out _);
}
