using Sprint.Engine.Operations;

namespace Sprint.Model;

/// <summary>Draws numbers one after the other, on the host, from a <see cref="RandomStream"/>.</summary>
public sealed class HostRandom(RandomStream stream)
{
    private ulong drawn;

    /// <summary>The next number in [0, 1): the one that a device's fill has at this place.</summary>
    public float Uniform() => Philox.Uniform(Word());

    /// <summary>A standard normal number; it consumes two words and uses the first of their two numbers.</summary>
    public float Normal() => Philox.Normal(Word(), Word()).Normal0;

    private uint Word()
    {
        (uint word0, uint word1, uint word2, uint word3) = Philox.Block(stream.Seed, stream.Stream, stream.Counter + (drawn / 4));
        return (drawn++ % 4) switch
        {
            0 => word0,
            1 => word1,
            2 => word2,
            _ => word3,
        };
    }
}
