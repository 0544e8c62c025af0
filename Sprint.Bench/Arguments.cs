using System.CommandLine;

namespace Sprint.Bench;

/// <summary>Options that check their values and name what is right.</summary>
internal static class Arguments
{
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
}
