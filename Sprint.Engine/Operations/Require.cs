using System.Diagnostics.CodeAnalysis;

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
}
