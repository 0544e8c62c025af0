using SkiaSharp;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>Decodes PNG, JPEG and WebP files; says in a few words why one cannot be used.</summary>
internal static class ImageDecoder
{
    /// <summary>Larger images are refused: a file of a few bytes can claim any size.</summary>
    private const long MaximumPixels = 1L << 27;

    private const string Damaged = "its data are damaged";

    private static ReadOnlySpan<byte> PngEnd => [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];

    private static ReadOnlySpan<byte> JpegEnd => [0xFF, 0xD9];

    /// <summary>Whether a file's name ends like that of an image.</summary>
    public static bool HasImageName(string path) => Path.GetExtension(path).ToUpperInvariant() is ".PNG" or ".JPG" or ".JPEG" or ".WEBP";

    /// <summary>Checks a file's header and that its end is there; decodes it only where the end is not in sight.</summary>
    /// <returns>Null where nothing is wrong, else the reason.</returns>
    public static string? FindFault(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096);
            if (file.Length == 0)
                return "the file is empty";
            if (!HasEnd(file))
                return Decode(path, channels: 1, size: 1, out _)?.Replace(Damaged, "it is truncated", StringComparison.Ordinal);
            file.Position = 0;
            using SKCodec? codec = SKCodec.Create(file);
            return codec is null ? "it is not a PNG, JPEG or WebP image" : FindFault(codec.Info);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            return FileFault.Describe("read", path, exception).Message;
        }
    }

    /// <summary>Decodes, turns upright, scales and crops an image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="channels">3 or 1.</param>
    /// <param name="size">Side of the square result.</param>
    /// <param name="image">Shape (channels, size, size).</param>
    /// <returns>Null where nothing is wrong, else the reason.</returns>
    public static string? Decode(string path, int channels, int size, out byte[] image)
    {
        image = [];
        try
        {
            using SKData data = SKData.CreateCopy(File.ReadAllBytes(path));
            using SKCodec? codec = SKCodec.Create(data);
            if (codec is null)
                return "it is not a PNG, JPEG or WebP image";
            if (FindFault(codec.Info) is { } fault)
                return fault;
            using SKColorSpace srgb = SKColorSpace.CreateSrgb();
            SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, srgb);
            byte[] pixels = new byte[info.BytesSize];
            SKCodecResult result;
            unsafe
            {
                fixed (byte* target = pixels)
                    result = codec.GetPixels(info, (nint)target);
            }

            if (result != SKCodecResult.Success)
                return result == SKCodecResult.IncompleteInput ? "it is truncated" : Damaged;
            Flatten(pixels, channels);
            image = Orient(ImageResampler.ResizeAndCrop(pixels, info.Width, info.Height, 4, channels, size), channels, size, codec.EncodedOrigin);
            return null;
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            return FileFault.Describe("read", path, exception).Message;
        }
    }

    private static string? FindFault(SKImageInfo info) => info.Width < 1 || info.Height < 1 || (long)info.Width * info.Height > MaximumPixels
        ? $"it claims {info.Width} x {info.Height} pixels, at most {MaximumPixels} in all are read"
        : null;

    /// <summary>
    /// Whether a format's mark of its end is near the end of the file. One cut short by a broken copy has none;
    /// but some cameras write more behind it, so that a file without is doubtful, not bad.
    /// </summary>
    private static bool HasEnd(FileStream file)
    {
        byte[] head = new byte[12];
        int headLength = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        byte[] tail = new byte[(int)Math.Min(file.Length, 4096)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        return headLength < head.Length
            || (head is [0x89, (byte)'P', (byte)'N', (byte)'G', ..] ? tail.AsSpan().IndexOf(PngEnd) >= 0
            : head is [0xFF, 0xD8, ..] ? tail.AsSpan().LastIndexOf(JpegEnd) >= 0
            : head is not [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] || BitConverter.ToUInt32(head, 4) + 8L <= file.Length);
    }

    /// <summary>Lays transparent pixels over white, and for one channel replaces red by the luma of ITU-R BT.601.</summary>
    private static void Flatten(Span<byte> pixels, int channels)
    {
        for (int index = 0; index < pixels.Length; index += 4)
        {
            Span<byte> pixel = pixels.Slice(index, 4);
            if (pixel[3] != 255)
            {
                for (int channel = 0; channel < 3; channel++)
                    pixel[channel] = (byte)(((pixel[channel] * pixel[3]) + (255 * (255 - pixel[3])) + 127) / 255);
            }

            if (channels == 1)
                pixel[0] = (byte)(((299 * pixel[0]) + (587 * pixel[1]) + (114 * pixel[2]) + 500) / 1000);
        }
    }

    /// <summary>Turns a square as the camera's note says.</summary>
    private static byte[] Orient(byte[] image, int channels, int size, SKEncodedOrigin origin)
    {
        if (origin == SKEncodedOrigin.TopLeft)
            return image;
        byte[] upright = new byte[image.Length];
        int last = size - 1;
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                (int fromX, int fromY) = origin switch
                {
                    SKEncodedOrigin.TopRight => (last - x, y),
                    SKEncodedOrigin.BottomRight => (last - x, last - y),
                    SKEncodedOrigin.BottomLeft => (x, last - y),
                    SKEncodedOrigin.LeftTop => (y, x),
                    SKEncodedOrigin.RightTop => (y, last - x),
                    SKEncodedOrigin.RightBottom => (last - y, last - x),
                    _ => (last - y, x),
                };
                for (int channel = 0; channel < channels; channel++)
                    upright[(((channel * size) + y) * size) + x] = image[(((channel * size) + fromY) * size) + fromX];
            }
        }

        return upright;
    }
}
