using System.CommandLine;
using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The option <c>--arch</c>: for which GPUs.</summary>
internal sealed class ArchitectureOption
{
    /// <summary>A100, RTX 30, RTX 40 and H100.</summary>
    private static readonly int[] Customary = [80, 86, 89, 90];

    internal Option<string?> List { get; } = new("--arch")
    {
        Description = "Architectures, e.g. 80,90 for A100 and H100; without it 80, 86, 89 and 90.",
        HelpName = "LIST",
    };

    /// <summary>The architectures, as numbers such as 80 for sm_80 and compute capability 8.0.</summary>
    internal int[] Read(ParseResult result, ICudaCompiler compiler)
    {
        if (result.GetValue(List) is not { } list)
        {
            return [.. Customary.Intersect(compiler.SupportedArchitectures)];
        }

        int[] chosen = [.. list.Split(',', StringSplitOptions.TrimEntries).Select(Number).Distinct()];
        foreach (int architecture in chosen)
        {
            if (!compiler.SupportedArchitectures.Contains(architecture) || architecture < KernelLibrary.BaselineArchitecture)
            {
                throw new SprintException(
                    $"--arch {architecture}: NVRTC {compiler.Version} compiles the kernels for {string.Join(", ", compiler.SupportedArchitectures.Where(static known => known >= KernelLibrary.BaselineArchitecture))}");
            }
        }

        return chosen;
    }

    private static int Number(string text)
    {
        string digits = text.StartsWith("sm_", StringComparison.Ordinal) ? text[3..] : text.Replace(".", "", StringComparison.Ordinal);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new SprintException($"--arch '{text}' is no architecture: write 80, sm_80 or 8.0, several with commas between");
    }
}
