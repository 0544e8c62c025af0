using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Sprint.Engine.Operations;

/// <summary>Checks of operations' inputs; each failure names the operation, the dimension and its value.</summary>
internal static class Require
{
    internal static void That([DoesNotReturnIf(false)] bool condition, string operation, string complaint)
    {
        if (!condition)
        {
            throw new ArgumentException($"{operation}: {complaint}");
        }
    }

    /// <summary>As the other, but the complaint is put together only where it is needed: checks run in every step.</summary>
    internal static void That(
        [DoesNotReturnIf(false)] bool condition, string operation, [InterpolatedStringHandlerArgument(nameof(condition))] ref Complaint complaint)
    {
        if (!condition)
        {
            throw new ArgumentException($"{operation}: {complaint.Text()}");
        }
    }

    internal static void Rank(Tensor tensor, int rank, string operation, string name)
    {
        if (tensor.Shape.Rank != rank)
        {
            throw new ArgumentException($"{operation}: {name} must have {rank} dimensions, not {tensor.Shape}");
        }
    }

    internal static void Length(Tensor tensor, int dimension, int length, string operation, string name)
    {
        if (tensor.Shape[dimension] != length)
        {
            throw new ArgumentException(
                $"{operation}: dimension {dimension} of {name} must be {length}, not {tensor.Shape[dimension]} (shape {tensor.Shape})");
        }
    }

    internal static void SameShape(Tensor tensor, Shape shape, string operation, string name)
    {
        if (tensor.Shape != shape)
        {
            throw new ArgumentException($"{operation}: {name} must have shape {shape}, not {tensor.Shape}");
        }
    }

    internal static void Type(Tensor tensor, ElementType type, string operation, string name)
    {
        if (tensor.ElementType != type)
        {
            throw new ArgumentException($"{operation}: {name} must hold {type}, not {tensor.ElementType}");
        }
    }

    /// <summary>An interpolated string that stays empty while the condition holds.</summary>
    [InterpolatedStringHandler]
    internal ref struct Complaint
    {
        private DefaultInterpolatedStringHandler text;

        public Complaint(int literalLength, int formattedCount, bool condition, out bool isWanted)
        {
            isWanted = !condition;
            text = isWanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
        }

        public void AppendLiteral(string value) => text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

        internal string Text() => text.ToStringAndClear();
    }
}
