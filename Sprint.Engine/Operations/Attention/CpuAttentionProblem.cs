namespace Sprint.Engine.Cpu;

/// <summary>
/// What one attention operation on the cpu device is about: sizes, the optional norm weights of queries and keys, and the rotary tables.
/// One sample's qkv is [tokens, 3, heads, headSize] (all queries of a token, then keys, then values), its output
/// [tokens, heads, headSize], its log-sum-exp [heads, tokens].
/// </summary>
internal readonly unsafe struct CpuAttentionProblem
{
    /// <summary>Rows of the sample, at least 1.</summary>
    internal required int Tokens { get; init; }

    /// <summary>Heads, at least 1.</summary>
    internal required int Heads { get; init; }

    /// <summary>Channels of a head: a multiple of 4, from 4 to 256.</summary>
    internal required int HeadSize { get; init; }

    /// <summary>Weight [headSize] of the queries' RMSNorm; null for no norm.</summary>
    internal float* QueryNormWeight { get; init; }

    /// <summary>Weight [headSize] of the keys' RMSNorm; null for no norm.</summary>
    internal float* KeyNormWeight { get; init; }

    /// <summary>Cosines [positions, headSize/2], one for each channel pair (2j, 2j+1).</summary>
    internal required float* CosTable { get; init; }

    /// <summary>Sines [positions, headSize/2].</summary>
    internal required float* SinTable { get; init; }

    /// <summary>Floats from one token to the next in qkv.</summary>
    internal nint QkvStride => (nint)3 * Heads * HeadSize;

    /// <summary>Floats from one token to the next in the output.</summary>
    internal nint OutStride => (nint)Heads * HeadSize;

    /// <summary>Groups of sixteen tokens, the last one perhaps not full.</summary>
    internal int Groups => GroupsOf(Tokens);

    /// <summary>Tiles of sixteen channels in a head, the last one perhaps not full.</summary>
    internal int Depth => GroupsOf(HeadSize);

    /// <summary>What scores are multiplied with: headSize^-0.5.</summary>
    internal float Scale => 1f / MathF.Sqrt(HeadSize);

    /// <summary>What scores are multiplied with so that the softmax can use powers of two.</summary>
    internal float ScaleInBits => Scale * 1.44269502f;

    /// <summary>Tokens of a group.</summary>
    internal int TokensOfGroup(int group) => Math.Min(VectorMath.Lanes, Tokens - group * VectorMath.Lanes);

    /// <summary>Groups of sixteen that hold so many.</summary>
    internal static int GroupsOf(int count) => (count + VectorMath.Lanes - 1) / VectorMath.Lanes;
}
