using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sprint.Model.Checkpoints;

/// <summary>Converts between little-endian elements as stored and float32 or 64-bit integers.</summary>
internal static class SafetensorsConversion
{
    public static bool IsFloat(SafetensorsDataType type) =>
        type is SafetensorsDataType.F32 or SafetensorsDataType.F16 or SafetensorsDataType.BF16 or SafetensorsDataType.F64;

    public static bool IsInteger(SafetensorsDataType type) =>
        type is SafetensorsDataType.BOOL or SafetensorsDataType.U8 or SafetensorsDataType.I8
            or SafetensorsDataType.U16 or SafetensorsDataType.I16 or SafetensorsDataType.U32 or SafetensorsDataType.I32
            or SafetensorsDataType.U64 or SafetensorsDataType.I64;

    public static void ToFloats(SafetensorsDataType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int index = 0; index < destination.Length; index++)
        {
            destination[index] = type switch
            {
                SafetensorsDataType.F32 => BinaryPrimitives.ReadSingleLittleEndian(source[(index * 4)..]),
                SafetensorsDataType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(source[(index * 2)..]),
                SafetensorsDataType.BF16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(source[(index * 2)..]) << 16),
                _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(source[(index * 8)..]),
            };
        }
    }

    public static void ToIntegers(SafetensorsDataType type, ReadOnlySpan<byte> source, Span<long> destination)
    {
        for (int index = 0; index < destination.Length; index++)
        {
            destination[index] = type switch
            {
                SafetensorsDataType.I8 => (sbyte)source[index],
                SafetensorsDataType.I16 => BinaryPrimitives.ReadInt16LittleEndian(source[(index * 2)..]),
                SafetensorsDataType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(source[(index * 2)..]),
                SafetensorsDataType.I32 => BinaryPrimitives.ReadInt32LittleEndian(source[(index * 4)..]),
                SafetensorsDataType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(source[(index * 4)..]),
                SafetensorsDataType.I64 => BinaryPrimitives.ReadInt64LittleEndian(source[(index * 8)..]),
                SafetensorsDataType.U64 => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(source[(index * 8)..])),
                _ => source[index],
            };
        }
    }

    /// <summary>float32 to bfloat16, to the nearest and ties to even; a NaN stays a NaN.</summary>
    public static ushort ToBfloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Elements of a primitive type as the little-endian bytes that are stored; no copy on a little-endian machine.</summary>
    public static ReadOnlySpan<byte> ToLittleEndian<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        int size = bytes.IsEmpty ? 1 : bytes.Length / values.Length;
        if (BitConverter.IsLittleEndian || size == 1)
            return bytes;
        byte[] swapped = bytes.ToArray();
        for (int start = 0; start < swapped.Length; start += size)
            Array.Reverse(swapped, start, size);
        return swapped;
    }
}
