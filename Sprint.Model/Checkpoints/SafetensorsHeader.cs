using System.Text.Json;
using System.Text.Unicode;
using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>
/// Parses and checks a safetensors header. Nothing in it is trusted: every tensor's byte range must match its type and shape,
/// and the ranges together must cover the data section exactly once.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's limit on the header's length in bytes.</summary>
    public const long MaximumLength = 100_000_000;

    private const string MetadataKey = "__metadata__";
    private readonly string path;

    private SafetensorsHeader(string path) => this.path = path;

    public List<SafetensorsEntry> Entries { get; } = [];

    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <param name="path">The file's name, for errors.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">Bytes in the file behind the header.</param>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long dataLength)
    {
        SafetensorsHeader header = new(path);
        if (!Utf8.IsValid(json))
            throw header.Fault("its header is not valid UTF-8");
        try
        {
            header.ReadTensors(json);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new SprintException($"'{path}' is not a valid safetensors file: its header is not valid JSON ({exception.Message})", exception);
        }

        header.CheckCoverage(dataLength);
        return header;
    }

    private void ReadTensors(ReadOnlySpan<byte> json)
    {
        Utf8JsonReader reader = new(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault("its header is not a JSON object");
        HashSet<string> names = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (!names.Add(name))
                throw Fault(name == MetadataKey ? "its header holds the metadata twice" : $"tensor '{name}' appears twice in its header");
            reader.Read();
            if (name == MetadataKey)
                ReadMetadata(ref reader);
            else
                Entries.Add(ReadEntry(name, ref reader));
        }

        // Reading on finds anything but white space behind the object, which the reader reports as invalid JSON.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault("its metadata is not a JSON object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Fault($"its metadata '{key}' is not a string");
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw Fault($"its metadata '{key}' appears twice");
        }
    }

    private SafetensorsEntry ReadEntry(string name, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault($"the entry of tensor '{name}' is not a JSON object");
        string? dataType = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string property = reader.GetString()!;
            reader.Read();
            bool repeated = property switch
            {
                "dtype" => dataType is not null,
                "shape" => shape is not null,
                "data_offsets" => offsets is not null,
                _ => throw Fault($"the entry of tensor '{name}' has the unknown property '{property}'"),
            };
            if (repeated)
                throw Fault($"the entry of tensor '{name}' has '{property}' twice");
            if (property == "dtype")
                dataType = reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Fault($"the dtype of tensor '{name}' is not a string");
            else if (property == "shape")
                shape = ReadNumbers(name, property, ref reader);
            else
                offsets = ReadNumbers(name, property, ref reader);
        }

        if (dataType is null || shape is null || offsets is null)
            throw Fault($"the entry of tensor '{name}' lacks '{(dataType is null ? "dtype" : shape is null ? "shape" : "data_offsets")}'");
        return CheckEntry(name, dataType, shape, offsets);
    }

    private long[] ReadNumbers(string name, string property, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Fault($"the {property} of tensor '{name}' is not a list of whole numbers");
        List<long> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw Fault($"the {property} of tensor '{name}' holds something other than whole numbers from 0 to 2^63-1");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    private SafetensorsEntry CheckEntry(string name, string dataTypeName, long[] shape, long[] offsets)
    {
        if (!SafetensorsDataTypes.TryParse(dataTypeName, out SafetensorsDataType dataType))
            throw Fault($"tensor '{name}' has the unknown dtype '{dataTypeName}'");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw Fault($"the data_offsets of tensor '{name}' are [{string.Join(", ", offsets)}], not a begin and an end");
        UInt128 count = 1;
        foreach (long length in shape)
            count = checked(count * (UInt128)length) is var product && product <= long.MaxValue ? product : throw TooLarge();
        UInt128 bytes = count * (UInt128)dataType.ElementSize();
        if (bytes > long.MaxValue)
            throw TooLarge();
        if ((UInt128)(offsets[1] - offsets[0]) != bytes)
        {
            throw Fault($"tensor '{name}' of type {dataType} and shape ({string.Join(", ", shape)}) needs {bytes} bytes, "
                + $"but its data_offsets [{offsets[0]}, {offsets[1]}] hold {offsets[1] - offsets[0]}");
        }

        return new SafetensorsEntry(name, dataType, shape, (long)count, offsets[0], offsets[1]);

        SprintException TooLarge() => Fault($"the shape ({string.Join(", ", shape)}) of tensor '{name}' is larger than any memory");
    }

    private void CheckCoverage(long dataLength)
    {
        Entries.Sort((left, right) => left.Begin != right.Begin ? left.Begin.CompareTo(right.Begin)
            : left.End != right.End ? left.End.CompareTo(right.End) : string.CompareOrdinal(left.Name, right.Name));
        long position = 0;
        foreach (SafetensorsEntry entry in Entries)
        {
            if (entry.End > dataLength)
                throw Fault($"the data of tensor '{entry.Name}' ends at byte {entry.End}, but the file holds only {dataLength} bytes of data: it is truncated");
            if (entry.Begin < position)
                throw Fault($"the data of tensor '{entry.Name}' at byte {entry.Begin} overlaps the tensor before it, which ends at byte {position}");
            if (entry.Begin > position)
                throw Fault($"there is a hole of {entry.Begin - position} bytes before the data of tensor '{entry.Name}'");
            position = entry.End;
        }

        if (position != dataLength)
            throw Fault($"its tensors end at byte {position} of the data, but {dataLength - position} more bytes follow");
    }

    private SprintException Fault(string reason) => new($"'{path}' is not a valid safetensors file: {reason}");
}
