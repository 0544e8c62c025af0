using System.CommandLine;
using Sprint.Engine;
using Sprint.Model.Configuration;

namespace Sprint.Train;

/// <summary>The option <c>--precision</c>.</summary>
internal sealed class PrecisionOption
{
    private const string Key = "precision";

    private readonly Option<string?> option;

    /// <param name="otherwise">What holds without the option, as the end of its description.</param>
    internal PrecisionOption(string otherwise) => option = new Option<string?>("--precision")
    {
        Description = $"fp32, or bf16: activations and a copy of the weights in bfloat16 on tensor cores, master weights in float32 (cuda, emulated, dryrun); {otherwise}.",
        HelpName = "NAME",
    };

    internal void AddTo(Command command) => command.Options.Add(option);

    /// <summary>The precision that was asked for, or null.</summary>
    /// <exception cref="SprintException">There is no such precision.</exception>
    internal Precision? Get(ParseResult result)
    {
        string? name = result.GetValue(option);
        return name is null ? null
            : Enum.GetValues<Precision>().Cast<Precision?>().FirstOrDefault(precision => precision!.Value.Name() == name)
                ?? throw new SprintException($"--precision '{name}' is not known: choose {string.Join(" or ", Enum.GetValues<Precision>().Select(precision => precision.Name()))}");
    }

    /// <summary>The option as a change of the configuration, behind those that <c>--set</c> makes.</summary>
    /// <exception cref="SprintException">There is no such precision.</exception>
    internal string[] AddTo(string[] overrides, ParseResult result) =>
        Get(result) is { } precision ? [.. overrides, $"{Key}={precision.Name()}"] : overrides;
}
