using System.Runtime.CompilerServices;

namespace Sprint.Engine.Operations;

/// <summary>Philox 4x32 with 10 rounds. Source: Salmon et al., SC 2011, section 5.3.</summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four words of one block.</summary>
    /// <param name="seed">The key, low word first.</param>
    /// <param name="stream">Words 2 and 3 of the counter, low word first.</param>
    /// <param name="counter">Words 0 and 1 of the counter, low word first.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint Word0, uint Word1, uint Word2, uint Word3) Block(ulong seed, ulong stream, ulong counter)
    {
        (uint c0, uint c1) = ((uint)counter, (uint)(counter >> 32));
        (uint c2, uint c3) = ((uint)stream, (uint)(stream >> 32));
        (uint key0, uint key1) = ((uint)seed, (uint)(seed >> 32));
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0;
            ulong product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = (
                (uint)(product1 >> 32) ^ c1 ^ key0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ key1, (uint)product0);
            key0 += Weyl0;
            key1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>A word as a number in [0, 1): its upper 24 bits, each value equally likely.</summary>
    /// <param name="word">The word.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Uniform(uint word) => (word >> 8) * (1f / (1 << 24));

    /// <summary>Two words as two independent standard normal numbers (Box and Muller).</summary>
    /// <param name="word0">Gives the radius.</param>
    /// <param name="word1">Gives the angle.</param>
    public static (float Normal0, float Normal1) Normal(uint word0, uint word1) => ExactNormal.Pair(word0, word1);
}
