using System.Buffers.Binary;
using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>Reads and writes single elements of tensors as they are stored, little-endian.</summary>
public static class SafetensorsElements
{
    /// <summary>Whether the type is a floating-point one that is read and written: F64, F32, F16 or BF16.</summary>
    /// <param name="type">The element type.</param>
    public static bool IsFloat(this SafetensorsDataType type) => SafetensorsConversion.IsFloat(type);

    /// <summary>Whether the type is an integer, a truth value among them.</summary>
    /// <param name="type">The element type.</param>
    public static bool IsInteger(this SafetensorsDataType type) => SafetensorsConversion.IsInteger(type);

    /// <summary>An element as float64; integers beyond 2^53 are rounded to the nearest.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="element">The element's bytes.</param>
    /// <exception cref="SprintException">The type is an 8-bit float, which is not read.</exception>
    public static double Read(SafetensorsDataType type, ReadOnlySpan<byte> element) => type switch
    {
        SafetensorsDataType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(element),
        SafetensorsDataType.F32 => BinaryPrimitives.ReadSingleLittleEndian(element),
        SafetensorsDataType.F16 => (double)BinaryPrimitives.ReadHalfLittleEndian(element),
        SafetensorsDataType.BF16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(element) << 16),
        SafetensorsDataType.I64 => BinaryPrimitives.ReadInt64LittleEndian(element),
        SafetensorsDataType.U64 => BinaryPrimitives.ReadUInt64LittleEndian(element),
        SafetensorsDataType.I32 => BinaryPrimitives.ReadInt32LittleEndian(element),
        SafetensorsDataType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(element),
        SafetensorsDataType.I16 => BinaryPrimitives.ReadInt16LittleEndian(element),
        SafetensorsDataType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(element),
        SafetensorsDataType.I8 => (sbyte)element[0],
        SafetensorsDataType.U8 or SafetensorsDataType.BOOL => element[0],
        _ => throw Unknown(type),
    };

    /// <summary>
    /// Writes a number as an element: rounded to the nearest in floating-point types (BF16 by way of float32), without its fraction and to the
    /// lowest bits in integer types.
    /// </summary>
    /// <param name="type">The element type.</param>
    /// <param name="value">The number.</param>
    /// <param name="element">Receives the element's bytes.</param>
    /// <exception cref="SprintException">The type is an 8-bit float, which is not written.</exception>
    public static void Write(SafetensorsDataType type, double value, Span<byte> element)
    {
        switch (type)
        {
            case SafetensorsDataType.F64:
                BinaryPrimitives.WriteDoubleLittleEndian(element, value);
                break;
            case SafetensorsDataType.F32:
                BinaryPrimitives.WriteSingleLittleEndian(element, (float)value);
                break;
            case SafetensorsDataType.F16:
                BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
                break;
            case SafetensorsDataType.BF16:
                BinaryPrimitives.WriteUInt16LittleEndian(element, SafetensorsConversion.ToBfloat16((float)value));
                break;
            case SafetensorsDataType.BOOL:
                element[0] = value == 0 ? (byte)0 : (byte)1;
                break;
            default:
                if (!type.IsInteger())
                    throw Unknown(type);
                WriteInteger(value < 0 ? (UInt128)(Int128)value : (UInt128)value, element[..type.ElementSize()]);
                break;
        }
    }

    /// <summary>Writes the lowest bytes of an integer.</summary>
    /// <param name="value">The integer, in two's complement.</param>
    /// <param name="element">Receives the bytes, lowest first.</param>
    public static void WriteInteger(UInt128 value, Span<byte> element)
    {
        for (int i = 0; i < element.Length; i++)
            element[i] = (byte)(value >> (8 * i));
    }

    private static SprintException Unknown(SafetensorsDataType type) => new($"elements of type {type} are neither read nor written");
}
