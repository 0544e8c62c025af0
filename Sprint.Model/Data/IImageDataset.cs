namespace Sprint.Model.Data;

/// <summary>
/// A set of labelled images of one size, or of latents that take their place. Reads may run on several threads at once.
/// </summary>
public interface IImageDataset : IDisposable
{
    /// <summary>How many images there are; at least 1.</summary>
    int Count { get; }

    /// <summary>How many classes there are; labels run from 0 to this less 1.</summary>
    int Classes { get; }

    /// <summary>The classes' names, by label.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>C: 1 for grey, 3 for red, green, blue; 4 for usual latents.</summary>
    int Channels { get; }

    /// <summary>H in pixels.</summary>
    int Height { get; }

    /// <summary>W in pixels.</summary>
    int Width { get; }

    /// <summary>The class of an image.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> less 1.</param>
    int Label(int index);

    /// <summary>Reads an image in the order (C, H, W); pixels lie in [-1, 1], latents are scaled to about unit variance.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> less 1.</param>
    /// <param name="image">Receives the C*H*W values.</param>
    /// <exception cref="Engine.SprintException">The image's file can no longer be read.</exception>
    void Read(int index, Span<float> image);
}
