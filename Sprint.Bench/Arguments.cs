using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using Sprint.Engine;

namespace Sprint.Bench;

/// <summary>Options that check their values and name what is right.</summary>
internal static class Arguments
{
    /// <summary>The largest drop ratio: one token of sixteen is kept.</summary>
    public const double LargestRatio = 0.9375;

    /// <summary>How many threads work: all cores, unless the user says otherwise.</summary>
    /// <returns>The option.</returns>
    public static Option<int> Threads() => Number("--threads", "Threads that work.", Environment.ProcessorCount, 1, DeviceSelection.MaximumThreads);

    /// <summary>A whole number within bounds.</summary>
    /// <param name="name">The option's name, with its dashes.</param>
    /// <param name="description">What it is.</param>
    /// <param name="standard">The value without the option.</param>
    /// <param name="least">The smallest value allowed.</param>
    /// <param name="most">The largest value allowed.</param>
    /// <returns>The option.</returns>
    public static Option<int> Number(string name, string description, int standard, int least, int most)
        => new(name)
        {
            Description = description,
            DefaultValueFactory = _ => standard,
            HelpName = "COUNT",
            CustomParser = result => WholeNumber(result, name, least, most) ?? standard,
        };

    /// <summary>A whole number within bounds that may be left out.</summary>
    /// <param name="name">The option's name, with its dashes.</param>
    /// <param name="description">What it is.</param>
    /// <param name="least">The smallest value allowed.</param>
    /// <param name="most">The largest value allowed.</param>
    /// <returns>The option.</returns>
    public static Option<int?> OptionalNumber(string name, string description, int least, int most)
        => new(name)
        {
            Description = description,
            HelpName = "COUNT",
            CustomParser = result => WholeNumber(result, name, least, most),
        };

    /// <summary>Drop ratios with commas between.</summary>
    /// <param name="name">The option's name, with its dashes.</param>
    /// <param name="description">What they are.</param>
    /// <param name="standard">The values without the option.</param>
    /// <returns>The option: ratios in ascending order, none twice.</returns>
    public static Option<double[]> Ratios(string name, string description, params double[] standard)
        => new(name)
        {
            Description = description,
            DefaultValueFactory = _ => standard,
            HelpName = "RATIOS",
            CustomParser = result =>
            {
                List<double> ratios = [];
                foreach (string text in Text(result).Split(',', StringSplitOptions.TrimEntries))
                {
                    if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double ratio) || !(ratio is >= 0 and <= LargestRatio))
                    {
                        result.AddError($"{name} has '{text}'; a drop ratio is a number from 0 to {LargestRatio}, several have commas between: 0,0.5,0.75.");
                        return standard;
                    }

                    ratios.Add(ratio);
                }

                return [.. ratios.Distinct().Order()];
            },
        };

    /// <summary>One of a few words.</summary>
    /// <param name="name">The option's name, with its dashes.</param>
    /// <param name="description">What it is.</param>
    /// <param name="words">What is allowed; the first is the value without the option.</param>
    /// <returns>The option.</returns>
    public static Option<string> Word(string name, string description, params string[] words)
        => new(name)
        {
            Description = $"{description} ({string.Join(", ", words)})",
            DefaultValueFactory = _ => words[0],
            HelpName = "WORD",
            CustomParser = result =>
            {
                string text = Text(result);
                if (words.Contains(text, StringComparer.Ordinal))
                    return text;

                result.AddError($"{name} is '{text}'; it must be one of {string.Join(", ", words)}.");
                return words[0];
            },
        };

    /// <summary>One of a few words that may be left out.</summary>
    /// <param name="name">The option's name, with its dashes.</param>
    /// <param name="description">What it is.</param>
    /// <param name="words">What is allowed.</param>
    /// <returns>The option.</returns>
    public static Option<string?> OptionalWord(string name, string description, params string[] words)
        => new(name)
        {
            Description = $"{description} ({string.Join(", ", words)})",
            HelpName = "WORD",
            CustomParser = result =>
            {
                string text = Text(result);
                if (words.Contains(text, StringComparer.Ordinal))
                    return text;

                result.AddError($"{name} is '{text}'; it must be one of {string.Join(", ", words)}.");
                return null;
            },
        };

    /// <summary>What is wrong with a command line, in one sentence.</summary>
    /// <param name="result">The parsed command line.</param>
    /// <returns>The sentence, or null if nothing is wrong.</returns>
    public static string? Mistake(ParseResult result)
    {
        if (result.Errors.Count == 0)
            return null;
        Command command = result.CommandResult.Command;
        if (result.UnmatchedTokens.Count > 0)
            return $"'{result.UnmatchedTokens[0]}' is not a command or an option here; {Known(command)}.";
        if (command.Subcommands.Count > 0)
            return $"No command is given; {Known(command)}.";
        return result.Errors[0] switch
        {
            { SymbolResult: OptionResult { IdentifierTokenCount: > 1 } option } => $"{option.Option.Name} is given more than once.",
            { SymbolResult: OptionResult { Tokens.Count: 0 } option } => $"{option.Option.Name} needs a value: {option.Option.Description}",
            { SymbolResult: ArgumentResult { Tokens.Count: 0, Parent: CommandResult } argument } => $"{argument.Argument.Name} is missing: {argument.Argument.Description}",
            ParseError error => error.Message,
        };
    }

    private static string Known(Command command) => command.Subcommands.Count > 0
        ? $"the commands are {string.Join(", ", command.Subcommands.Select(static known => known.Name))}"
        : $"the options of {command.Name} are {string.Join(", ", command.Options.Where(static option => option is not HelpOption).Select(static option => option.Name))}";

    private static int? WholeNumber(ArgumentResult result, string name, int least, int most)
    {
        string text = Text(result);
        if (int.TryParse(text, out int value) && value >= least && value <= most)
            return value;

        result.AddError($"{name} is '{text}'; it must be a whole number from {least} to {most}.");
        return null;
    }

    private static string Text(ArgumentResult result) => result.Tokens.Count == 1 ? result.Tokens[0].Value : string.Empty;
}
