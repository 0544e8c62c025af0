using System.Text;
using Spectre.Console;

namespace Sprint.Bench.Results;

/// <summary>A table of results, shown in the terminal and in the report, or written as CSV.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Columns">The columns' names.</param>
/// <param name="Rows">A text for each column; a row may end early.</param>
/// <param name="Note">What to know when reading it, or nothing.</param>
/// <param name="TextColumns">How many columns hold text and are aligned to the left; the others hold numbers.</param>
internal sealed record ResultTable(
    string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, string Note = "", int TextColumns = 1)
{
    /// <summary>Prints the table.</summary>
    /// <param name="console">Where.</param>
    public void Print(IAnsiConsole console)
    {
        Table table = new Table().Border(TableBorder.Simple);
        console.WriteLine();
        console.WriteLine(Title);
        for (int i = 0; i < Columns.Count; i++)
        {
            TableColumn column = new(Markup.Escape(Columns[i]));
            table.AddColumn(i < TextColumns ? column.LeftAligned() : column.RightAligned());
        }

        foreach (IReadOnlyList<string> row in Rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
        if (Note.Length > 0)
            console.WriteLine(Note);
    }

    /// <summary>The table as lines of comma-separated values, titles first. Source: RFC 4180.</summary>
    public string ToCsv()
    {
        StringBuilder text = new();
        foreach (IReadOnlyList<string> row in Rows.Prepend(Columns))
            text.AppendJoin(',', row.Select(Quote)).Append("\r\n");
        return text.ToString();
    }

    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
