using SkiaSharp;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Pictures;

/// <summary>Draws a picture and writes it as a PNG, atomically.</summary>
internal static class PictureFile
{
    /// <exception cref="SprintException">The picture is too large, or the file could not be written.</exception>
    public static void Save(string path, long width, long height, Action<SKCanvas> draw)
    {
        const int longestSide = 32_767;
        if (width > longestSide || height > longestSide)
            throw new SprintException($"cannot draw '{path}': the picture would have {width} x {height} pixels, at most {longestSide} on a side are possible");
        using SKSurface surface = SKSurface.Create(new SKImageInfo((int)width, (int)height, SKColorType.Rgba8888, SKAlphaType.Opaque))
            ?? throw new SprintException($"cannot draw '{path}': there is no memory for {width} x {height} pixels");
        draw(surface.Canvas);
        using SKImage image = surface.Snapshot();
        using SKData data = image.Encode(SKEncodedImageFormat.Png, 100);
        AtomicFile.Write(path, stream => data.SaveTo(stream));
    }
}
