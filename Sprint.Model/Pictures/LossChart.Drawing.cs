using SkiaSharp;

namespace Sprint.Model.Pictures;

/// <content>The parts of the drawing.</content>
public static partial class LossChart
{
    /// <summary>Up to how many points each is marked with a dot.</summary>
    private const int FewPoints = 50;

    private static void DrawStages(SKCanvas canvas, PictureText text, SKRect plot, ChartAxis across, IReadOnlyList<LossStage> stages)
    {
        using SKPaint tint = new() { Color = StageTint };
        using SKPathEffect dash = SKPathEffect.CreateDash([5, 4], 0);
        using SKPaint border = new() { Color = Border, StrokeWidth = 1.2f, IsAntialias = true, PathEffect = dash };
        LossStage[] ordered = [.. stages.OrderBy(stage => stage.FirstStep)];
        float free = plot.Left - 40;
        for (int index = 0; index < ordered.Length; index++)
        {
            float left = Math.Clamp(across.Position(ordered[index].FirstStep), plot.Left, plot.Right);
            float right = index + 1 < ordered.Length ? Math.Clamp(across.Position(ordered[index + 1].FirstStep), plot.Left, plot.Right) : plot.Right;
            if (index % 2 == 1)
                canvas.DrawRect(new SKRect(left, plot.Top, right, plot.Bottom), tint);
            if (index > 0)
                canvas.DrawLine(left, plot.Top - 6, left, plot.Bottom, border);

            // A name stands above the middle of its stage, pushed inwards where the stage is short; one that finds no room is left out.
            float width = text.Measure(ordered[index].Name, 14);
            float start = Math.Clamp((left + right - width) / 2, plot.Left, Math.Max(plot.Left, plot.Right - width));
            start = Math.Max(start, free);
            if (start + width > plot.Right + 24)
                continue;
            text.Draw(canvas, ordered[index].Name, start, plot.Top - 14, 14, Faded);
            free = start + width + 14;
        }
    }

    private static void DrawAxes(SKCanvas canvas, PictureText text, SKRect plot, ChartAxis across, ChartAxis up, LossChartOptions options)
    {
        using SKPaint grid = new() { Color = Grid, StrokeWidth = 1, IsAntialias = false };
        foreach (double tick in up.Ticks(8))
        {
            float y = up.Position(tick);
            canvas.DrawLine(plot.Left, y, plot.Right, y, grid);
            text.Draw(canvas, ChartAxis.Format(tick), plot.Left - 10, y, 14, Ink, SKTextAlign.Right);
        }

        foreach (double tick in across.Ticks(Math.Max(2, (int)(plot.Width / 110))))
        {
            float x = across.Position(tick);
            canvas.DrawLine(x, plot.Top, x, plot.Bottom, grid);
            text.Draw(canvas, ChartAxis.Format(tick), x, plot.Bottom + 17, 14, Ink, SKTextAlign.Center);
        }

        text.Draw(canvas, options.Title, plot.Left, 30, 22, Ink);
        text.Draw(canvas, "step", plot.MidX, plot.Bottom + 43, 15, Faded, SKTextAlign.Center);
        canvas.Save();
        canvas.RotateDegrees(-90, 24, plot.MidY);
        text.Draw(canvas, options.Logarithmic ? $"{options.ValueName} (log)" : options.ValueName, 24, plot.MidY, 15, Faded, SKTextAlign.Center);
        canvas.Restore();
    }

    /// <summary>The measured values as one faint line; where many share a pixel column, from the least to the greatest of them.</summary>
    private static void DrawMeasured(SKCanvas canvas, Line line, ChartAxis across, ChartAxis up)
    {
        using SKPaint paint = new() { Color = line.Color.WithAlpha(64), StrokeWidth = 1, Style = SKPaintStyle.Stroke, IsAntialias = true };
        using SKPath path = new();
        bool begun = false;
        for (int index = 0; index < line.Values.Length;)
        {
            if (double.IsNaN(line.Values[index]))
            {
                begun = false;
                index++;
                continue;
            }

            float x = across.Position(line.Steps[index]);
            double least = line.Values[index];
            double most = least;
            for (index++; index < line.Values.Length && Math.Floor(across.Position(line.Steps[index])) == Math.Floor(x) && !double.IsNaN(line.Values[index]); index++)
            {
                least = Math.Min(least, line.Values[index]);
                most = Math.Max(most, line.Values[index]);
            }

            Append(path, x, up.Position(most), begun);
            Append(path, x, up.Position(least), begun: true);
            begun = true;
        }

        canvas.DrawPath(path, paint);
    }

    private static void DrawSmooth(SKCanvas canvas, Line line, ChartAxis across, ChartAxis up)
    {
        using SKPaint paint = new()
        {
            Color = line.Color,
            StrokeWidth = 2.4f,
            Style = SKPaintStyle.Stroke,
            StrokeJoin = SKStrokeJoin.Round,
            StrokeCap = SKStrokeCap.Round,
            IsAntialias = true,
        };
        for (int part = 0; part + 1 < line.Breaks.Length; part++)
        {
            using SKPath path = new();
            bool begun = false;
            for (int index = line.Breaks[part]; index < line.Breaks[part + 1]; index++)
            {
                if (double.IsFinite(line.Smooth[index]))
                {
                    Append(path, across.Position(line.Steps[index]), up.Position(line.Smooth[index]), begun);
                    begun = true;
                }
            }

            canvas.DrawPath(path, paint);
        }

        if (line.Values.Length > FewPoints)
            return;
        using SKPaint dot = new() { Color = line.Color, IsAntialias = true };
        for (int index = 0; index < line.Values.Length; index++)
        {
            if (!double.IsNaN(line.Values[index]))
                canvas.DrawCircle(across.Position(line.Steps[index]), up.Position(line.Values[index]), 3, dot);
        }
    }

    private static void DrawLegend(SKCanvas canvas, PictureText text, SKRect plot, Line[] lines)
    {
        const float size = 14;
        const float row = 24;
        float width = 58 + lines.Max(line => text.Measure(line.Name, size));
        SKRect box = SKRect.Create(plot.Right - width - 14, plot.Top + 14, width, (row * lines.Length) + 10);
        using SKPaint fill = new() { Color = Background.WithAlpha(230), IsAntialias = true };
        using SKPaint edge = new() { Color = Grid, Style = SKPaintStyle.Stroke, StrokeWidth = 1, IsAntialias = true };
        canvas.DrawRoundRect(box, 5, 5, fill);
        canvas.DrawRoundRect(box, 5, 5, edge);
        for (int index = 0; index < lines.Length; index++)
        {
            float middle = box.Top + 5 + (row * (index + 0.5f));
            using SKPaint stroke = new() { Color = lines[index].Color, StrokeWidth = 2.6f, StrokeCap = SKStrokeCap.Round, IsAntialias = true };
            canvas.DrawLine(box.Left + 12, middle, box.Left + 36, middle, stroke);
            text.Draw(canvas, lines[index].Name, box.Left + 46, middle, size, Ink);
        }
    }

    private static void Append(SKPath path, float x, float y, bool begun)
    {
        if (begun)
            path.LineTo(x, y);
        else
            path.MoveTo(x, y);
    }
}
