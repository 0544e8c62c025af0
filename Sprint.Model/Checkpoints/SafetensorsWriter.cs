using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>Fills a span with a tensor's elements, row-major.</summary>
/// <param name="values">The span to fill, of the tensor's element count.</param>
public delegate void TensorFill(Span<float> values);

/// <summary>
/// Writes a safetensors file. Tensors are announced first and their elements fetched one tensor at a time while the file is written,
/// so that a checkpoint is never in memory twice. The same tensors and notes give the same bytes, in whatever order they were added:
/// data go by falling element size, then by name, as the format's own library writes them, so that every tensor is aligned.
/// </summary>
public sealed class SafetensorsWriter
{
    private readonly SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Pending> tensors = new(StringComparer.Ordinal);

    private sealed record Pending(string Name, SafetensorsDataType Type, long[] Shape, long Bytes, Action<Stream> Write);

    /// <summary>Sets a note.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="value">Its text.</param>
    public void SetMetadata(string key, string value) => metadata[key] = value;

    /// <summary>Adds a float tensor, stored as F32.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">The lengths of its dimensions.</param>
    /// <param name="values">Its elements, row-major; read when the file is written.</param>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<float> values) =>
        tensors.Add(name, Announce(name, SafetensorsDataType.F32, shape, values.Length, stream => WriteValues(stream, values)));

    /// <summary>Adds a tensor of 32-bit integers, stored as I32.</summary>
    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<int> values) =>
        tensors.Add(name, Announce(name, SafetensorsDataType.I32, shape, values.Length, stream => WriteValues(stream, values)));

    /// <summary>Adds a tensor of 64-bit integers, stored as I64.</summary>
    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<long> values) =>
        tensors.Add(name, Announce(name, SafetensorsDataType.I64, shape, values.Length, stream => WriteValues(stream, values)));

    /// <summary>Adds a tensor of unsigned 64-bit integers, such as counters of a random number generator, stored as U64.</summary>
    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<ulong> values) =>
        tensors.Add(name, Announce(name, SafetensorsDataType.U64, shape, values.Length, stream => WriteValues(stream, values)));

    /// <summary>Adds a tensor of bytes, stored as U8.</summary>
    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<byte> values) =>
        tensors.Add(name, Announce(name, SafetensorsDataType.U8, shape, values.Length, stream => stream.Write(values.Span)));

    /// <summary>Adds a tensor of any element type by its bytes.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="shape">The lengths of its dimensions.</param>
    /// <param name="bytes">Its elements, row-major, each little-endian; read when the file is written.</param>
    public void AddBytes(string name, SafetensorsDataType type, ReadOnlySpan<int> shape, ReadOnlyMemory<byte> bytes)
    {
        int size = type.ElementSize();
        if (bytes.Length % size != 0)
            throw new ArgumentException($"tensor '{name}' has {bytes.Length} bytes, which are no whole elements of {size}", nameof(bytes));
        tensors.Add(name, Announce(name, type, shape, bytes.Length / size, stream => stream.Write(bytes.Span)));
    }

    /// <summary>Adds a float tensor whose elements are fetched while the file is written, such as one that lives on a device.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">The lengths of its dimensions.</param>
    /// <param name="fill">Called once for each time the file is written, with a span of the tensor's element count.</param>
    /// <param name="storage">F32, or BF16 to round to the nearest bfloat16.</param>
    public void AddFloats(string name, ReadOnlySpan<int> shape, TensorFill fill, SafetensorsDataType storage = SafetensorsDataType.F32)
    {
        ArgumentNullException.ThrowIfNull(fill);
        if (storage is not (SafetensorsDataType.F32 or SafetensorsDataType.BF16))
            throw new ArgumentOutOfRangeException(nameof(storage), storage, "floats are stored as F32 or BF16");
        int count = checked((int)ElementCount(name, shape));
        tensors.Add(name, Announce(name, storage, shape, count, stream => WriteFilled(stream, count, fill, storage)));
    }

    /// <summary>Writes the file atomically; see <see cref="AtomicFile"/>.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <exception cref="SprintException">The file could not be written; an old one is as it was.</exception>
    public void Save(string path) => AtomicFile.Write(path, WriteTo);

    /// <summary>Writes the file's bytes to a stream.</summary>
    /// <param name="stream">Where to write; it stays open.</param>
    public void WriteTo(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Pending[] ordered = [.. tensors.Values
            .OrderByDescending(tensor => tensor.Type.ElementSize())
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal)];
        byte[] header = WriteHeader(ordered);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (Pending tensor in ordered)
            tensor.Write(stream);
    }

    private byte[] WriteHeader(Pending[] ordered)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (Pending tensor in ordered)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString());
                json.WriteStartArray("shape");
                foreach (long extent in tensor.Shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        int padding = (8 - (buffer.WrittenCount % 8)) % 8;
        buffer.GetSpan(8)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    private Pending Announce(string name, SafetensorsDataType type, ReadOnlySpan<int> shape, long length, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == "__metadata__" || tensors.ContainsKey(name))
            throw new ArgumentException($"the name '{name}' is taken", nameof(name));
        long count = ElementCount(name, shape);
        if (count != length)
            throw new ArgumentException($"tensor '{name}' has {count} elements by its shape, but {length} are given", nameof(shape));
        long[] extents = new long[shape.Length];
        for (int axis = 0; axis < shape.Length; axis++)
            extents[axis] = shape[axis];
        return new Pending(name, type, extents, count * type.ElementSize(), write);
    }

    private static long ElementCount(string name, ReadOnlySpan<int> shape)
    {
        long count = 1;
        foreach (int extent in shape)
            count = extent >= 0 ? checked(count * extent) : throw new ArgumentException($"tensor '{name}' has the negative dimension {extent}", nameof(shape));
        return count;
    }

    private static void WriteValues<T>(Stream stream, ReadOnlyMemory<T> values)
        where T : unmanaged => WriteValues(stream, values.Span);

    private static void WriteValues<T>(Stream stream, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        // In pieces, because the bytes of one array may be more than a span of bytes can count.
        const int piece = 1 << 20;
        for (int start = 0; start < values.Length; start += piece)
            stream.Write(SafetensorsConversion.ToLittleEndian(values.Slice(start, Math.Min(piece, values.Length - start))));
    }

    private static void WriteFilled(Stream stream, int count, TensorFill fill, SafetensorsDataType storage)
    {
        float[] buffer = ArrayPool<float>.Shared.Rent(count);
        try
        {
            Span<float> values = buffer.AsSpan(0, count);
            fill(values);
            if (storage == SafetensorsDataType.F32)
                WriteValues(stream, (ReadOnlySpan<float>)values);
            else
                WriteBfloat16(stream, values);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    private static void WriteBfloat16(Stream stream, ReadOnlySpan<float> values)
    {
        Span<ushort> piece = new ushort[Math.Min(values.Length, 1 << 16)];
        for (int start = 0; start < values.Length; start += piece.Length)
        {
            ReadOnlySpan<float> source = values.Slice(start, Math.Min(piece.Length, values.Length - start));
            for (int index = 0; index < source.Length; index++)
                piece[index] = SafetensorsConversion.ToBfloat16(source[index]);
            WriteValues(stream, (ReadOnlySpan<ushort>)piece[..source.Length]);
        }
    }
}
