using System.Globalization;
using System.Net;
using System.Text;

namespace Sprint.Bench.Charts;

/// <summary>Draws a chart as SVG text: its colours follow the reader's light or dark scheme, its text needs no font of this machine. Source: SVG 1.1.</summary>
internal static class SvgChart
{
    private const double Width = 520;
    private const double Height = 350;
    private const double LeftMargin = 64;
    private const double RightMargin = 16;
    private const double TopMargin = 40;
    private const double BottomMargin = 56;
    private const double LegendRow = 20;
    private const double LegendLine = 26;
    private const double Marker = 3.5;

    /// <summary>The rules for colours, once for all charts of a page.</summary>
    public static string Style { get; } = MakeStyle();

    /// <summary>A file of its own.</summary>
    /// <param name="chart">The chart.</param>
    public static string Document(LineChart chart) => $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{Element(chart, $"<style>{Style}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n")}\n";

    /// <summary>An element for a page that has <see cref="Style"/>.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="before">What is drawn below everything else.</param>
    public static string Element(LineChart chart, string before = "")
    {
        ChartScale scale = ChartScale.Of(chart);
        double height = Height + (LegendRow * chart.Series.Count);
        StringBuilder svg = new();
        svg.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {Width:0.#} {height:0.#}\" role=\"img\" aria-label=\"{Escape(chart.Title)}\">\n"));
        svg.Append(before);
        Text(svg, Width / 2, 22, "middle", chart.Title, "title");
        Grid(svg, scale);
        Text(svg, (LeftMargin + Width - RightMargin) / 2, Height - 14, "middle", chart.XTitle);
        svg.Append(Invariant($"<text class=\"ink\" text-anchor=\"middle\" transform=\"translate(16 {(TopMargin + Height - BottomMargin) / 2:0.#}) rotate(-90)\">{Escape(chart.YTitle)}</text>\n"));
        for (int i = 0; i < chart.Series.Count; i++)
            Series(svg, scale, chart.Series[i], i);
        return svg.Append("</svg>").ToString();
    }

    private static void Grid(StringBuilder svg, ChartScale scale)
    {
        foreach (double tick in scale.YTicks)
        {
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{LeftMargin}\" x2=\"{Width - RightMargin}\" y1=\"{Y(scale, tick):0.#}\" y2=\"{Y(scale, tick):0.#}\"/>\n"));
            Text(svg, LeftMargin - 8, Y(scale, tick) + 4.5, "end", scale.YText(tick));
        }

        foreach (double tick in scale.XTicks)
        {
            svg.Append(Invariant($"<line class=\"grid\" y1=\"{TopMargin}\" y2=\"{Height - BottomMargin + 5}\" x1=\"{X(scale, tick):0.#}\" x2=\"{X(scale, tick):0.#}\"/>\n"));
            Text(svg, X(scale, tick), Height - BottomMargin + 20, "middle", ChartScale.XText(tick));
        }
    }

    private static void Series(StringBuilder svg, ChartScale scale, ChartSeries series, int index)
    {
        string color = $"s{index % ChartPalette.Light.Count}";
        string dashes = series.IsTheory ? " dashed" : "";
        string points = string.Join(' ', series.Points.Select(point => Invariant($"{X(scale, point.X):0.##},{Y(scale, point.Y):0.##}")));
        svg.Append($"<polyline class=\"line {color}{dashes}\" points=\"{points}\"/>\n");
        if (!series.IsTheory)
        {
            foreach (ChartPoint point in series.Points)
            {
                svg.Append(Invariant($"<circle class=\"dot {color}\" cx=\"{X(scale, point.X):0.##}\" cy=\"{Y(scale, point.Y):0.##}\" r=\"{Marker}\"><title>{Escape(series.Name)}: {ChartScale.XText(point.X)}, {scale.YText(point.Y)}</title></circle>\n"));
                if (point is { Low: { } low, High: { } high })
                    svg.Append(Invariant($"<line class=\"line {color}\" x1=\"{X(scale, point.X):0.##}\" x2=\"{X(scale, point.X):0.##}\" y1=\"{Y(scale, low):0.##}\" y2=\"{Y(scale, high):0.##}\"/>\n"));
            }
        }

        double row = Height + (LegendRow * index) + 4;
        svg.Append(Invariant($"<line class=\"line {color}{dashes}\" x1=\"{LeftMargin}\" x2=\"{LeftMargin + LegendLine}\" y1=\"{row}\" y2=\"{row}\"/>\n"));
        Text(svg, LeftMargin + LegendLine + 8, row + 4.5, "start", series.Name);
    }

    private static double X(ChartScale scale, double value) =>
        LeftMargin + ((value - scale.Left) / (scale.Right - scale.Left) * (Width - LeftMargin - RightMargin));

    private static double Y(ChartScale scale, double value) =>
        Height - BottomMargin - ((value - scale.Bottom) / (scale.Top - scale.Bottom) * (Height - TopMargin - BottomMargin));

    private static void Text(StringBuilder svg, double x, double y, string anchor, string text, string kind = "") =>
        svg.Append(Invariant($"<text class=\"ink {kind}\" x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\">{Escape(text)}</text>\n"));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string MakeStyle()
    {
        StringBuilder style = new(
            "svg.chart{font:14px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
            + "svg.chart .ink{fill:#222}svg.chart .title{font-size:16px;font-weight:600}svg.chart .paper{fill:#fff}svg.chart .grid{stroke:#ddd;stroke-width:1}"
            + "svg.chart .line{fill:none;stroke-width:2.2}svg.chart .dashed{stroke-dasharray:7 5}");
        Colors(style, ChartPalette.Light);
        style.Append("@media (prefers-color-scheme:dark){svg.chart .ink{fill:#e6e6e6}svg.chart .paper{fill:#16181b}svg.chart .grid{stroke:#3a3d42}");
        Colors(style, ChartPalette.Dark);
        return style.Append('}').ToString();
    }

    private static void Colors(StringBuilder style, IReadOnlyList<string> colors)
    {
        for (int i = 0; i < colors.Count; i++)
            style.Append($"svg.chart .line.s{i}{{stroke:{colors[i]}}}svg.chart .dot.s{i}{{fill:{colors[i]}}}");
    }
}
