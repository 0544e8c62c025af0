namespace Sprint.Engine.Operations;

/// <summary>What <see cref="ResidualFusion"/> reads.</summary>
/// <param name="Dense">f (batch, tokens, width): the encoder's output.</param>
/// <param name="Sparse">g (batch, keptTokens, width): the middle blocks' output; empty where every token is dropped.</param>
/// <param name="Rows">
/// (batch, tokens) int32 from <see cref="TokenDrop.Locate"/>; empty where token i has row i of g, or where g is empty.
/// </param>
/// <param name="MaskToken">m (1, 1, width): stands for g where a token is dropped.</param>
/// <param name="Weight">W (width, 2 * width), the sparse half first.</param>
/// <param name="Bias">b (width).</param>
public readonly record struct FusionInputs(Tensor Dense, Tensor Sparse, Tensor Rows, Tensor MaskToken, Tensor Weight, Tensor Bias);
