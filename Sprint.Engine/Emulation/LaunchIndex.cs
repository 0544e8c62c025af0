namespace Sprint.Engine.Emulation;

/// <summary>Three unsigned coordinates: a grid's or block's extent, or the position of a block or thread in it.</summary>
/// <param name="X">The fastest coordinate.</param>
/// <param name="Y">The middle coordinate.</param>
/// <param name="Z">The slowest coordinate.</param>
public readonly record struct LaunchIndex(uint X, uint Y = 1, uint Z = 1)
{
    /// <summary>Product of the three coordinates: how many elements an extent has.</summary>
    public ulong Count => (ulong)X * Y * Z;

    /// <summary>The position with the given rank in this extent, X fastest.</summary>
    /// <param name="rank">0 up to <see cref="Count"/>, exclusive.</param>
    public LaunchIndex At(ulong rank) => new((uint)(rank % X), (uint)(rank / X % Y), (uint)(rank / X / Y));

    /// <inheritdoc/>
    public override string ToString() => $"({X},{Y},{Z})";
}
