using System.CommandLine;

namespace Sprint.Bench;

/// <summary>Options that check their values and name what is right.</summary>
internal static class Arguments
{
    /// <summary>How many threads work: all cores, unless the user says otherwise.</summary>
    /// <returns>The option.</returns>
    public static Option<int> Threads() => Number("--threads", "Threads that work.", Environment.ProcessorCount, 1, 1024);

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
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : string.Empty;
                if (int.TryParse(text, out int value) && value >= least && value <= most)
                    return value;

                result.AddError($"{name} is '{text}'; it must be a whole number from {least} to {most}.");
                return standard;
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
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : string.Empty;
                if (words.Contains(text, StringComparer.Ordinal))
                    return text;

                result.AddError($"{name} is '{text}'; it must be one of {string.Join(", ", words)}.");
                return words[0];
            },
        };

    /// <summary>What is wrong with a command line, in one sentence.</summary>
    /// <param name="result">The parsed command line.</param>
    /// <returns>The sentence, or null if nothing is wrong.</returns>
    public static string? Mistake(ParseResult result)
    {
        if (result.Errors.Count == 0)
            return null;
        if (result.UnmatchedTokens.Count > 0)
            return $"'{result.UnmatchedTokens[0]}' is not a command or an option here; --help lists them.";
        return result.Tokens.Count == 0 ? "No command is given; --help lists them." : result.Errors[0].Message;
    }
}
