using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Arithmetic;

internal readonly struct Identity<T> : IUnary<T>
{
    public static Vector512<T> Apply(Vector512<T> a) => a;
}

internal readonly struct Negate<T> : IUnary<T>
{
    public static Vector512<T> Apply(Vector512<T> a) => -a;
}

internal readonly struct Absolute<T> : IUnary<T>
{
    public static Vector512<T> Apply(Vector512<T> a) => Vector512.Abs(a);
}

internal readonly struct Complement<T> : IUnary<T>
{
    public static Vector512<T> Apply(Vector512<T> a) => ~a;
}

/// <summary>1 where a is zero, else 0.</summary>
internal readonly struct IsZero<T> : IUnary<T>
{
    public static Vector512<T> Apply(Vector512<T> a) => Vector512.Equals(a, Vector512<T>.Zero) & Vector512<T>.One;
}

internal readonly struct Add<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a + b;
}

internal readonly struct Subtract<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a - b;
}

internal readonly struct Multiply<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a * b;
}

internal readonly struct MultiplyAdd<T> : ITernary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b, Vector512<T> c) => a * b + c;
}

internal readonly struct Minimum<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Min(a, b);
}

internal readonly struct Maximum<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Max(a, b);
}

internal readonly struct And<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a & b;
}

internal readonly struct Or<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a | b;
}

internal readonly struct Xor<T> : IBinary<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => a ^ b;
}

/// <summary>Saturating signed addition.</summary>
internal readonly struct AddSaturated : IBinary<int>
{
    public static Vector512<int> Apply(Vector512<int> a, Vector512<int> b)
    {
        Vector512<int> sum = a + b;
        Vector512<int> overflow = ~(a ^ b) & (a ^ sum);
        return Vector512.ConditionalSelect(overflow >> 31, (a >> 31) ^ Vector512.Create(int.MaxValue), sum);
    }
}

/// <summary>Saturating signed subtraction.</summary>
internal readonly struct SubtractSaturated : IBinary<int>
{
    public static Vector512<int> Apply(Vector512<int> a, Vector512<int> b)
    {
        Vector512<int> difference = a - b;
        Vector512<int> overflow = (a ^ b) & (a ^ difference);
        return Vector512.ConditionalSelect(overflow >> 31, (a >> 31) ^ Vector512.Create(int.MaxValue), difference);
    }
}

internal readonly struct Equal<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, b);
}

internal readonly struct NotEqual<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => ~Vector512.Equals(a, b);
}

internal readonly struct Less<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.LessThanOrEqual(a, b);
}

internal readonly struct Greater<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.GreaterThan(a, b);
}

internal readonly struct GreaterOrEqual<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.GreaterThanOrEqual(a, b);
}

/// <summary>Both operands are numbers.</summary>
internal readonly struct Ordered<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, a) & Vector512.Equals(b, b);
}

/// <summary>The comparison, or true where an operand is NaN.</summary>
internal readonly struct Unordered<TComparison, T> : IComparison<T>
    where TComparison : struct, IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => TComparison.Apply(a, b) | ~Ordered<T>.Apply(a, b);
}

/// <summary>The comparison where both operands are numbers.</summary>
internal readonly struct OrderedOnly<TComparison, T> : IComparison<T>
    where TComparison : struct, IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => TComparison.Apply(a, b) & Ordered<T>.Apply(a, b);
}

/// <summary>The comparison of operands whose subnormals count as zeros.</summary>
internal readonly struct FlushedComparison<TComparison> : IComparison<float>
    where TComparison : struct, IComparison<float>
{
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b)
        => TComparison.Apply(Single32.Flush(a), Single32.Flush(b));
}

/// <summary>Holds nowhere.</summary>
internal readonly struct Never<T> : IComparison<T>
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512<T>.Zero;
}
