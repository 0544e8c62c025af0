namespace Sprint.Engine.Emulation;

/// <summary>Draws what a schedule leaves open (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).</summary>
internal static class SplitMix64
{
    /// <summary>The next number.</summary>
    /// <param name="state">Where the sequence is; any number to begin with.</param>
    public static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
}
