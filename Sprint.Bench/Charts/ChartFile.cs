using ScottPlot;
using SkiaSharp;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Bench.Charts;

/// <summary>Charts as files: SVG, which needs nothing of the machine, or PNG, which needs a font.</summary>
internal static class ChartFile
{
    private const int Width = 1200;
    private const int Height = 720;

    /// <summary>Typefaces without serifs, of which most machines have one.</summary>
    private static readonly string[] Typefaces = ["Segoe UI", "Helvetica Neue", "Arial", "DejaVu Sans", "Liberation Sans", "Noto Sans"];

    /// <summary>Refuses a name with an ending that no picture has.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SprintException">It does not end in .svg or .png, or PNG cannot be had.</exception>
    public static void Check(string path)
    {
        string ending = Path.GetExtension(path).ToUpperInvariant();
        if (ending is not (".SVG" or ".PNG"))
            throw new SprintException($"--chart '{path}' must end in .svg or .png");
        if (ending == ".PNG" && SKFontManager.Default.FontFamilyCount == 0)
            throw new SprintException($"--chart '{path}' would be drawn without any text, as no font is installed here: install one, e.g. fonts-dejavu-core, or write an .svg, which needs none");
    }

    /// <summary>Draws a chart into a file, whole or not at all.</summary>
    /// <param name="path">The file: its ending says which format.</param>
    /// <param name="chart">The chart.</param>
    /// <exception cref="SprintException">As for <see cref="Check"/>, or the file cannot be written.</exception>
    public static void Save(string path, LineChart chart)
    {
        Check(path);
        if (Path.GetExtension(path).Equals(".svg", StringComparison.OrdinalIgnoreCase))
            AtomicFile.WriteText(path, SvgChart.Document(chart));
        else
            AtomicFile.WriteBytes(path, Draw(chart));
    }

    private static byte[] Draw(LineChart chart)
    {
        using Plot plot = new() { ScaleFactor = 1.6f };
        plot.Title(chart.Title);
        plot.XLabel(chart.XTitle);
        plot.YLabel(chart.YTitle);
        for (int i = 0; i < chart.Series.Count; i++)
        {
            ChartSeries series = chart.Series[i];
            Color color = Color.FromHex(ChartPalette.Light[i % ChartPalette.Light.Count]);
            ScottPlot.Plottables.Scatter line = plot.Add.Scatter(
                series.Points.Select(static point => point.X).ToArray(), series.Points.Select(static point => point.Y).ToArray(), color);
            line.LegendText = series.Name;
            line.LineWidth = 2;
            line.MarkerSize = series.IsTheory ? 0 : 7;
            line.LinePattern = series.IsTheory ? LinePattern.Dashed : LinePattern.Solid;
            foreach (ChartPoint point in series.Points)
            {
                if (point is { Low: { } low, High: { } high })
                    plot.Add.Line(point.X, low, point.X, high).LineColor = color;
            }
        }

        ChartScale scale = ChartScale.Of(chart);
        plot.Axes.SetLimits(scale.Left, scale.Right, scale.Bottom, scale.Top);
        plot.Axes.Left.SetTicks([.. scale.YTicks], [.. scale.YTicks.Select(scale.YText)]);
        plot.Axes.Bottom.SetTicks([.. scale.XTicks], [.. scale.XTicks.Select(ChartScale.XText)]);
        plot.ShowLegend(Edge.Bottom);
        if (Typefaces.FirstOrDefault(SKFontManager.Default.FontFamilies.Contains) is { } typeface)
            plot.Font.Set(typeface);
        using Image image = plot.GetImage(Width, Height);
        return image.GetImageBytes(ImageFormat.Png);
    }
}
