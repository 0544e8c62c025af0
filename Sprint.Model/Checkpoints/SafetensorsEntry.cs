namespace Sprint.Model.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
public sealed class SafetensorsEntry
{
    internal SafetensorsEntry(string name, SafetensorsDataType dataType, long[] shape, long elementCount, long begin, long end)
    {
        Name = name;
        DataType = dataType;
        Shape = shape;
        ElementCount = elementCount;
        Begin = begin;
        End = end;
    }

    /// <summary>The tensor's name, unique in its file.</summary>
    public string Name { get; }

    /// <summary>The element type as stored.</summary>
    public SafetensorsDataType DataType { get; }

    /// <summary>The lengths of the dimensions, the last one contiguous; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The product of <see cref="Shape"/>; 1 for a scalar.</summary>
    public long ElementCount { get; }

    /// <summary>Offset of the first byte within the data section.</summary>
    internal long Begin { get; }

    /// <summary>Offset behind the last byte within the data section.</summary>
    internal long End { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {DataType} ({string.Join(", ", Shape)})";
}
