using SkiaSharp;
using Sprint.Engine;

namespace Sprint.Model.Pictures;

/// <summary>
/// Loss against steps as a PNG: what was measured faintly, a smoothed line above it, the stages of training side by side.
/// </summary>
public static partial class LossChart
{
    /// <summary>No loss is smaller on a logarithmic axis, and none larger than its inverse: such values are left out like infinite ones.</summary>
    private const double Tiny = 1e-100;

    private static readonly SKColor Background = SKColors.White;
    private static readonly SKColor StageTint = new(0xF4, 0xF6, 0xFA);
    private static readonly SKColor Grid = new(0xE3, 0xE7, 0xEE);
    private static readonly SKColor Border = new(0x9A, 0xA3, 0xB2);
    private static readonly SKColor Ink = new(0x2B, 0x30, 0x3B);
    private static readonly SKColor Faded = new(0x5C, 0x65, 0x75);

    private static readonly SKColor[] Palette =
        [new(0x2B, 0x6C, 0xD9), new(0xE0, 0x6C, 0x2A), new(0x2A, 0x9D, 0x6E), new(0x8E, 0x4E, 0xC6), new(0xC9, 0x3B, 0x5B), new(0x3A, 0x9B, 0xB5)];

    /// <summary>Writes the chart, atomically.</summary>
    /// <param name="path">The PNG file to create or replace.</param>
    /// <param name="series">The lines; values that are not finite, or beyond 1e100, are left out.</param>
    /// <param name="stages">The stages of training, each until the next begins; none for an empty list.</param>
    /// <param name="options">How it looks.</param>
    /// <exception cref="SprintException">The file could not be written.</exception>
    public static void SavePng(string path, IReadOnlyList<LossSeries> series, IReadOnlyList<LossStage>? stages = null, LossChartOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(series);
        options ??= new LossChartOptions();
        stages ??= [];
        foreach (LossSeries line in series)
        {
            if (line.Steps.Count != line.Values.Count)
                throw new ArgumentException($"series '{line.Name}' has {line.Steps.Count} steps and {line.Values.Count} values", nameof(series));
        }

        Line[] lines = [.. series.Select((line, index) => Prepare(line, stages, options, Palette[index % Palette.Length]))];
        using PictureText text = PictureText.Create(
            string.Concat(series.Select(line => line.Name)) + string.Concat(stages.Select(stage => stage.Name)) + options.Title + options.ValueName, options.SystemFonts);
        PictureFile.Save(path, options.Width, options.Height, canvas => Draw(canvas, text, lines, stages, options));
    }

    private sealed record Line(string Name, double[] Steps, double[] Values, double[] Smooth, int[] Breaks, SKColor Color);

    /// <summary>Smooths each stage by itself: where the drop ratio changes, the loss jumps, and the line must show it.</summary>
    private static Line Prepare(LossSeries series, IReadOnlyList<LossStage> stages, LossChartOptions options, SKColor color)
    {
        double[] steps = [.. series.Steps];
        double[] values = [.. series.Values.Select(value => Math.Abs(value) <= 1 / Tiny && (!options.Logarithmic || value >= Tiny) ? value : double.NaN)];
        double[] smooth = new double[values.Length];
        int[] breaks = [0, .. stages.Select(stage => Array.FindIndex(steps, step => step >= stage.FirstStep)).Where(index => index > 0).Distinct().Order(), values.Length];
        double reach = options.Smoothing * values.Length;
        for (int part = 0; part + 1 < breaks.Length; part++)
        {
            ReadOnlySpan<double> range = values.AsSpan(breaks[part]..breaks[part + 1]);
            LossSmoothing.Smooth(range, reach, begins: part == 0).CopyTo(smooth, breaks[part]);
        }

        return new Line(series.Name, steps, values, smooth, breaks, color);
    }

    private static void Draw(SKCanvas canvas, PictureText text, Line[] lines, IReadOnlyList<LossStage> stages, LossChartOptions options)
    {
        canvas.Clear(Background);
        SKRect plot = new(84, stages.Count > 0 ? 86 : 64, options.Width - 32, options.Height - 66);
        (double least, double most) = ValueRange(lines, options.Logarithmic);
        double[] steps = [.. lines.SelectMany(line => line.Steps).Where(double.IsFinite), .. stages.Select(stage => stage.FirstStep)];
        double firstStep = steps.DefaultIfEmpty(0).Min();
        double lastStep = steps.DefaultIfEmpty(1).Max();
        ChartAxis across = new(firstStep, lastStep > firstStep ? lastStep : firstStep + 1, plot.Left, plot.Right, logarithmic: false, whole: true);
        ChartAxis up = new(least, most, plot.Bottom, plot.Top, options.Logarithmic);

        DrawStages(canvas, text, plot, across, stages);
        DrawAxes(canvas, text, plot, across, up, options);
        canvas.Save();
        canvas.ClipRect(plot);
        foreach (Line line in lines)
            DrawMeasured(canvas, line, across, up);
        foreach (Line line in lines)
            DrawSmooth(canvas, line, across, up);
        canvas.Restore();
        using SKPaint frame = new() { Color = Border, Style = SKPaintStyle.Stroke, StrokeWidth = 1, IsAntialias = true };
        canvas.DrawRect(plot, frame);
        if (lines.Length == 0 || !lines.Any(line => line.Values.Any(double.IsFinite)))
            text.Draw(canvas, "no values yet", plot.MidX, plot.MidY, 18, Faded, SKTextAlign.Center);
        else
            DrawLegend(canvas, text, plot, lines);
    }

    /// <summary>All smoothed values and all but the wildest measured ones, with some room.</summary>
    private static (double Least, double Most) ValueRange(Line[] lines, bool logarithmic)
    {
        double[] measured = [.. lines.SelectMany(line => line.Values).Where(double.IsFinite).Order()];
        if (measured.Length == 0)
            return (0.1, 1);
        double[] smooth = [.. lines.SelectMany(line => line.Smooth).Where(double.IsFinite)];
        double least = Math.Min(smooth.Min(), measured[(int)(0.002 * (measured.Length - 1))]);
        double most = Math.Max(smooth.Max(), measured[(int)(0.998 * (measured.Length - 1))]);
        if (logarithmic)
        {
            double ratio = Math.Pow(Math.Max(most / least, 1.2), 0.05);
            return (least / ratio, most * ratio);
        }

        double room = Math.Max(most - least, Math.Max(1e-12, Math.Abs(most) * 0.1)) * 0.05;
        return (least >= 0 ? Math.Max(0, least - room) : least - room, most + room);
    }
}
