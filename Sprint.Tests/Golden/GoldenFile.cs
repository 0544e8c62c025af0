using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Sprint.Tests.Golden;

/// <summary>A safetensors file of reference numbers in this folder.</summary>
internal sealed class GoldenFile
{
    private readonly byte[] bytes;
    private readonly int dataStart;
    private readonly JsonElement header;

    private GoldenFile(string path)
    {
        bytes = File.ReadAllBytes(path);
        int headerLength = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        dataStart = sizeof(ulong) + headerLength;
        header = JsonDocument.Parse(bytes.AsMemory(sizeof(ulong), headerLength)).RootElement;
    }

    /// <summary>Opens a file by its name in this folder.</summary>
    internal static GoldenFile Open(string name) => new(Path.Combine(Folder(), name));

    /// <summary>The elements of a float32 tensor.</summary>
    internal float[] Floats(string name)
    {
        JsonElement entry = header.GetProperty(name);
        if (entry.GetProperty("dtype").GetString() != "F32")
            throw new InvalidDataException($"The golden tensor {name} is not F32.");
        int begin = entry.GetProperty("data_offsets")[0].GetInt32();
        int end = entry.GetProperty("data_offsets")[1].GetInt32();
        return MemoryMarshal.Cast<byte, float>(bytes.AsSpan(dataStart + begin, end - begin)).ToArray();
    }

    /// <summary>The sizes of a tensor.</summary>
    internal int[] Shape(string name) => [.. header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
