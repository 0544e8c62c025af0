namespace Sprint.Engine.Measurement;

/// <summary>The extents with which kernels are measured: those of a model's blocks and a batch.</summary>
/// <param name="Batch">Samples.</param>
/// <param name="Tokens">Tokens of a sample.</param>
/// <param name="Kept">Tokens that the middle blocks see.</param>
/// <param name="Width">Channels of a token.</param>
/// <param name="Heads">Attention heads.</param>
public sealed record KernelShape(int Batch, int Tokens, int Kept, int Width, int Heads)
{
    /// <summary>SPRINT XL/2 at 256 x 256 pixels (32 x 32 latents), three of four tokens dropped.</summary>
    /// <param name="batch">Samples.</param>
    public static KernelShape ExtraLarge(int batch) => new(batch, 256, 64, 1152, 16);

    /// <summary>Channels of a head.</summary>
    public int HeadSize => Width / Heads;
}
