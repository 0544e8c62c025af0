using System.Globalization;
using System.Net;
using System.Text;
using Sprint.Bench.Charts;
using Sprint.Bench.Results;

namespace Sprint.Bench.Report;

/// <summary>Results as one HTML page that needs nothing else: charts are inline SVG, the colours follow the reader's scheme, wide tables scroll within themselves.</summary>
internal static class HtmlReport
{
    private const string Style =
        """
        :root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--band:#f6f8fa;--link:#0969da}
        @media (prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#e6e6e6;--soft:#9aa4af;--line:#3a3d42;--band:#1f2226;--link:#79b8ff}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:62rem;padding:1rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
        h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.25rem;line-height:1.3;margin:2.5rem 0 .25rem;border-top:1px solid var(--line);padding-top:1rem}
        p{margin:.4rem 0}.soft{color:var(--soft);font-size:.9rem}a{color:var(--link)}nav a{display:inline-block;padding:.35rem .8rem .35rem 0}
        figure{margin:1rem 0;max-width:40rem}svg.chart{width:100%;height:auto;display:block}
        .scroll{overflow-x:auto;margin:.5rem 0;border:1px solid var(--line);border-radius:.4rem}
        table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
        h3{font-size:1rem;margin:1.2rem 0 .3rem}
        th,td{padding:.35rem .6rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}th{font-weight:600;color:var(--soft)}
        th.t,td.t{text-align:left}td.t{white-space:normal;min-width:6rem}tbody tr:nth-child(odd){background:var(--band)}
        td:first-child,th:first-child{position:sticky;left:0;background:var(--paper)}tbody tr:nth-child(odd) td:first-child{background:var(--band)}
        """;

    /// <summary>The page.</summary>
    /// <param name="results">The sections, in order; at least one.</param>
    /// <param name="missing">What is not in the page and how it could be.</param>
    public static string Page(IReadOnlyList<BenchResults> results, IReadOnlyList<string> missing)
    {
        StringBuilder html = new();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        html.Append($"<title>Sprint: what token dropping saves</title>\n<style>\n{Style}\n{SvgChart.Style}\n</style>\n</head>\n<body>\n");
        html.Append("<h1>Sprint: what token dropping saves</h1>\n");
        html.Append($"<p class=\"soft\">{Escape(results[0].Machine.ToString())}; {DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC</p>\n<nav>");
        for (int i = 0; i < results.Count; i++)
            html.Append($"<a href=\"#s{i}\">{Escape(results[i].Title)}</a> ");
        html.Append("</nav>\n");
        for (int i = 0; i < results.Count; i++)
            Section(html, results[i], $"s{i}", results[0]);
        if (missing.Count > 0)
            html.Append($"<h2>Not in this page</h2>\n{string.Concat(missing.Select(static line => $"<p>{Escape(line)}</p>\n"))}");
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void Section(StringBuilder html, BenchResults results, string id, BenchResults first)
    {
        html.Append($"<section>\n<h2 id=\"{id}\">{Escape(results.Title)}</h2>\n<p>{Escape(results.Subject)}</p>\n");
        html.Append($"<p class=\"soft\">device {Escape(results.Device)}; {results.Date.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC{(results.Machine == first.Machine ? "" : $"; {Escape(results.Machine.ToString())}")}</p>\n");
        foreach (LineChart chart in results.Charts)
            html.Append($"<figure>\n{SvgChart.Element(chart)}\n</figure>\n");
        foreach (ResultTable table in results.Tables)
            Table(html, table);
        foreach (string note in results.Notes)
            html.Append($"<p>{Escape(note)}</p>\n");
        html.Append("</section>\n");
    }

    private static void Table(StringBuilder html, ResultTable table)
    {
        html.Append($"<h3>{Escape(table.Title)}</h3>\n<div class=\"scroll\"><table>\n<thead>{Row(table, table.Columns, "th")}</thead>\n<tbody>\n");
        foreach (IReadOnlyList<string> row in table.Rows)
            html.Append(Row(table, row, "td")).Append('\n');
        html.Append("</tbody>\n</table></div>\n");
        if (table.Note.Length > 0)
            html.Append($"<p class=\"soft\">{Escape(table.Note)}</p>\n");
    }

    private static string Row(ResultTable table, IReadOnlyList<string> cells, string element) =>
        $"<tr>{string.Concat(cells.Select((cell, i) => $"<{element}{(i < table.TextColumns ? " class=\"t\"" : "")}>{Escape(cell)}</{element}>"))}</tr>";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
