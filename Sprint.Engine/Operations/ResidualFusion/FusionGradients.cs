namespace Sprint.Engine.Operations;

/// <summary>
/// Where the backward pass of <see cref="ResidualFusion"/> writes. Each tensor has the shape of what it is the gradient of, or
/// is empty where no gradient is wanted; each flag says whether to add to what the tensor holds instead of overwriting it.
/// </summary>
/// <param name="Dense">Of f.</param>
/// <param name="AccumulateDense">Whether to add to it.</param>
/// <param name="Sparse">Of g.</param>
/// <param name="AccumulateSparse">Whether to add to it.</param>
/// <param name="Weight">Of W.</param>
/// <param name="AccumulateWeight">Whether to add to it.</param>
/// <param name="Bias">Of b.</param>
/// <param name="AccumulateBias">Whether to add to it.</param>
/// <param name="MaskToken">Of m; always added to.</param>
public readonly record struct FusionGradients(
    Tensor Dense,
    bool AccumulateDense,
    Tensor Sparse,
    bool AccumulateSparse,
    Tensor Weight,
    bool AccumulateWeight,
    Tensor Bias,
    bool AccumulateBias,
    Tensor MaskToken);
