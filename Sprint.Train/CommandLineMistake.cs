using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Sprint.Train;

/// <summary>What is wrong with a command line, in one sentence that names what would be right.</summary>
internal static class CommandLineMistake
{
    /// <summary>The first mistake of a command line, or null.</summary>
    internal static string? Find(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string name = FullName(command);
        string help = $"{name} --help";
        if (command.Arguments.Count > 0 && UnknownOption(parsed) is { } unknown)
        {
            return NoOption(unknown, command, name);
        }

        if (parsed.Errors.Count == 0)
        {
            return null;
        }

        if (command.Subcommands.Count > 0)
        {
            string commands = string.Join(", ", command.Subcommands.Select(known => known.Name));
            return parsed.UnmatchedTokens.Count > 0
                ? $"'{parsed.UnmatchedTokens[0]}' is no command: choose one of {commands}, or see {help}"
                : $"no command is given: choose one of {commands}, or see {help}";
        }

        if (parsed.UnmatchedTokens.Count > 0)
        {
            string token = parsed.UnmatchedTokens[0];
            return token.StartsWith('-')
                ? NoOption(token, command, name)
                : $"'{token}' is one argument too many for {name}; see {help}";
        }

        ParseError error = parsed.Errors[0];
        return error.SymbolResult switch
        {
            OptionResult { IdentifierTokenCount: 0 } option => $"{option.Option.Name} is missing: {option.Option.Description} See {help}",
            OptionResult { Tokens.Count: 0 } option => $"{option.Option.Name} needs {Value(option.Option)}; see {help}",
            OptionResult { Tokens.Count: > 1 } option => $"{option.Option.Name} is given more than once; see {help}",
            OptionResult option => $"{option.Option.Name} '{option.Tokens[0].Value}' is not {Value(option.Option, option.Tokens[0].Value)}; see {help}",
            ArgumentResult { Parent: OptionResult option } argument => argument.Tokens.Count == 0
                ? $"{option.Option.Name} needs {Value(option.Option)}; see {help}"
                : $"{option.Option.Name} '{argument.Tokens[0].Value}' is not {Value(option.Option, argument.Tokens[0].Value)}; see {help}",
            ArgumentResult argument => $"{argument.Argument.Name} is missing: {argument.Argument.Description} See {help}",
            _ => $"{error.Message} See {help}",
        };
    }

    private static string NoOption(string token, Command command, string name)
    {
        string options = string.Join(", ", command.Options.Where(option => option is not HelpOption).Select(option => option.Name));
        return $"'{token}' is no option of {name}: it has {options}; see {name} --help";
    }

    /// <summary>The command with those that it belongs to: sprint kernels run.</summary>
    private static string FullName(Command command) =>
        command is RootCommand ? "sprint" : $"{FullName(command.Parents.OfType<Command>().First())} {command.Name}";

    /// <summary>The parser takes a misspelt option for an argument where the command has one: what looks like an option is none of those.</summary>
    private static string? UnknownOption(ParseResult parsed) => parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash)
        ? null
        : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value)
            .FirstOrDefault(token => token.StartsWith('-'));

    private static string Value(Option option, string given = "")
    {
        Type type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        bool beyond = BigInteger.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        return type == typeof(int) ? (beyond ? $"between {int.MinValue} and {int.MaxValue}" : "a whole number")
            : type == typeof(long) ? (beyond ? $"between {long.MinValue} and {long.MaxValue}" : "a whole number")
            : type == typeof(double) ? "a number"
            : type == typeof(bool) ? "true or false"
            : $"a value: {option.HelpName}";
    }
}
