using System.Runtime.InteropServices;
using System.Text;

namespace Sprint.Tests.Model.Data;

/// <summary>NumPy files as NumPy writes them.</summary>
internal static class NpyWriter
{
    /// <summary>A whole file of float32 in format 1.</summary>
    internal static byte[] Floats(int[] shape, float[] values) => [.. Header("<f4", shape), .. MemoryMarshal.AsBytes(values.AsSpan())];

    /// <summary>A whole file of float16 in format 1.</summary>
    internal static byte[] Halves(int[] shape, float[] values) => [.. Header("<f2", shape), .. MemoryMarshal.AsBytes(Array.ConvertAll(values, value => (Half)value).AsSpan())];

    /// <summary>What comes before the elements.</summary>
    internal static byte[] Header(string type, int[] shape)
    {
        byte[] text = Encoding.Latin1.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': ({string.Join(", ", shape)}), }}".PadRight(117) + "\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text];
    }
}
