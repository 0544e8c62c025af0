using System.Buffers.Binary;
using System.IO.Compression;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>
/// One IDX file of bytes, as MNIST's: two zero bytes, the element type (8 = unsigned byte), the number of dimensions,
/// each dimension as a big-endian 32-bit number, then the elements. Plain or gzip, told apart by gzip's own first bytes.
/// </summary>
internal sealed class IdxFile
{
    /// <summary>What deflate can expand a byte to at most; more cannot be in the file, whatever its header says.</summary>
    private const long MaximumExpansion = 1032;

    private IdxFile(int[] dimensions, byte[] elements)
    {
        Dimensions = dimensions;
        Elements = elements;
    }

    public int[] Dimensions { get; }

    public byte[] Elements { get; }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rank">The number of dimensions that it must have: 3 for images, 1 for labels.</param>
    /// <exception cref="SprintException">The file cannot be read, is truncated, corrupt, hostile, or of another type or rank.</exception>
    public static IdxFile Read(string path, int rank)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            bool compressed = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
            file.Position = 0;
            if (!compressed)
                return Parse(path, file, file.Length, rank);
            uint uncompressedLength = GzipLength(path, file);
            using GZipStream stream = new(file, CompressionMode.Decompress);
            IdxFile result = Parse(path, stream, file.Length * MaximumExpansion, rank);
            long read = result.Elements.LongLength + HeaderLength(rank);
            return (uint)read == uncompressedLength ? result : throw Fault(path, "its gzip data is damaged or followed by other data");
        }
        catch (InvalidDataException exception)
        {
            throw new SprintException($"'{path}' is not a valid IDX file: its gzip data is damaged", exception);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
    }

    private static IdxFile Parse(string path, Stream stream, long longestPossible, int rank)
    {
        byte[] header = new byte[HeaderLength(rank)];
        int got = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (got < 4 || header[0] != 0 || header[1] != 0)
            throw Fault(path, "it does not begin with the magic number of an IDX file");
        if (header[2] != 8)
            throw Fault(path, $"its element type is 0x{header[2]:X2}, where 0x08 (unsigned byte) is wanted");
        if (header[3] != rank)
            throw Fault(path, $"it has {header[3]} dimensions, where {rank} are wanted ({(rank == 1 ? "labels" : "images")})");
        if (got < header.Length)
            throw Fault(path, "it ends within its header");
        int[] dimensions = new int[rank];
        UInt128 length = 1;
        for (int axis = 0; axis < rank; axis++)
        {
            uint extent = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + (4 * axis)));
            if (extent is 0 or > int.MaxValue)
                throw Fault(path, $"its dimension {axis} is {extent}");
            dimensions[axis] = (int)extent;
            length *= extent;
        }

        string shape = string.Join(" x ", dimensions);
        if (length > (UInt128)Math.Min(Array.MaxLength, longestPossible))
            throw Fault(path, $"its header claims {shape} bytes, more than the file can hold");
        byte[] elements = new byte[(int)length];
        got = stream.ReadAtLeast(elements, elements.Length, throwOnEndOfStream: false);
        if (got < elements.Length)
            throw Fault(path, $"its header claims {shape} = {elements.Length} bytes, but only {got} follow: it is truncated");
        if (stream.ReadByte() >= 0)
            throw Fault(path, $"its header claims {shape} = {elements.Length} bytes, but more follow");
        return new IdxFile(dimensions, elements);
    }

    /// <summary>The uncompressed length modulo 2^32, which gzip keeps in the last four bytes; it tells of a missing or foreign end.</summary>
    private static uint GzipLength(string path, FileStream file)
    {
        if (file.Length < 18)
            throw Fault(path, "its gzip data is truncated");
        Span<byte> trailer = stackalloc byte[4];
        file.Position = file.Length - 4;
        file.ReadExactly(trailer);
        file.Position = 0;
        return BinaryPrimitives.ReadUInt32LittleEndian(trailer);
    }

    private static int HeaderLength(int rank) => 4 + (4 * rank);

    private static SprintException Fault(string path, string reason) => new($"'{path}' is not a valid IDX file: {reason}");
}
