namespace Sprint.Engine.Cpu;

/// <summary>A number known to the JIT when it compiles a tile's kernel.</summary>
internal interface ITileNumber
{
    /// <summary>The number.</summary>
    static abstract int Value { get; }
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber0 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 0;
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber1 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 1;
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber2 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 2;
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber3 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 3;
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber4 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 4;
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber6 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 6;
}

/// <summary>The number in its name.</summary>
internal readonly struct TileNumber8 : ITileNumber
{
    /// <inheritdoc/>
    public static int Value => 8;
}
