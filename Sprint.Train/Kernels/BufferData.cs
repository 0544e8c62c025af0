using System.Globalization;
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
    /// <param name="index">A number of the argument's own, so that no two have the same normal numbers.</param>
    /// <exception cref="SprintException">The file cannot be read, or its tensor has another type or size.</exception>
    internal static BufferData Create(BufferArgument argument, ulong seed, ulong index)
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
        if (argument.Contents.Fill == BufferFill.Constant)
        {
            // What is filled is copied behind itself, twice as much each time.
            argument.Contents.Element.CopyTo(bytes.AsSpan());
            for (int filled = size; filled < bytes.Length;)
            {
                int more = Math.Min(filled, bytes.Length - filled);
                bytes.AsSpan(0, more).CopyTo(bytes.AsSpan(filled));
                filled += more;
            }

            return data with { Bytes = bytes };
        }

        var random = new HostRandom(new RandomStream(seed, index));
        for (int i = 0; i < data.Count; i++)
        {
            SafetensorsElements.Write(data.Type, argument.Contents.Fill == BufferFill.Iota ? i : random.Normal(), bytes.AsSpan(i * size, size));
        }

        return data with { Bytes = bytes };
    }

    /// <summary>An argument with type and shape of the stored tensor, where it does not give its own.</summary>
    /// <param name="argument">The argument.</param>
    /// <exception cref="SprintException">The file cannot be read, or its tensor has another type or size.</exception>
    internal static KernelArgument Resolve(KernelArgument argument)
    {
        if (argument is StructureArgument structure)
        {
            return structure with { Members = [.. structure.Members.Select(Resolve)] };
        }

        if (argument is not BufferArgument { Contents: { Fill: BufferFill.Stored } contents } buffer)
        {
            return argument;
        }

        using SafetensorsFile file = SafetensorsFile.Open(contents.File);
        if (!file.Contains(contents.Tensor))
        {
            throw new SprintException(
                $"--arg '{argument.Text}': '{contents.File}' holds no tensor '{contents.Tensor}': it has {string.Join(", ", file.Entries.Select(static known => known.Name))}");
        }

        SafetensorsEntry entry = file.Find(contents.Tensor);
        SafetensorsDataType type = buffer.Type ?? entry.DataType;
        string stored = $"tensor '{contents.Tensor}' of '{contents.File}' holds {entry.ElementCount} elements {KernelArgument.NameOf(entry.DataType)}[{string.Join(",", entry.Shape)}]";
        if (entry.ElementCount < 1 || entry.ElementCount * Math.Max(type.ElementSize(), entry.DataType.ElementSize()) > Array.MaxLength)
        {
            throw new SprintException($"--arg '{argument.Text}': {stored}, and a buffer has from 1 to {Array.MaxLength} bytes");
        }

        BufferArgument resolved = buffer with { Type = type, Shape = buffer.Shape ?? (entry.Shape.Count == 0 ? [1] : [.. entry.Shape.Select(static extent => (int)extent)]) };
        if (resolved.Count != entry.ElementCount)
        {
            throw new SprintException($"--arg '{argument.Text}': {stored}, not {resolved.Count}");
        }

        return type == entry.DataType || (type.IsFloat() && entry.DataType.IsFloat())
            ? resolved
            : throw new SprintException($"--arg '{argument.Text}': {stored}, which are not converted to {KernelArgument.NameOf(type)}: only floats are, to other floats");
    }

    private static BufferData Load(BufferArgument argument)
    {
        (string path, string name) = (argument.Contents.File, argument.Contents.Tensor);
        var data = new BufferData(argument.Type!.Value, argument.Shape!, null);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsEntry entry = file.Find(name);
        byte[] bytes = new byte[entry.ElementCount * entry.DataType.ElementSize()];
        file.ReadBytes(name, bytes);
        return data with { Bytes = data.Type == entry.DataType ? bytes : Convert(bytes, entry.DataType, data.Type, argument.Text) };
    }

    private static byte[] Convert(byte[] bytes, SafetensorsDataType from, SafetensorsDataType to, string text)
    {
        (int read, int written) = (from.ElementSize(), to.ElementSize());
        byte[] converted = new byte[bytes.Length / read * written];
        for (int i = 0; i < bytes.Length / read; i++)
        {
            double number = SafetensorsElements.Read(from, bytes.AsSpan(i * read, read));
            Span<byte> element = converted.AsSpan(i * written, written);
            SafetensorsElements.Write(to, number, element);
            if (double.IsFinite(number) && !double.IsFinite(SafetensorsElements.Read(to, element)))
            {
                throw new SprintException(string.Create(CultureInfo.InvariantCulture, $"--arg '{text}': element {i} is {number}, which is beyond {KernelArgument.NameOf(to)}"));
            }
        }

        return converted;
    }
}
