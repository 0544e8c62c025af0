using SkiaSharp;

namespace Sprint.Tests.Model.Data;

/// <summary>Makes image files.</summary>
internal static class TestImage
{
    /// <summary>An image of given pixels as a file of the format that its name says.</summary>
    public static void Save(string path, int width, int height, Func<int, int, SKColor> pixel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Encode(Path.GetExtension(path), width, height, pixel));
    }

    public static byte[] Encode(string extension, int width, int height, Func<int, int, SKColor> pixel)
    {
        using SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
                bitmap.SetPixel(x, y, pixel(x, y));
        }

        SKEncodedImageFormat format = extension.ToUpperInvariant() switch
        {
            ".PNG" => SKEncodedImageFormat.Png,
            ".WEBP" => SKEncodedImageFormat.Webp,
            _ => SKEncodedImageFormat.Jpeg,
        };
        using SKData data = bitmap.Encode(format, 100);
        return data.ToArray();
    }

    /// <summary>Puts an EXIF note of the camera's orientation behind a JPEG's first two bytes.</summary>
    public static byte[] WithOrientation(byte[] jpeg, byte orientation) =>
    [
        .. jpeg[..2], 0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "II*\0"u8, 8, 0, 0, 0, 1, 0,
        0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0, .. jpeg[2..],
    ];
}
