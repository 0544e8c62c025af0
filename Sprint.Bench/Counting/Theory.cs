using Sprint.Model.Configuration;

namespace Sprint.Bench.Counting;

/// <summary>
/// What the paper's arithmetic says, for any drop ratio: the matrix products of the blocks and of a padded fusion, forward.
/// A block of n tokens takes <c>24 n D^2 + 4 n^2 D</c> (with SwiGLU <c>8 n D^2 + 6 n D F</c> and the same square), the fusion <c>4 N D^2</c>; the middle blocks see <c>(1 - r) N</c> tokens. docs/flops.md derives it.
/// </summary>
internal static class Theory
{
    /// <summary>FLOPs of a forward pass of one image.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ratio">The drop ratio, which need not be one that the grid has.</param>
    public static double ForwardFlops(ModelConfiguration model, double ratio)
    {
        double width = model.HiddenSize;
        double tokens = model.Tokens;
        return ((model.EncoderDepth + model.DecoderDepth) * Block(tokens)) + (model.MiddleDepth * Block((1 - ratio) * tokens)) + (4 * tokens * width * width);

        double Block(double seen) => (((8 * width * width) + ((model.UseSwiglu ? 6 : 4) * width * model.MlpWidth)) * seen) + (4 * seen * seen * width);
    }

    /// <summary>The part of a dense pass that dropping saves.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ratio">The drop ratio.</param>
    public static double Saved(ModelConfiguration model, double ratio) => 1 - (ForwardFlops(model, ratio) / ForwardFlops(model, 0));
}
