namespace Sprint.Engine.Cuda;

/// <summary>The extent of a grid in blocks, or of a block in threads.</summary>
/// <param name="X">Extent along x, the fastest.</param>
/// <param name="Y">Extent along y.</param>
/// <param name="Z">Extent along z.</param>
public readonly record struct Dim3(int X, int Y = 1, int Z = 1)
{
    /// <summary>How many blocks or threads these are in all.</summary>
    public long Count => (long)X * Y * Z;

    /// <summary>A one-dimensional extent.</summary>
    /// <param name="x">Extent along x.</param>
    public static implicit operator Dim3(int x) => new(x);

    /// <summary>A two-dimensional extent.</summary>
    /// <param name="extent">Extents along x and y.</param>
    public static implicit operator Dim3((int X, int Y) extent) => new(extent.X, extent.Y);

    /// <summary>A three-dimensional extent.</summary>
    /// <param name="extent">Extents along x, y and z.</param>
    public static implicit operator Dim3((int X, int Y, int Z) extent) => new(extent.X, extent.Y, extent.Z);

    /// <summary>A one-dimensional extent.</summary>
    /// <param name="x">Extent along x.</param>
    public static Dim3 FromInt32(int x) => x;

    /// <inheritdoc/>
    public override string ToString() => $"{X}x{Y}x{Z}";
}
