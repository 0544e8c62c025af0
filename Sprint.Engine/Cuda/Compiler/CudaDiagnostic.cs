using System.Globalization;
using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>How grave a message of the compiler is.</summary>
public enum CudaDiagnosticSeverity
{
    /// <summary>A remark.</summary>
    Remark,

    /// <summary>A warning: the image was made.</summary>
    Warning,

    /// <summary>An error: there is no image.</summary>
    Error,
}

/// <summary>One message of the compiler.</summary>
/// <param name="File">The file as the compiler names it, or empty where the message belongs to none.</param>
/// <param name="Line">The line, from 1; 0 where there is none.</param>
/// <param name="Severity">How grave it is.</param>
/// <param name="Message">The message.</param>
public sealed partial record CudaDiagnostic(string File, int Line, CudaDiagnosticSeverity Severity, string Message)
{
    /// <summary>
    /// Reads the messages out of NVRTC's log: "file(line): error: message", "something: error: message", "ptxas error : message".
    /// </summary>
    internal static IReadOnlyList<CudaDiagnostic> Parse(string log) =>
        [.. Pattern().Matches(log).Select(static match => new CudaDiagnostic(
            match.Groups["file"].Value,
            match.Groups["line"].Success ? int.Parse(match.Groups["line"].Value, CultureInfo.InvariantCulture) : 0,
            match.Groups["severity"].Value switch
            {
                "warning" => CudaDiagnosticSeverity.Warning,
                "remark" => CudaDiagnosticSeverity.Remark,
                _ => CudaDiagnosticSeverity.Error,
            },
            match.Groups["message"].Value.Trim()))];

    /// <inheritdoc/>
    public override string ToString()
    {
        string place = Line > 0 ? $"{File}({Line}): " : "";
        return $"{place}{Severity switch { CudaDiagnosticSeverity.Error => "error", CudaDiagnosticSeverity.Warning => "warning", _ => "remark" }}: {Message}";
    }

    [GeneratedRegex(
        @"^(?:ptxas |(?:(?<file>[^\r\n()]+)\((?<line>\d+)\)|[^\r\n:(]+(?:\([^\r\n)]*\))?)\s*:\s+(?:catastrophic |fatal )?)(?<severity>error|warning|remark)\b[^:\r\n]*:\s*(?<message>[^\r\n]*)",
        RegexOptions.Multiline)]
    private static partial Regex Pattern();
}
