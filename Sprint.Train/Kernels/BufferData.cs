using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>A buffer of a launch on the host.</summary>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The shape.</param>
/// <param name="Bytes">The elements, little-endian; before the launch null where nothing is written to the buffer.</param>
internal sealed record BufferData(SafetensorsDataType Type, int[] Shape, byte[]? Bytes)
{
    /// <summary>Elements.</summary>
    internal int Count => Shape.Aggregate(1, static (product, extent) => product * extent);

    /// <summary>Bytes of all elements.</summary>
    internal int ByteCount => Count * Type.ElementSize();

    /// <summary>What an argument holds before the launch.</summary>
    /// <param name="argument">The argument.</param>
    /// <param name="seed">Seed of normal numbers.</param>
    /// <param name="index">The argument's number, so that no two arguments have the same normal numbers.</param>
    /// <exception cref="SprintException">The file cannot be read, or its tensor has another type or size.</exception>
    internal static BufferData Create(BufferArgument argument, ulong seed, int index)
    {
        if (argument.Contents.Fill == BufferFill.Stored)
        {
            return Load(argument);
        }

        var data = new BufferData(argument.Type!.Value, argument.Shape!, null);
        if (argument.Contents.Fill == BufferFill.Poison)
        {
            return data;
        }

        byte[] bytes = new byte[data.ByteCount];
        int size = data.Type.ElementSize();
        var random = new HostRandom(new RandomStream(seed, (ulong)index));
        for (int i = 0; i < data.Count; i++)
        {
            Span<byte> element = bytes.AsSpan(i * size, size);
            if (argument.Contents.Fill == BufferFill.Constant)
            {
                argument.Contents.Element.CopyTo(element);
            }
            else
            {
                SafetensorsElements.Write(data.Type, argument.Contents.Fill == BufferFill.Iota ? i : random.Normal(), element);
            }
        }

        return data with { Bytes = bytes };
    }

    private static BufferData Load(BufferArgument argument)
    {
        (string path, string name) = (argument.Contents.File, argument.Contents.Tensor);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Contains(name))
        {
            throw new SprintException($"--arg '{argument.Text}': '{path}' holds no tensor '{name}': it has {string.Join(", ", file.Entries.Select(static known => known.Name))}");
        }

        SafetensorsEntry entry = file.Find(name);
        SafetensorsDataType type = argument.Type ?? entry.DataType;
        string stored = $"tensor '{name}' of '{path}' holds {entry.ElementCount} elements {KernelArgument.NameOf(entry.DataType)}[{string.Join(",", entry.Shape)}]";
        if (entry.ElementCount < 1 || entry.ElementCount * Math.Max(type.ElementSize(), entry.DataType.ElementSize()) > Array.MaxLength)
        {
            throw new SprintException($"--arg '{argument.Text}': {stored}, and a buffer has from 1 to {Array.MaxLength} bytes");
        }

        int[] shape = argument.Shape ?? (entry.Shape.Count == 0 ? [1] : [.. entry.Shape.Select(static extent => (int)extent)]);
        var data = new BufferData(type, shape, null);
        bool converts = type != entry.DataType;
        if (data.Count != entry.ElementCount || (converts && !(type.IsFloat() && entry.DataType.IsFloat())))
        {
            throw new SprintException($"--arg '{argument.Text}': {stored}");
        }

        byte[] bytes = new byte[entry.ElementCount * entry.DataType.ElementSize()];
        file.ReadBytes(name, bytes);
        return data with { Bytes = converts ? Convert(bytes, entry.DataType, type) : bytes };
    }

    private static byte[] Convert(byte[] bytes, SafetensorsDataType from, SafetensorsDataType to)
    {
        (int read, int written) = (from.ElementSize(), to.ElementSize());
        byte[] converted = new byte[bytes.Length / read * written];
        for (int i = 0; i < bytes.Length / read; i++)
        {
            SafetensorsElements.Write(to, SafetensorsElements.Read(from, bytes.AsSpan(i * read, read)), converted.AsSpan(i * written, written));
        }

        return converted;
    }
}
