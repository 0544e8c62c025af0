namespace Sprint.Engine;

/// <summary>What one element of a <see cref="Tensor"/> is.</summary>
public enum ElementType
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>The upper half of a binary32: 8 exponent bits, 7 fraction bits.</summary>
    BFloat16,

    /// <summary>A signed 32-bit integer: labels, token ids, row maps.</summary>
    Int32,
}

/// <summary>Sizes of element types.</summary>
public static class ElementTypes
{
    /// <summary>The size of one element in bytes.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>2 or 4.</returns>
    public static int Size(this ElementType type) => type == ElementType.BFloat16 ? 2 : 4;
}
