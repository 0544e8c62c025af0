namespace Sprint.Engine.Cpu;

/// <summary>Hands out parts of a caller's scratch memory, each aligned to a cache line; without memory it only counts.</summary>
internal unsafe ref struct CpuScratch
{
    private const long Line = 64;

    private readonly byte* start;

    /// <summary>Starts at an address aligned to 64 bytes, or at null to count.</summary>
    internal CpuScratch(byte* start) => this.start = start;

    /// <summary>Bytes handed out.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The next <paramref name="count"/> floats.</summary>
    internal float* Floats(long count)
    {
        float* part = (float*)(start + Bytes);
        Bytes += (count * sizeof(float) + Line - 1) / Line * Line;
        return part;
    }

    /// <summary>The next <paramref name="count"/> tiles of sixteen by sixteen floats.</summary>
    internal float* Tiles(long count) => Floats(count * VectorRows.TileSize);
}
