using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Sprint.Train;

/// <summary>What is wrong with a command line, in one sentence that names what would be right.</summary>
internal static class CommandLineMistake
{
    /// <summary>The first mistake of a command line, or null.</summary>
    internal static string? Find(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0)
        {
            return null;
        }

        Command command = parsed.CommandResult.Command;
        if (command.Subcommands.Count > 0)
        {
            string commands = string.Join(", ", command.Subcommands.Select(known => known.Name));
            return parsed.UnmatchedTokens.Count > 0
                ? $"'{parsed.UnmatchedTokens[0]}' is no command: choose one of {commands}, or see sprint --help"
                : $"no command is given: choose one of {commands}, or see sprint --help";
        }

        string help = $"sprint {command.Name} --help";
        if (parsed.UnmatchedTokens.Count > 0)
        {
            string token = parsed.UnmatchedTokens[0];
            string options = string.Join(", ", command.Options.Where(option => option is not HelpOption).Select(option => option.Name));
            return token.StartsWith('-')
                ? $"'{token}' is no option of sprint {command.Name}: it has {options}; see {help}"
                : $"'{token}' is one argument too many for sprint {command.Name}; see {help}";
        }

        ParseError error = parsed.Errors[0];
        return error.SymbolResult switch
        {
            OptionResult { Tokens.Count: 0 } option => $"{option.Option.Name} needs {Value(option.Option)}; see {help}",
            OptionResult { Tokens.Count: > 1 } option => $"{option.Option.Name} is given more than once; see {help}",
            OptionResult option => $"{option.Option.Name} '{option.Tokens[0].Value}' is not {Value(option.Option)}; see {help}",
            ArgumentResult { Parent: OptionResult option } argument => argument.Tokens.Count == 0
                ? $"{option.Option.Name} needs {Value(option.Option)}; see {help}"
                : $"{option.Option.Name} '{argument.Tokens[0].Value}' is not {Value(option.Option)}; see {help}",
            ArgumentResult argument => $"{argument.Argument.Name} is missing: {argument.Argument.Description} See {help}",
            _ => command.Options.FirstOrDefault(option => option.Required && parsed.GetResult(option) is null) is { } missing
                ? $"{missing.Name} is missing: {missing.Description} See {help}"
                : $"{error.Message} See {help}",
        };
    }

    private static string Value(Option option)
    {
        Type type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return type == typeof(int) || type == typeof(long) ? "a whole number"
            : type == typeof(double) ? "a number"
            : type == typeof(bool) ? "true or false"
            : $"a value: {option.HelpName}";
    }
}
