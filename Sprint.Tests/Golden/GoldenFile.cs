using System.Buffers.Binary;
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
    internal static GoldenFile Open(string name) => new(PathOf(name));

    /// <summary>Where a file or folder of this folder is when tests run.</summary>
    internal static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    /// <summary>The names of the cases that the file's notes describe.</summary>
    internal IEnumerable<string> Cases => header.GetProperty("__metadata__").EnumerateObject()
        .Where(note => note.Name.StartsWith("case.", StringComparison.Ordinal))
        .Select(note => note.Name["case.".Length..]);

    /// <summary>The elements of a float32 tensor.</summary>
    internal float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(Data(name, "F32")).ToArray();

    /// <summary>The elements of an int64 tensor.</summary>
    internal int[] Integers(string name) =>
        [.. MemoryMarshal.Cast<byte, long>(Data(name, "I64")).ToArray().Select(value => checked((int)value))];

    /// <summary>The sizes of a tensor.</summary>
    internal int[] Shape(string name) => [.. header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    private ReadOnlySpan<byte> Data(string name, string type)
    {
        JsonElement entry = header.GetProperty(name);
        if (entry.GetProperty("dtype").GetString() != type)
            throw new InvalidDataException($"The golden tensor {name} is not {type}.");
        int begin = entry.GetProperty("data_offsets")[0].GetInt32();
        int end = entry.GetProperty("data_offsets")[1].GetInt32();
        return bytes.AsSpan(dataStart + begin, end - begin);
    }
}
