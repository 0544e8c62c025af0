using System.Numerics;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>What an atomic operation makes of the value in memory and its operands.</summary>
internal interface IAtomic<T>
{
    /// <summary>Whether the operation may write nothing at all, where memory does not hold b.</summary>
    static virtual bool MayLeave => false;

    static abstract T Apply(T memory, T b, T c);
}

internal readonly struct AtomicAdd<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T memory, T b, T c) => memory + b;
}

internal readonly struct AtomicMinimum<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T memory, T b, T c) => T.Min(memory, b);
}

internal readonly struct AtomicMaximum<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T memory, T b, T c) => T.Max(memory, b);
}

internal readonly struct AtomicAnd<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T memory, T b, T c) => memory & b;
}

internal readonly struct AtomicOr<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T memory, T b, T c) => memory | b;
}

internal readonly struct AtomicXor<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Apply(T memory, T b, T c) => memory ^ b;
}

internal readonly struct AtomicExchange<T> : IAtomic<T>
{
    public static T Apply(T memory, T b, T c) => b;
}

/// <summary>c where the memory holds b.</summary>
internal readonly struct AtomicCompareAndSwap<T> : IAtomic<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static bool MayLeave => true;

    public static T Apply(T memory, T b, T c) => memory == b ? c : memory;
}

/// <summary>Counts up and wraps to 0 behind b.</summary>
internal readonly struct AtomicIncrement : IAtomic<uint>
{
    public static uint Apply(uint memory, uint b, uint c) => memory >= b ? 0 : memory + 1;
}

/// <summary>Counts down and wraps to b below 0.</summary>
internal readonly struct AtomicDecrement : IAtomic<uint>
{
    public static uint Apply(uint memory, uint b, uint c) => memory == 0 || memory > b ? b : memory - 1;
}

/// <summary>Where c is not 0, subnormal operands and sums are flushed: global memory does so, shared memory does not (PTX ISA, <c>atom</c>).</summary>
internal readonly struct AtomicAddSingle : IAtomic<uint>
{
    public static uint Apply(uint memory, uint b, uint c)
    {
        int mode = c != 0 ? RoundedMode.FlushBit : 0;
        float sum = RoundedMode.Source(BitConverter.UInt32BitsToSingle(memory), mode) + RoundedMode.Source(BitConverter.UInt32BitsToSingle(b), mode);
        return BitConverter.SingleToUInt32Bits(Single32.Canonical(RoundedMode.Result(sum, mode)));
    }
}

internal readonly struct AtomicAddDouble : IAtomic<ulong>
{
    public static ulong Apply(ulong memory, ulong b, ulong c)
        => BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(memory) + BitConverter.UInt64BitsToDouble(b));
}

internal readonly struct AtomicHalf<TOperator> : IAtomic<ushort>
    where TOperator : struct, IScalarMode<ushort, ushort>
{
    public static ushort Apply(ushort memory, ushort b, ushort c) => TOperator.Apply(memory, b, 0, 0);
}

internal readonly struct AtomicPackedHalf<TOperator> : IAtomic<uint>
    where TOperator : struct, IScalarMode<ushort, ushort>
{
    public static uint Apply(uint memory, uint b, uint c) => Packed<TOperator>.Apply(memory, b, 0, 0);
}
