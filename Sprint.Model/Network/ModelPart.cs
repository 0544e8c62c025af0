namespace Sprint.Model.Network;

/// <summary>
/// The parts of the model under which <see cref="Engine.Account"/> counts. What runs in a block is counted under its part and branch: <c>middle/attention</c>,
/// <c>middle/mlp</c> or <c>middle/modulation</c>; what the modulation of all blocks shares under <c>embedding/modulation</c>.
/// </summary>
public static class ModelPart
{
    /// <summary>Patch, time and label embeddings.</summary>
    public const string Embedding = "embedding";

    /// <summary>The dense blocks before the drop.</summary>
    public const string Encoder = "encoder";

    /// <summary>The sparse blocks.</summary>
    public const string Middle = "middle";

    /// <summary>The projector of representation alignment.</summary>
    public const string Projector = "projector";

    /// <summary>The residual fusion.</summary>
    public const string Fusion = "fusion";

    /// <summary>The dense blocks after the fusion.</summary>
    public const string Decoder = "decoder";

    /// <summary>Final norm, linear layer and unpatchify.</summary>
    public const string Final = "final";

    /// <summary>The branch of a block from its norm to its gated residual, attention in between.</summary>
    public const string Attention = "attention";

    /// <summary>The branch of a block from its norm to its gated residual, two linear layers, or SwiGLU's three, in between.</summary>
    public const string Mlp = "mlp";

    /// <summary>The linear layers that make shift, scale and gate of a block, or what those of all blocks share.</summary>
    public const string Modulation = "modulation";

    /// <summary>The part of a name under which operations were counted: <c>middle</c> of <c>middle/mlp</c>.</summary>
    /// <param name="name">An <see cref="Engine.AccountKey.Part"/>.</param>
    public static string PartOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? name : name[..slash];
    }

    /// <summary>The branch of a name under which operations were counted: <c>mlp</c> of <c>middle/mlp</c>, nothing outside blocks.</summary>
    /// <param name="name">An <see cref="Engine.AccountKey.Part"/>.</param>
    public static string BranchOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name[(PartOf(name).Length is var length && length < name.Length ? length + 1 : length)..];
    }
}

/// <summary>The names under which the operations of a block are counted, made once, as a warm step allocates nothing.</summary>
/// <param name="Modulation">The linear layers of the modulation.</param>
/// <param name="Attention">The attention branch.</param>
/// <param name="Mlp">The MLP branch.</param>
internal sealed record BlockParts(string Modulation, string Attention, string Mlp)
{
    internal static BlockParts Of(string part) => new($"{part}/{ModelPart.Modulation}", $"{part}/{ModelPart.Attention}", $"{part}/{ModelPart.Mlp}");
}
