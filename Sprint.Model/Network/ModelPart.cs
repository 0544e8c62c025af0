namespace Sprint.Model.Network;

/// <summary>The parts of the model under which <see cref="Engine.Account"/> counts.</summary>
public static class ModelPart
{
    /// <summary>Patch, time and label embeddings.</summary>
    public const string Embedding = "embedding";

    /// <summary>The dense blocks before the drop.</summary>
    public const string Encoder = "encoder";

    /// <summary>The sparse blocks.</summary>
    public const string Middle = "middle";

    /// <summary>The residual fusion.</summary>
    public const string Fusion = "fusion";

    /// <summary>The dense blocks after the fusion.</summary>
    public const string Decoder = "decoder";

    /// <summary>Final norm, linear layer and unpatchify.</summary>
    public const string Final = "final";
}
