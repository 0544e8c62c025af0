using Sprint.Engine;

namespace Sprint.Model.Network;

/// <summary>What of the sparse path a forward pass runs.</summary>
/// <param name="KeptIds">(batch, M) int32: the tokens that the middle blocks see; empty for all of them.</param>
/// <param name="PathDrop">(batch) int32: 1 where a sample's sparse path is replaced by mask tokens; empty for none.</param>
/// <param name="SkipsMiddle">
/// Whether the middle blocks do not run at all and mask tokens stand for their output: the unconditional half of path-drop
/// guidance.
/// </param>
public readonly record struct TokenSelection(Tensor KeptIds, Tensor PathDrop, bool SkipsMiddle)
{
    /// <summary>Every token through every block.</summary>
    public static TokenSelection Dense => default;

    /// <summary>Encoder, fusion with mask tokens, decoder.</summary>
    public static TokenSelection PathDropped => new(default, default, true);
}
