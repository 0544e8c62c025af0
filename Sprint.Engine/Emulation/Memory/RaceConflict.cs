namespace Sprint.Engine.Emulation.Memory;

/// <summary>The earlier of two racing accesses.</summary>
internal sealed class RaceConflict(uint entry, uint site, bool isWrite)
{
    public bool IsInFlight { get; } = entry >> 11 == RaceDetector.InFlight;

    public int Thread { get; } = (int)(entry & 1023);

    public uint Site { get; } = site & int.MaxValue;

    public bool IsWrite { get; } = isWrite;
}
