using SkiaSharp;

namespace Sprint.Model.Pictures;

/// <summary>
/// Draws text in a font of the machine that has every character needed, or, where there is none, in strokes of its own,
/// so that a picture always has its text.
/// </summary>
internal sealed class PictureText : IDisposable
{
    private static readonly string[] PreferredFamilies = ["Inter", "Segoe UI", "Helvetica Neue", "DejaVu Sans", "Noto Sans", "Liberation Sans", "Arial"];

    /// <summary>The height of capitals as a share of the size, as in common fonts.</summary>
    private const float CapitalShare = 0.72f;

    private const float LetterSpace = 2.4f;
    private readonly SKTypeface? typeface;

    private PictureText(SKTypeface? typeface) => this.typeface = typeface;

    /// <summary>Whether the machine's own fonts serve.</summary>
    public bool UsesSystemFont => typeface is not null;

    /// <summary>Chooses a font for a picture.</summary>
    /// <param name="characters">All text of the picture.</param>
    /// <param name="systemFonts">Whether to look for the machine's fonts at all.</param>
    public static PictureText Create(string characters, bool systemFonts = true) => new(systemFonts ? FindTypeface(characters) : null);

    /// <summary>The width of a text in pixels.</summary>
    public float Measure(string text, float size)
    {
        if (typeface is not null)
        {
            using SKFont font = new(typeface, size);
            return font.MeasureText(text);
        }

        return text.Length == 0 ? 0 : (text.Sum(StrokeGlyphs.Width) + (LetterSpace * (text.Length - 1))) * Unit(size);
    }

    /// <summary>Draws a text.</summary>
    /// <param name="canvas">Where.</param>
    /// <param name="text">One line.</param>
    /// <param name="x">The left edge, or the centre or the right edge as <paramref name="align"/> says.</param>
    /// <param name="middle">The y of the middle of the capitals.</param>
    /// <param name="size">The font size in pixels.</param>
    /// <param name="color">The colour.</param>
    /// <param name="align">What <paramref name="x"/> is.</param>
    public void Draw(SKCanvas canvas, string text, float x, float middle, float size, SKColor color, SKTextAlign align = SKTextAlign.Left)
    {
        float left = x - (align == SKTextAlign.Left ? 0 : Measure(text, size) / (align == SKTextAlign.Center ? 2 : 1));
        float baseline = middle + (size * CapitalShare / 2);
        if (typeface is not null)
        {
            using SKFont font = new(typeface, size) { Edging = SKFontEdging.Antialias, Subpixel = true };
            using SKPaint fill = new() { Color = color, IsAntialias = true };
            canvas.DrawText(text, left, baseline, SKTextAlign.Left, font, fill);
            return;
        }

        using SKPaint stroke = new()
        {
            Color = color,
            IsAntialias = true,
            Style = SKPaintStyle.Stroke,
            StrokeWidth = Math.Max(1.1f, size * 0.085f),
            StrokeCap = SKStrokeCap.Round,
            StrokeJoin = SKStrokeJoin.Round,
        };
        float unit = Unit(size);
        foreach (char letter in text)
        {
            using SKPath path = new();
            foreach ((int X, int Y)[] points in StrokeGlyphs.Strokes(letter))
                path.AddPoly(Array.ConvertAll(points, point => new SKPoint(left + (point.X * unit), baseline + ((point.Y - StrokeGlyphs.CapitalHeight) * unit))), close: false);
            canvas.DrawPath(path, stroke);
            left += (StrokeGlyphs.Width(letter) + LetterSpace) * unit;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => typeface?.Dispose();

    private static float Unit(float size) => size * CapitalShare / StrokeGlyphs.CapitalHeight;

    private static SKTypeface? FindTypeface(string characters)
    {
        SKFontManager manager = SKFontManager.Default;
        foreach (string family in PreferredFamilies)
        {
            if (Keep(manager.MatchFamily(family)) is { } preferred)
                return preferred;
        }

        // A font made for one of the rarer characters usually has the common ones too.
        int rare = characters.FirstOrDefault(letter => letter > '~');
        return Keep(SKTypeface.FromFamilyName(null)) ?? (rare == 0 ? null : Keep(manager.MatchCharacter(rare)));

        SKTypeface? Keep(SKTypeface? candidate)
        {
            if (candidate is { GlyphCount: > 0 } && candidate.ContainsGlyphs("Aa0" + characters))
                return candidate;
            candidate?.Dispose();
            return null;
        }
    }
}
