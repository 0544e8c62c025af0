using System.CommandLine;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Train;

if (Console.IsOutputRedirected)
{
    // A file or a pipe has no width of its own: tables keep their lines whole.
    AnsiConsole.Profile.Width = 160;
}

var root = new RootCommand("Sprint trains and samples diffusion transformers with SPRINT token dropping.")
{
    TrainCommand.Create(),
    SampleCommand.Create(),
    VerifyCommand.Create(),
    DevicesCommand.Create(),
};

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync($"{parsed.Errors[0].Message} See: sprint {parsed.CommandResult.Command.Name} --help".Replace("sprint sprint", "sprint", StringComparison.Ordinal));
    return ExitCode.BadInput;
}

try
{
    // Ctrl-C is the command's own business: training finishes its step and saves.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (SprintException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return ExitCode.BadInput;
}
