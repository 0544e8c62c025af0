using SkiaSharp;

namespace Sprint.Tests.Model.Pictures;

/// <summary>A PNG read back.</summary>
internal sealed class Picture(string path) : IDisposable
{
    private readonly SKBitmap bitmap = SKBitmap.Decode(path);

    public int Width => bitmap.Width;

    public int Height => bitmap.Height;

    public SKColor this[int x, int y] => bitmap.GetPixel(x, y);

    /// <summary>How many pixels of a rectangle satisfy a condition.</summary>
    public int Count(SKRectI area, Func<SKColor, bool> condition)
    {
        int count = 0;
        for (int y = area.Top; y < area.Bottom; y++)
        {
            for (int x = area.Left; x < area.Right; x++)
                count += condition(bitmap.GetPixel(x, y)) ? 1 : 0;
        }

        return count;
    }

    public static bool IsDark(SKColor color) => color.Red + color.Green + color.Blue < 300;

    public void Dispose() => bitmap.Dispose();
}
