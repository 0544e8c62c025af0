using System.Diagnostics.CodeAnalysis;

namespace Sprint.Model.Checkpoints;

/// <summary>An element type of the safetensors format; the member's name is the format's own.</summary>
[SuppressMessage("Naming", "CA1707", Justification = "The names are the format's own.")]
public enum SafetensorsDataType
{
    /// <summary>A truth value in one byte.</summary>
    BOOL,

    /// <summary>An 8-bit unsigned integer.</summary>
    U8,

    /// <summary>An 8-bit signed integer.</summary>
    I8,

    /// <summary>An 8-bit float with 5 exponent and 2 mantissa bits.</summary>
    F8_E5M2,

    /// <summary>An 8-bit float with 4 exponent and 3 mantissa bits.</summary>
    F8_E4M3,

    /// <summary>A 16-bit signed integer.</summary>
    I16,

    /// <summary>A 16-bit unsigned integer.</summary>
    U16,

    /// <summary>An IEEE half-precision float.</summary>
    F16,

    /// <summary>A bfloat16: the upper half of a float32.</summary>
    BF16,

    /// <summary>A 32-bit signed integer.</summary>
    I32,

    /// <summary>A 32-bit unsigned integer.</summary>
    U32,

    /// <summary>An IEEE single-precision float.</summary>
    F32,

    /// <summary>An IEEE double-precision float.</summary>
    F64,

    /// <summary>A 64-bit signed integer.</summary>
    I64,

    /// <summary>A 64-bit unsigned integer.</summary>
    U64,
}

/// <summary>Sizes and names of element types.</summary>
public static class SafetensorsDataTypes
{
    /// <summary>Bytes of an element.</summary>
    /// <param name="type">The element type.</param>
    public static int ElementSize(this SafetensorsDataType type) => type switch
    {
        SafetensorsDataType.I16 or SafetensorsDataType.U16 or SafetensorsDataType.F16 or SafetensorsDataType.BF16 => 2,
        SafetensorsDataType.I32 or SafetensorsDataType.U32 or SafetensorsDataType.F32 => 4,
        SafetensorsDataType.F64 or SafetensorsDataType.I64 or SafetensorsDataType.U64 => 8,
        _ => 1,
    };

    /// <summary>The type of an exact, case-sensitive name; numbers, which <see cref="Enum.TryParse{T}(string, out T)"/> takes, are refused.</summary>
    internal static bool TryParse(string name, out SafetensorsDataType type) =>
        Enum.TryParse(name, out type) && type.ToString() == name;
}
