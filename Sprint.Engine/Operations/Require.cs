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

    /// <summary>A tensor of floating-point numbers with which its device computes: the one that the operation's others must be like.</summary>
    internal static void Numbers(Tensor tensor, string operation, string name)
    {
        ElementType type = tensor.ElementType;
        if (type == ElementType.Int32 || !tensor.Device.Computes(type))
        {
            throw new ArgumentException(
                $"{operation}: {name} must hold {(tensor.Device.Computes(ElementType.BFloat16) ? "Float32 or BFloat16" : "Float32")}, not {tensor}");
        }
    }

    /// <summary>A tensor of the same element type, on the same device, as the operation's first; an empty handle is ignored.</summary>
    internal static void Like(Tensor tensor, Tensor first, string operation, string name, string firstName)
    {
        if (!tensor.IsEmpty && (tensor.ElementType != first.ElementType || !ReferenceEquals(tensor.Device, first.Device)))
        {
            throw new ArgumentException($"{operation}: {name} must hold {first.ElementType} on {first.Device.Name}, as {firstName} does, not {tensor}");
        }
    }

    /// <summary>A tensor of float32 on a device, whatever the others hold; an empty handle is ignored.</summary>
    internal static void Floats(Tensor tensor, Device device, string operation, string name) => On(tensor, device, ElementType.Float32, operation, name);

    /// <summary>A tensor of int32 on a device; an empty handle is ignored.</summary>
    internal static void Integers(Tensor tensor, Device device, string operation, string name) => On(tensor, device, ElementType.Int32, operation, name);

    /// <summary>Numbers from 0, or from -1 for none, to a limit that they stay below: kernels use them as places in memory.</summary>
    internal static unsafe void Places(Tensor places, int least, long limit, string operation, string name)
    {
        int* values = (int*)places.Address;
        for (long i = 0; i < places.Count; i++)
        {
            if (values[i] < least || values[i] >= limit)
            {
                throw new ArgumentException($"{operation}: {name} {values[i]} at place {i} must be from {least} to {limit - 1}");
            }
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

    private static void On(Tensor tensor, Device device, ElementType type, string operation, string name)
    {
        if (!tensor.IsEmpty && (tensor.ElementType != type || !ReferenceEquals(tensor.Device, device)))
        {
            throw new ArgumentException($"{operation}: {name} must hold {type} on {device.Name}, not {tensor}");
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
