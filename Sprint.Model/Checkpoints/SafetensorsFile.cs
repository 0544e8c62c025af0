using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>
/// A safetensors file open for reading: an 8-byte little-endian header length, a JSON header, raw little-endian data.
/// The header is read and checked when the file is opened, the tensors when they are asked for, by positioned reads that
/// may run on several threads at once and reach files of any size.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int ChunkBytes = 1 << 18;
    private readonly SafeFileHandle handle;
    private readonly long dataStart;
    private readonly Dictionary<string, SafetensorsEntry> byName = new(StringComparer.Ordinal);

    private SafetensorsFile(string path, SafeFileHandle handle, SafetensorsHeader header, long dataStart)
    {
        Path = path;
        this.handle = handle;
        this.dataStart = dataStart;
        Entries = header.Entries;
        Metadata = header.Metadata;
        foreach (SafetensorsEntry entry in header.Entries)
            byName.Add(entry.Name, entry);
    }

    /// <summary>The file's path, as it was given.</summary>
    public string Path { get; }

    /// <summary>All tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The file's own notes.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file, to be disposed of.</returns>
    /// <exception cref="SprintException">The file cannot be read, or is truncated, corrupt or hostile: the sentence names file and tensor.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, options: FileOptions.RandomAccess);
            long length = RandomAccess.GetLength(handle);
            Span<byte> prefix = stackalloc byte[8];
            if (length < prefix.Length)
                throw Fault(path, $"it has {length} bytes, fewer than the 8 of the header's length");
            ReadExactly(handle, path, prefix, 0);
            ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (headerLength > (ulong)SafetensorsHeader.MaximumLength)
                throw Fault(path, $"its header claims {headerLength} bytes, the format allows {SafetensorsHeader.MaximumLength}");
            if (headerLength > (ulong)(length - prefix.Length))
                throw Fault(path, $"its header claims {headerLength} bytes, but only {length - prefix.Length} follow: it is truncated");
            byte[] json = new byte[(int)headerLength];
            ReadExactly(handle, path, json, prefix.Length);
            long dataStart = prefix.Length + json.Length;
            SafetensorsHeader header = SafetensorsHeader.Parse(path, json, length - dataStart);
            SafetensorsFile file = new(path, handle, header, dataStart);
            handle = null;
            return file;
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
        finally
        {
            handle?.Dispose();
        }
    }

    /// <summary>Whether the file holds a tensor of that name.</summary>
    /// <param name="name">The tensor's name.</param>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>The tensor of that name.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="SprintException">There is none.</exception>
    public SafetensorsEntry Find(string name) => byName.TryGetValue(name, out SafetensorsEntry? entry)
        ? entry
        : throw new SprintException($"'{Path}' holds no tensor '{name}'");

    /// <summary>Reads a floating-point tensor (F32, F16, BF16, F64) as float32; F64 is rounded to the nearest.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Receives all elements, row-major; its length must be the tensor's element count.</param>
    /// <exception cref="SprintException">No such tensor, not a floating-point one, another element count, or the file cannot be read.</exception>
    public void ReadFloats(string name, Span<float> destination)
    {
        SafetensorsEntry entry = Find(name);
        if (!SafetensorsConversion.IsFloat(entry.DataType))
            throw new SprintException($"tensor '{name}' of '{Path}' holds {entry.DataType} elements where floats (F32, F16, BF16 or F64) are wanted");
        CheckCount(entry, destination.Length);
        if (entry.DataType == SafetensorsDataType.F32 && BitConverter.IsLittleEndian)
            ReadRaw(entry, destination);
        else
            ReadConverted(entry, destination, SafetensorsConversion.ToFloats);
    }

    /// <summary>Reads a floating-point tensor into a new array; see <see cref="ReadFloats(string, Span{float})"/>.</summary>
    /// <param name="name">The tensor's name.</param>
    public float[] ReadFloats(string name)
    {
        float[] values = new float[ArrayLength(Find(name))];
        ReadFloats(name, values);
        return values;
    }

    /// <summary>Reads an integer tensor (BOOL, U8, I8, U16, I16, U32, I32, U64, I64) as 64-bit integers.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Receives all elements, row-major; its length must be the tensor's element count.</param>
    /// <exception cref="SprintException">
    /// No such tensor, not an integer one, another element count, a U64 element beyond 2^63-1, or the file cannot be read.
    /// </exception>
    public void ReadIntegers(string name, Span<long> destination)
    {
        SafetensorsEntry entry = Find(name);
        if (!SafetensorsConversion.IsInteger(entry.DataType))
            throw new SprintException($"tensor '{name}' of '{Path}' holds {entry.DataType} elements where integers are wanted");
        CheckCount(entry, destination.Length);
        try
        {
            ReadConverted(entry, destination, SafetensorsConversion.ToIntegers);
        }
        catch (OverflowException exception)
        {
            throw new SprintException($"tensor '{name}' of '{Path}' holds a U64 element beyond 2^63-1", exception);
        }
    }

    /// <summary>Reads an integer tensor into a new array; see <see cref="ReadIntegers(string, Span{long})"/>.</summary>
    /// <param name="name">The tensor's name.</param>
    public long[] ReadIntegers(string name)
    {
        long[] values = new long[ArrayLength(Find(name))];
        ReadIntegers(name, values);
        return values;
    }

    /// <summary>Reads an integer tensor as 32-bit integers, such as token ids and labels.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="SprintException">As for <see cref="ReadIntegers(string, Span{long})"/>, or an element does not fit.</exception>
    public int[] ReadInt32(string name)
    {
        long[] values = ReadIntegers(name);
        return Array.ConvertAll(values, value => value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new SprintException($"tensor '{name}' of '{Path}' holds {value}, which does not fit 32 bits"));
    }

    /// <summary>Reads a tensor's bytes as they are stored, whatever its element type.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Receives all bytes; its length must be the tensor's size in bytes.</param>
    /// <exception cref="SprintException">No such tensor, another length, or the file cannot be read.</exception>
    public void ReadBytes(string name, Span<byte> destination)
    {
        SafetensorsEntry entry = Find(name);
        if (destination.Length != entry.End - entry.Begin)
            throw new SprintException($"tensor '{name}' of '{Path}' has {entry.End - entry.Begin} bytes where {destination.Length} are wanted");
        ReadExactly(entry, destination, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private delegate void Convert<T>(SafetensorsDataType type, ReadOnlySpan<byte> source, Span<T> destination);

    private void ReadRaw(SafetensorsEntry entry, Span<float> destination)
    {
        // In pieces, because the bytes of one tensor may be more than a span of bytes can count.
        const int piece = 1 << 28;
        for (int start = 0; start < destination.Length; start += piece)
        {
            Span<float> target = destination.Slice(start, Math.Min(piece, destination.Length - start));
            ReadExactly(entry, MemoryMarshal.AsBytes(target), (long)start * sizeof(float));
        }
    }

    private void ReadConverted<T>(SafetensorsEntry entry, Span<T> destination, Convert<T> convert)
    {
        int size = entry.DataType.ElementSize();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            for (int done = 0; done < destination.Length;)
            {
                int count = Math.Min(ChunkBytes / size, destination.Length - done);
                Span<byte> chunk = buffer.AsSpan(0, count * size);
                ReadExactly(entry, chunk, (long)done * size);
                convert(entry.DataType, chunk, destination.Slice(done, count));
                done += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void ReadExactly(SafetensorsEntry entry, Span<byte> destination, long offset)
    {
        try
        {
            ReadExactly(handle, Path, destination, dataStart + entry.Begin + offset);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe($"read tensor '{entry.Name}' of", Path, exception);
        }
    }

    private static void ReadExactly(SafeFileHandle handle, string path, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int count = RandomAccess.Read(handle, destination, offset);
            if (count == 0)
                throw Fault(path, $"it ends at byte {offset}, while it was being read");
            destination = destination[count..];
            offset += count;
        }
    }

    private void CheckCount(SafetensorsEntry entry, int length)
    {
        if (length != entry.ElementCount)
        {
            throw new SprintException($"tensor '{entry.Name}' of '{Path}' has shape ({string.Join(", ", entry.Shape)}), {entry.ElementCount} elements, "
                + $"where {length} are wanted");
        }
    }

    private int ArrayLength(SafetensorsEntry entry) => entry.ElementCount <= Array.MaxLength
        ? (int)entry.ElementCount
        : throw new SprintException($"tensor '{entry.Name}' of '{Path}' has {entry.ElementCount} elements, more than one array can hold");

    private static SprintException Fault(string path, string reason) => new($"'{path}' is not a valid safetensors file: {reason}");
}
