using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>What PTX does to 32-bit floating-point numbers beside the operation itself.</summary>
internal static class Single32
{
    public const uint CanonicalNaN = 0x7FFFFFFF;

    private const uint SmallestNormal = 0x00800000;

    /// <summary>Every NaN becomes the one that the hardware makes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Canonical(Vector512<float> a)
        => Vector512.ConditionalSelect(Vector512.Equals(a, a), a, Vector512.Create(CanonicalNaN).AsSingle());

    public static float Canonical(float a) => float.IsNaN(a) ? BitConverter.UInt32BitsToSingle(CanonicalNaN) : a;

    /// <summary>Subnormal numbers become zeros of their sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Flush(Vector512<float> a)
    {
        Vector512<uint> bits = a.AsUInt32();
        Vector512<uint> sign = bits & Vector512.Create(0x80000000u);
        Vector512<uint> small = Vector512.LessThan(bits ^ sign, Vector512.Create(SmallestNormal));
        return Vector512.ConditionalSelect(small, sign, bits).AsSingle();
    }

    public static float Flush(float a) => float.IsSubnormal(a) ? float.CopySign(0, a) : a;

    /// <summary>Clamped to [0, 1], NaN to +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Saturate(Vector512<float> a)
    {
        Vector512<float> positive = Vector512.ConditionalSelect(Vector512.GreaterThan(a, Vector512<float>.Zero), a, Vector512<float>.Zero);
        return Vector512.ConditionalSelect(Vector512.LessThan(positive, Vector512<float>.One), positive, Vector512<float>.One);
    }

    public static float Saturate(float a) => !(a > 0) ? 0 : a < 1 ? a : 1;
}

/// <summary>Operands and result flushed.</summary>
internal readonly struct FlushedUnary<TOperator> : IUnary<float>
    where TOperator : struct, IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a) => Single32.Flush(TOperator.Apply(Single32.Flush(a)));
}

/// <summary>Result clamped to [0, 1].</summary>
internal readonly struct SaturatedUnary<TOperator> : IUnary<float>
    where TOperator : struct, IUnary<float>
{
    public static Vector512<float> Apply(Vector512<float> a) => Single32.Saturate(TOperator.Apply(a));
}

/// <summary>Operands and result flushed.</summary>
internal readonly struct FlushedBinary<TOperator> : IBinary<float>
    where TOperator : struct, IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Flush(TOperator.Apply(Single32.Flush(a), Single32.Flush(b)));
}

/// <summary>Result clamped to [0, 1].</summary>
internal readonly struct SaturatedBinary<TOperator> : IBinary<float>
    where TOperator : struct, IBinary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => Single32.Saturate(TOperator.Apply(a, b));
}

/// <summary>Operands and result flushed.</summary>
internal readonly struct FlushedTernary<TOperator> : ITernary<float>
    where TOperator : struct, ITernary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Single32.Flush(TOperator.Apply(Single32.Flush(a), Single32.Flush(b), Single32.Flush(c)));
}

/// <summary>Result clamped to [0, 1].</summary>
internal readonly struct SaturatedTernary<TOperator> : ITernary<float>
    where TOperator : struct, ITernary<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Single32.Saturate(TOperator.Apply(a, b, c));
}
