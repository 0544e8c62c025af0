using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>What the header of a NumPy file says.</summary>
/// <param name="Shape">The length of each axis.</param>
/// <param name="IsHalf">Whether elements are float16 instead of float32.</param>
/// <param name="DataStart">Where in the file the elements begin, in bytes.</param>
internal sealed record NpyHeader(int[] Shape, bool IsHalf, long DataStart)
{
    public int ElementBytes => IsHalf ? 2 : sizeof(float);

    /// <summary>Elements as float32.</summary>
    /// <param name="bytes">Whole elements of the file; they may be the last bytes of <paramref name="values"/>.</param>
    /// <param name="values">Receives as many.</param>
    public void Widen(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (!IsHalf)
        {
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
            return;
        }

        ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes);
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)halves[i];
    }
}

/// <summary>Reads a NumPy file of little-endian floating-point numbers in C order, format 1 or 2.</summary>
internal static partial class NpyFile
{
    private const int MaximumHeader = 1 << 16;

    /// <summary>Reads the shape of a file of float32 and checks the header against the file's length.</summary>
    /// <exception cref="SprintException">The file cannot be read, or is not such a file.</exception>
    public static int[] ReadShape(string path) => Guard(path, stream => ReadSmall(path, stream));

    /// <summary>Reads the header of a file of float32 or float16, of any size, and checks it against the file's length.</summary>
    /// <exception cref="SprintException">The file cannot be read, or is not such a file.</exception>
    public static NpyHeader ReadHeader(string path) => Guard(path, stream => ReadHeader(path, stream, takesHalf: true));

    /// <summary>Reads all elements of a file of a known shape.</summary>
    /// <exception cref="SprintException">The file cannot be read, is not such a file, or has another shape.</exception>
    public static void Read(string path, ReadOnlySpan<int> shape, Span<float> values)
    {
        int[] wanted = shape.ToArray();
        float[] read = Guard(path, stream =>
        {
            int[] found = ReadSmall(path, stream);
            if (!found.AsSpan().SequenceEqual(wanted))
                throw new SprintException($"'{path}' has shape ({string.Join(", ", found)}), where ({string.Join(", ", wanted)}) is wanted");
            float[] elements = new float[found.Aggregate(1, (product, extent) => checked(product * extent))];
            stream.ReadExactly(MemoryMarshal.AsBytes(elements.AsSpan()));
            return elements;
        });
        read.CopyTo(values);
    }

    /// <summary>A file that is read as a whole.</summary>
    private static int[] ReadSmall(string path, FileStream stream)
    {
        int[] shape = ReadHeader(path, stream, takesHalf: false).Shape;
        return shape.Aggregate((UInt128)1, static (product, extent) => product * (uint)extent) <= int.MaxValue
            ? shape
            : throw TooLarge(path, string.Join(", ", shape));
    }

    private static NpyHeader ReadHeader(string path, FileStream stream, bool takesHalf)
    {
        Span<byte> start = stackalloc byte[12];
        int got = stream.ReadAtLeast(start[..10], 10, throwOnEndOfStream: false);
        if (got < 10 || start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
            throw Fault(path, "it does not begin with the magic number of a NumPy file");
        if (start[6] is not (1 or 2) || start[7] != 0)
            throw Fault(path, $"its format is version {start[6]}.{start[7]}, where 1.0 or 2.0 is wanted");
        long length = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (start[6] == 2)
        {
            stream.ReadAtLeast(start.Slice(10, 2), 2, throwOnEndOfStream: false);
            length = BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        }

        if (length > Math.Min(MaximumHeader, stream.Length - stream.Position))
            throw Fault(path, $"its header claims {length} bytes, more than the file or the format can hold");
        byte[] text = new byte[(int)length];
        stream.ReadExactly(text);
        string header = Encoding.Latin1.GetString(text);
        if (!Header().IsMatch(header))
            throw Fault(path, "its header is not a dictionary of descr, fortran_order and shape");
        string type = ElementType().Match(header).Groups[1].Value;
        bool isHalf = takesHalf && type == "<f2";
        if (type != "<f4" && !isHalf)
            throw Fault(path, $"its element type is '{type}', where '<f4' (little-endian float32){(takesHalf ? " or '<f2' (float16)" : "")} is wanted");
        if (Order().Match(header).Groups[1].Value != "False")
            throw Fault(path, "its elements are in Fortran order, where C order is wanted");
        int[] shape = CheckShape(path, Shape().Match(header).Groups[1].Value, stream.Length - stream.Position, isHalf ? 2 : sizeof(float));
        return new NpyHeader(shape, isHalf, stream.Position);
    }

    private static int[] CheckShape(string path, string text, long bytes, int elementBytes)
    {
        string[] extents = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        int[] shape = new int[extents.Length];
        UInt128 count = 1;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (!int.TryParse(extents[axis], NumberStyles.None, CultureInfo.InvariantCulture, out shape[axis]) || count > long.MaxValue / sizeof(float))
                throw TooLarge(path, text);
            count *= (uint)shape[axis];
        }

        return count * (uint)elementBytes == (UInt128)bytes
            ? shape
            : throw Fault(path, $"its shape ({text}) needs {count * (uint)elementBytes} bytes, but {bytes} follow its header");
    }

    private static T Guard<T>(string path, Func<FileStream, T> read)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return read(stream);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
    }

    private static SprintException TooLarge(string path, string shape) => Fault(path, $"its shape ({shape}) is larger than any memory");

    private static SprintException Fault(string path, string reason) => new($"'{path}' is not a usable NumPy file: {reason}");

    [GeneratedRegex(@"^\{(\s*'(descr'\s*:\s*'[^']{0,20}'|fortran_order'\s*:\s*(True|False)|shape'\s*:\s*\([0-9, ]*\))\s*,?){3}\s*\}\s*$")]
    private static partial Regex Header();

    [GeneratedRegex(@"'descr'\s*:\s*'([^']*)'")]
    private static partial Regex ElementType();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(\w+)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape'\s*:\s*\(([^)]*)\)")]
    private static partial Regex Shape();
}
