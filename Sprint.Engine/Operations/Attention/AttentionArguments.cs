namespace Sprint.Engine.Operations;

/// <summary>What the forward and the backward pass of <see cref="Attention"/> both read, beside qkv.</summary>
/// <param name="Heads">The number of heads.</param>
/// <param name="QueryNormWeight">(headSize): weight of the RMS norm of q, or empty for no norm.</param>
/// <param name="KeyNormWeight">(headSize): weight of the RMS norm of k, or empty for no norm.</param>
/// <param name="Cosines">(positions, headSize / 2): the rotary tables, as in <see cref="RopeTable"/>.</param>
/// <param name="Sines">(positions, headSize / 2).</param>
/// <param name="TokenIds">(batch, tokens) int32: each token's row in the tables, or empty where token i has row i.</param>
public readonly record struct AttentionArguments(
    int Heads, Tensor QueryNormWeight, Tensor KeyNormWeight, Tensor Cosines, Tensor Sines, Tensor TokenIds);
