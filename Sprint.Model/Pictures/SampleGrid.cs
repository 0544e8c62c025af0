using SkiaSharp;
using Sprint.Engine;
using Sprint.Model.Data;

namespace Sprint.Model.Pictures;

/// <summary>Images side by side as a PNG.</summary>
public static class SampleGrid
{
    private const float TextSize = 15;
    private const float TitleSize = 18;
    private const int Margin = 16;
    private static readonly SKColor Background = new(0xF7, 0xF8, 0xFA);
    private static readonly SKColor Ink = new(0x2B, 0x30, 0x3B);

    /// <summary>Writes a grid, row by row from the left, atomically.</summary>
    /// <param name="path">The PNG file to create or replace.</param>
    /// <param name="images">
    /// Shape (count, C, H, W), values in [-1, 1]; what lies outside is clipped, and a NaN is black. One or two channels are shown grey by the first,
    /// three or more as red, green and blue by the first three.
    /// </param>
    /// <param name="channels">C, at least 1.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="options">How it looks.</param>
    /// <exception cref="SprintException">The file could not be written, or the picture would be too large.</exception>
    public static void SavePng(string path, ReadOnlySpan<float> images, int channels, int height, int width, SampleGridOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        options ??= new SampleGridOptions();
        int imageLength = checked(channels * height * width);
        int count = images.Length / imageLength;
        if (count == 0 || count * imageLength != images.Length)
            throw new ArgumentException($"{images.Length} values are no whole number of images of {imageLength}", nameof(images));
        int columns = options.Columns > 0 ? options.Columns : (int)Math.Ceiling(Math.Sqrt(count));
        int rows = (count + columns - 1) / columns;
        int scale = options.Scale > 0 ? options.Scale : Math.Max(1, (64 + height - 1) / height);
        int cellWidth = width * scale;
        int cellHeight = height * scale;

        byte[][] pixels = new byte[count][];
        for (int index = 0; index < count; index++)
            pixels[index] = ToRgba(images.Slice(index * imageLength, imageLength), channels, height * width);

        using PictureText text = PictureText.Create(string.Concat(options.RowLabels) + options.Title, options.SystemFonts);
        float labelWidth = options.RowLabels.Select(label => text.Measure(label, TextSize)).DefaultIfEmpty(0).Max();
        int left = Margin + (labelWidth > 0 ? (int)Math.Ceiling(labelWidth) + 12 : 0);
        int top = Margin + (options.Title is null ? 0 : 32);
        long gridWidth = ((long)columns * (cellWidth + options.Spacing)) - options.Spacing;
        long titleWidth = options.Title is null ? 0 : (long)Math.Ceiling(text.Measure(options.Title, TitleSize)) + (2 * Margin);
        long pictureWidth = Math.Max(left + gridWidth + Margin, titleWidth);
        long pictureHeight = top + ((long)rows * (cellHeight + options.Spacing)) - options.Spacing + Margin;
        PictureFile.Save(path, pictureWidth, pictureHeight, canvas =>
        {
            canvas.Clear(Background);
            if (options.Title is not null)
                text.Draw(canvas, options.Title, Margin, Margin + 9, TitleSize, Ink);
            for (int row = 0; row < Math.Min(rows, options.RowLabels.Count); row++)
            {
                float middle = top + (row * (cellHeight + options.Spacing)) + (cellHeight / 2f);
                text.Draw(canvas, options.RowLabels[row], left - 12, middle, TextSize, Ink, SKTextAlign.Right);
            }

            for (int index = 0; index < count; index++)
            {
                int x = left + (index % columns * (cellWidth + options.Spacing));
                int y = top + (index / columns * (cellHeight + options.Spacing));
                using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque), pixels[index]);
                canvas.DrawImage(image, SKRect.Create(x, y, cellWidth, cellHeight), new SKSamplingOptions(SKFilterMode.Nearest));
            }
        });
    }

    private static byte[] ToRgba(ReadOnlySpan<float> image, int channels, int plane)
    {
        byte[] rgba = new byte[4 * plane];
        for (int index = 0; index < plane; index++)
        {
            for (int channel = 0; channel < 3; channel++)
                rgba[(4 * index) + channel] = PixelScale.ToByte(image[(channels >= 3 ? channel * plane : 0) + index]);
            rgba[(4 * index) + 3] = 255;
        }

        return rgba;
    }
}
