namespace Sprint.Bench.Charts;

/// <summary>Colours of lines that people with any colour vision tell apart. Source: Okabe and Ito, "Color Universal Design", 2008, the bright ones darkened on white.</summary>
internal static class ChartPalette
{
    /// <summary>On white.</summary>
    public static IReadOnlyList<string> Light { get; } = ["#0072b2", "#d55e00", "#00805e", "#a6507f", "#8a6d00", "#555555"];

    /// <summary>On black, in the same order.</summary>
    public static IReadOnlyList<string> Dark { get; } = ["#56b4e9", "#ff8c3b", "#2fd0a2", "#e39bc4", "#f0c541", "#bbbbbb"];
}
