namespace Sprint.Engine.Operations;

/// <summary>
/// Cuts images (batch, channels, height, width) into tokens (batch, N, channels * patch^2) and puts them together again.
/// Token n at grid (h, w), row-major, holds over (c, p1, p2), in that order, pixel (c, h*patch+p1, w*patch+p2).
/// Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 2.
/// </summary>
public static class Patchify
{
    private const string Name = "patchify";

    /// <summary>Image to tokens.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="image">(batch, channels, height, width).</param>
    /// <param name="patch">Side of a patch; divides height and width.</param>
    /// <returns>(batch, N, channels * patch^2), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor image, int patch)
    {
        Require.Numbers(image, Name, "the image");
        Require.Rank(image, 4, Name, "the image");
        (int batch, int channels, int height, int width) = (image.Shape[0], image.Shape[1], image.Shape[2], image.Shape[3]);
        Require.That(
            patch > 0 && height % patch == 0 && width % patch == 0, Name, $"patch {patch} does not divide an image of {height}x{width}");
        using Tensor tokens = image.Device.Allocate(new Shape(batch, height / patch * (width / patch), channels * patch * patch), image.ElementType);
        Run(image, tokens, patch, toTokens: true);
        Record(tape, image, tokens, patch, toTokens: true);
        return tokens.Retain();
    }

    /// <summary>Tokens to image: the inverse.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="tokens">(batch, N, channels * patch^2).</param>
    /// <param name="patch">Side of a patch.</param>
    /// <param name="height">Height of the image.</param>
    /// <param name="width">Width of the image.</param>
    /// <returns>(batch, channels, height, width), which the caller disposes.</returns>
    public static Tensor Invert(Tape? tape, Tensor tokens, int patch, int height, int width)
    {
        Require.Numbers(tokens, Name, "the tokens");
        Require.Rank(tokens, 3, Name, "the tokens");
        Require.That(
            patch > 0 && height % patch == 0 && width % patch == 0, Name, $"patch {patch} does not divide an image of {height}x{width}");
        Require.Length(tokens, 1, height / patch * (width / patch), Name, "the tokens");
        int features = tokens.Shape[2];
        Require.That(features % (patch * patch) == 0, Name, $"tokens of {features} features are no patches of side {patch}");
        using Tensor image = tokens.Device.Allocate(new Shape(tokens.Shape[0], features / (patch * patch), height, width), tokens.ElementType);
        Run(image, tokens, patch, toTokens: false);
        Record(tape, tokens, image, patch, toTokens: false);
        return image.Retain();
    }

    private static void Run(Tensor image, Tensor tokens, int patch, bool toTokens)
    {
        if (image.Device.Dispatch(new OperationCost(Name, 0, 0, image.Bytes, image.Bytes)))
        {
            IPatchifyKernels kernels = image.Device.Kernels<IPatchifyKernels>();
            if (toTokens)
            {
                kernels.ToTokens(image, patch, tokens);
            }
            else
            {
                kernels.ToImage(tokens, patch, image);
            }
        }
    }

    private static void Record(Tape? tape, Tensor input, Tensor output, int patch, bool toTokens)
    {
        if (Tape.Records(tape, input))
        {
            var node = tape.Record<PatchifyNode>(output);
            node.Patch = patch;
            node.ToTokens = toTokens;
            node.InputShape = input.Shape;
            node.InputSlot = Tape.Slot(input);
        }
    }

    /// <summary>A permutation: its gradient is permuted back.</summary>
    private sealed class PatchifyNode : TapeNode
    {
        internal int Patch { get; set; }

        internal bool ToTokens { get; set; }

        internal Shape InputShape { get; set; }

        internal GradientSlot InputSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            using Tensor inputGradient = gradient.Device.Allocate(InputShape, gradient.ElementType);
            if (ToTokens)
            {
                Run(inputGradient, gradient, Patch, toTokens: false);
            }
            else
            {
                Run(gradient, inputGradient, Patch, toTokens: true);
            }

            InputSlot.Pass(inputGradient);
        }

        protected internal override void Release() => Tape.Release(InputSlot);
    }
}

/// <summary>What a device does for <see cref="Patchify"/>.</summary>
public interface IPatchifyKernels
{
    /// <summary>Image to tokens.</summary>
    /// <param name="image">(batch, channels, height, width).</param>
    /// <param name="patch">Side of a patch.</param>
    /// <param name="tokens">(batch, N, channels * patch^2), overwritten.</param>
    void ToTokens(Tensor image, int patch, Tensor tokens);

    /// <summary>Tokens to image.</summary>
    /// <param name="tokens">(batch, N, channels * patch^2).</param>
    /// <param name="patch">Side of a patch.</param>
    /// <param name="image">(batch, channels, height, width), overwritten.</param>
    void ToImage(Tensor tokens, int patch, Tensor image);
}
