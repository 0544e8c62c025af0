using NUnit.Framework;
using Spectre.Console;
using Sprint.Train;

namespace Sprint.Tests.Train;

/// <summary>What a command gave.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Runs the command <c>sprint</c> within the tests' process.</summary>
internal static class SprintCommand
{
    public static CommandResult Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        TextWriter console = Console.Out;
        IAnsiConsole ansi = AnsiConsole.Console;
        try
        {
            Console.SetOut(output);
            AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = AnsiSupport.No,
                Interactive = InteractionSupport.No,
            });
            AnsiConsole.Profile.Width = 200;
            int code = CommandLine.RunAsync(arguments, output, error).GetAwaiter().GetResult();
            return new CommandResult(code, output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(console);
            AnsiConsole.Console = ansi;
        }
    }

    /// <summary>Runs a command that must succeed.</summary>
    public static string Succeed(params string[] arguments)
    {
        CommandResult result = Run(arguments);
        Assert.That(result.Error, Is.Empty);
        Assert.That(result.ExitCode, Is.Zero, result.Output);
        return result.Output;
    }

    /// <summary>Runs a command that must fail with one line that holds the given parts.</summary>
    public static void Refuse(string[] arguments, params string[] parts)
    {
        CommandResult result = Run(arguments);
        CheckRefusal(result.ExitCode, result.Error, parts);
    }

    public static void CheckRefusal(int exitCode, string error, params string[] parts)
    {
        Assert.That(exitCode, Is.EqualTo(2), error);
        Assert.That(error, Does.EndWith(Environment.NewLine));
        Assert.That(error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), error);
        Assert.That(error, Does.Not.Contain("   at ").And.Not.Contain("Exception"));
        foreach (string part in parts)
        {
            Assert.That(error, Does.Contain(part));
        }
    }
}
