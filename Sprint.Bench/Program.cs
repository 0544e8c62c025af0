using System.CommandLine;
using Sprint.Bench;
using Sprint.Engine;

RootCommand root = new("Measures the engine: training steps at a drop ratio, matrix products, the PTX emulator, and what the machine can reach.");
root.Subcommands.Add(StepCommand.Create());
root.Subcommands.Add(GemmCommand.Create());
root.Subcommands.Add(PeakCommand.Create());
root.Subcommands.Add(EmulatorCommand.Create());

ParseResult result = root.Parse(args);
if (Arguments.Mistake(result) is { } mistake)
{
    await Console.Error.WriteLineAsync(mistake);
    return 2;
}

try
{
    return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (SprintException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 2;
}
