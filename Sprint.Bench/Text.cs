using System.Globalization;

namespace Sprint.Bench;

/// <summary>How figures are written for people.</summary>
internal static class Text
{
    private static readonly string[] Prefixes = ["", "K", "M", "G", "T", "P", "E"];

    /// <summary>A count of FLOPs in the unit that suits it: 84.99 GFLOP.</summary>
    public static string Flops(double value)
    {
        int prefix = 0;
        for (; Math.Abs(value) >= 999.95 && prefix < Prefixes.Length - 1; prefix++)
            value /= 1000;
        return $"{Significant(value)} {Prefixes[prefix]}FLOP";
    }

    /// <summary>Bytes in powers of 1024.</summary>
    public static string Bytes(double value)
    {
        int prefix = 0;
        for (; Math.Abs(value) >= 1023.5 && prefix < Prefixes.Length - 1; prefix++)
            value /= 1024;
        return $"{Significant(value)} {Prefixes[prefix]}{(prefix > 0 ? "i" : "")}B";
    }

    /// <summary>A time in the unit that suits it.</summary>
    public static string Seconds(double value) =>
        value >= 100 ? $"{value:F0} s" : value >= 1 ? $"{Significant(value)} s" : value >= 1e-3 ? $"{Significant(value * 1e3)} ms" : $"{Significant(value * 1e6)} us";

    /// <summary>Four significant digits without an exponent.</summary>
    public static string Significant(double value)
    {
        double size = Math.Abs(value);
        string format = size >= 999.95 ? "F0" : size >= 99.995 ? "F1" : size >= 9.9995 ? "F2" : "F3";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>A fraction as percent, with one decimal.</summary>
    public static string Percent(double fraction) => (100 * fraction).ToString("0.0;-0.0;0.0", CultureInfo.InvariantCulture) + "%";

    /// <summary>A drop ratio, or another number of few digits.</summary>
    public static string Ratio(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
