namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>Rounding modes of PTX.</summary>
internal enum RoundingMode
{
    /// <summary>To nearest, ties to even.</summary>
    Nearest,

    /// <summary>Towards zero.</summary>
    Zero,

    /// <summary>Towards minus infinity.</summary>
    Down,

    /// <summary>Towards plus infinity.</summary>
    Up,

    /// <summary>To nearest, ties away from zero.</summary>
    NearestAway,
}
