using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>
/// Reads the layout of a kernel's parameters from its image, so that a launch with too few, too many or wrongly sized arguments is an
/// error and not a wrong result. PTX declares them at the entry; a cubin lists them in the section ".nv.info.KERNEL" and has the code in ".text.KERNEL".
/// </summary>
internal static partial class KernelImageReader
{
    private const int ElfHeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const byte SizedValueFormat = 4;
    private const byte MaximumThreadsAttribute = 0x05;
    private const byte KernelParameterAttribute = 0x17;
    private const int KernelParameterRecordSize = 12;

    /// <summary>Whether the image is an ELF file, that is a cubin, rather than PTX text.</summary>
    public static bool IsElf(ReadOnlySpan<byte> image) => image.StartsWith("\u007fELF"u8);

    /// <summary>Reads the parameters of an entry point.</summary>
    /// <returns>False where the image is of another kind or does not hold the entry point.</returns>
    public static bool TryReadParameters(ReadOnlySpan<byte> image, string entryPoint, [NotNullWhen(true)] out KernelParameter[]? parameters) =>
        IsElf(image) ? TryReadElf(image, entryPoint, out parameters) : TryReadPtx(image, entryPoint, out parameters);

    /// <summary>The most threads a block that a cubin's kernel was compiled for, or null where it declares none or is not there.</summary>
    public static int? ReadMaximumThreads(ReadOnlySpan<byte> cubin, string entryPoint)
    {
        if (!IsElf(cubin) || !TryFindSection(cubin, ".nv.info." + entryPoint, out ReadOnlySpan<byte> section))
        {
            return null;
        }

        while (TryTakeAttribute(ref section, out byte attribute, out ReadOnlySpan<byte> value))
        {
            if (attribute == MaximumThreadsAttribute && value.Length >= 12)
            {
                long threads = (long)BinaryPrimitives.ReadUInt32LittleEndian(value) * BinaryPrimitives.ReadUInt32LittleEndian(value[4..]) * BinaryPrimitives.ReadUInt32LittleEndian(value[8..]);
                return (int)Math.Clamp(threads, 1, 1024);
            }
        }

        return null;
    }

    /// <summary>Finds a section of a cubin by its name.</summary>
    public static bool TryFindSection(ReadOnlySpan<byte> image, string name, out ReadOnlySpan<byte> section)
    {
        section = default;
        if (image.Length < ElfHeaderSize)
        {
            return false;
        }

        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(image[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(image[60..]);
        int namesIndex = BinaryPrimitives.ReadUInt16LittleEndian(image[62..]);
        if (namesIndex >= count || !TrySlice(image, table, (ulong)count * SectionHeaderSize, out ReadOnlySpan<byte> headers)
            || !TryContents(image, headers, namesIndex, out ReadOnlySpan<byte> names))
        {
            return false;
        }

        byte[] wanted = Encoding.UTF8.GetBytes(name + '\0');
        for (int i = 0; i < count; i++)
        {
            uint nameOffset = BinaryPrimitives.ReadUInt32LittleEndian(headers[(i * SectionHeaderSize)..]);
            if (nameOffset < (uint)names.Length && names[(int)nameOffset..].StartsWith(wanted))
            {
                return TryContents(image, headers, i, out section);
            }
        }

        return false;
    }

    private static bool TryReadPtx(ReadOnlySpan<byte> image, string entryPoint, [NotNullWhen(true)] out KernelParameter[]? parameters)
    {
        parameters = null;
        string text = Encoding.UTF8.GetString(image.TrimEnd((byte)0));
        Match entry = Regex.Match(text, $@"\.entry\s+{Regex.Escape(entryPoint)}(?![\w$])\s*(\((?<list>[^)]*)\))?");
        if (!entry.Success)
        {
            return false;
        }

        List<KernelParameter> result = [];
        int offset = 0;
        foreach (Match match in PtxParameter().Matches(entry.Groups["list"].Value))
        {
            int bytes = int.Parse(match.Groups["bits"].Value, CultureInfo.InvariantCulture) / 8;
            int alignment = match.Groups["alignment"].Success ? int.Parse(match.Groups["alignment"].Value, CultureInfo.InvariantCulture) : bytes;
            int size = match.Groups["count"].Success ? bytes * int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture) : bytes;
            KernelParameterKind kind = match.Groups["count"].Success
                ? KernelParameterKind.Bytes
                : match.Groups["type"].Value == "f" ? KernelParameterKind.FloatingPoint : KernelParameterKind.IntegerOrPointer;
            offset = (offset + alignment - 1) / alignment * alignment;
            result.Add(new KernelParameter(offset, size, kind));
            offset += size;
        }

        parameters = [.. result];
        return true;
    }

    private static bool TryReadElf(ReadOnlySpan<byte> image, string entryPoint, [NotNullWhen(true)] out KernelParameter[]? parameters)
    {
        parameters = null;
        if (!TryFindSection(image, ".nv.info." + entryPoint, out ReadOnlySpan<byte> section))
        {
            return false;
        }

        SortedDictionary<int, KernelParameter> byOrdinal = [];
        while (TryTakeAttribute(ref section, out byte attribute, out ReadOnlySpan<byte> record))
        {
            if (attribute == KernelParameterAttribute && record.Length >= KernelParameterRecordSize)
            {
                int ordinal = BinaryPrimitives.ReadUInt16LittleEndian(record[4..]);
                int offset = BinaryPrimitives.ReadUInt16LittleEndian(record[6..]);
                int bytes = (int)(BinaryPrimitives.ReadUInt32LittleEndian(record[8..]) >> 18);
                byOrdinal[ordinal] = new KernelParameter(offset, bytes, KernelParameterKind.Bytes);
            }
        }

        if (section.Length > 0)
        {
            return false;
        }

        parameters = [.. byOrdinal.Values];
        return true;
    }

    // Each attribute is a format, a number and two bytes, which are the value or the length of the value that follows.
    private static bool TryTakeAttribute(ref ReadOnlySpan<byte> section, out byte attribute, out ReadOnlySpan<byte> value)
    {
        attribute = 0;
        value = default;
        if (section.Length < 4)
        {
            section = default;
            return false;
        }

        int size = section[0] == SizedValueFormat ? BinaryPrimitives.ReadUInt16LittleEndian(section[2..]) : 0;
        if (size > section.Length - 4)
        {
            return false;
        }

        attribute = section[1];
        value = section.Slice(4, size);
        section = section[(4 + size)..];
        return true;
    }

    private static bool TryContents(ReadOnlySpan<byte> image, ReadOnlySpan<byte> headers, int index, out ReadOnlySpan<byte> contents)
    {
        ReadOnlySpan<byte> header = headers.Slice(index * SectionHeaderSize, SectionHeaderSize);
        return TrySlice(
            image, BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt64LittleEndian(header[32..]), out contents);
    }

    private static bool TrySlice(ReadOnlySpan<byte> image, ulong start, ulong length, out ReadOnlySpan<byte> slice)
    {
        bool inside = start <= (ulong)image.Length && length <= (ulong)image.Length - start;
        slice = inside ? image.Slice((int)start, (int)length) : default;
        return inside;
    }

    [GeneratedRegex(@"\.param\s+(\.align\s+(?<alignment>\d+)\s+)?\.(?<type>[usbf])(?<bits>8|16|32|64)\s+(\.ptr\S*\s+(\.\w+\s+)*(\.align\s+\d+\s+)?)?[\w$%]+(\[(?<count>\d+)\])?")]
    private static partial Regex PtxParameter();
}
