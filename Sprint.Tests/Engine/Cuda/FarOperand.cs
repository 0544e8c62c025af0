using System.Runtime.InteropServices;
using Sprint.Engine;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>A tensor of an operation that <see cref="FarEnd"/> runs.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Element">How it is stored.</param>
/// <param name="Shape">Its shape for a number of samples; what does not depend on them is no large tensor.</param>
/// <param name="IsRead">Whether it holds numbers before.</param>
/// <param name="IsWritten">Whether the last of its elements are compared.</param>
internal sealed record FarOperand(string Name, ElementType Element, Func<int, Shape> Shape, bool IsRead, bool IsWritten)
{
    /// <summary>How many elements are compared; null for the last row.</summary>
    internal int? Compared { get; init; }

    /// <summary>Whether its numbers are from 0 to 1, not from -1.</summary>
    internal bool IsPositive { get; init; }

    /// <summary>Whether it is a sum over everything, which only whole grids have, added up in another order near the beginning.</summary>
    internal bool IsSumOfAll { get; init; }

    /// <summary>Of int32: the number at a place of the end, given how many samples lie before.</summary>
    internal Func<long, int, int>? Integers { get; init; }

    internal static FarOperand Input(ElementType element, Func<int, Shape> shape) => new("an input", element, shape, true, false);

    internal static FarOperand Places(Func<int, Shape> shape, Func<long, int, int> integers) =>
        new("places", ElementType.Int32, shape, true, false) { Integers = integers };

    internal static FarOperand Output(string name, ElementType element, Func<int, Shape> shape) => new(name, element, shape, false, true);

    /// <summary>What is added to.</summary>
    internal static FarOperand Sum(string name, ElementType element, Func<int, Shape> shape) => new(name, element, shape, true, true);

    /// <summary>What a sum over everything is added to.</summary>
    internal static FarOperand SumOfAll(string name, ElementType element, Shape shape) => Sum(name, element, _ => shape) with { IsSumOfAll = true, Compared = (int)shape.Count };

    /// <summary>The bytes of the last elements: the same wherever the end lies, but for places.</summary>
    internal byte[] Values(int seed, long count, int samplesBefore)
    {
        var random = new Random(seed);
        float[] numbers = [.. Enumerable.Range(0, Integers is null ? (int)count : 0).Select(_ => IsPositive ? random.NextSingle() : (2 * random.NextSingle()) - 1)];
        return Element switch
        {
            ElementType.Int32 => MemoryMarshal.AsBytes<int>([.. Enumerable.Range(0, (int)count).Select(place => Integers!(place, samplesBefore))]).ToArray(),
            ElementType.BFloat16 => MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(numbers, BrainFloat.Narrow)).ToArray(),
            _ => MemoryMarshal.AsBytes<float>(numbers).ToArray(),
        };
    }
}
