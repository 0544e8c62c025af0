namespace Sprint.Engine.Cuda;

/// <summary>An address in device memory. As a launch argument it is a kernel's pointer parameter.</summary>
/// <param name="Address">The address; 0 is the null pointer.</param>
public readonly record struct DevicePointer(ulong Address)
{
    /// <summary>The null pointer.</summary>
    public static DevicePointer Null => default;

    /// <summary>Whether this is the null pointer.</summary>
    public bool IsNull => Address == 0;

    /// <summary>The address that many bytes further on.</summary>
    /// <param name="bytes">Bytes to add; may be negative.</param>
    public DevicePointer Offset(long bytes) => new(Address + (ulong)bytes);

    /// <inheritdoc/>
    public override string ToString() => $"0x{Address:x}";
}
