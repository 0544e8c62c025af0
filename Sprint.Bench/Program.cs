using System.CommandLine;
using Sprint.Bench;
using Sprint.Engine;

RootCommand root = new("Measures what token dropping saves: step times, matrix products, savings per drop ratio.");
root.Subcommands.Add(StepCommand.Create());
root.Subcommands.Add(GemmCommand.Create());
root.Subcommands.Add(PeakCommand.Create());

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
