using System.CommandLine;
using Spectre.Console;
using Sprint.Bench.Comparison;
using Sprint.Bench.Counting;
using Sprint.Bench.Kernels;
using Sprint.Bench.Micro;
using Sprint.Bench.Peers;
using Sprint.Bench.Report;
using Sprint.Bench.Steps;
using Sprint.Engine;

namespace Sprint.Bench;

/// <summary>The command line: what a user can mend is told in one line on the error stream, with exit code 2.</summary>
internal static class BenchCommandLine
{
    /// <summary>Width of tables in a file or a pipe, which have none of their own: rows keep their lines whole.</summary>
    private const int RedirectedWidth = 200;

    /// <summary>Runs one command.</summary>
    /// <param name="arguments">What the user gave.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = RedirectedWidth;
        ParseResult result = Root().Parse(arguments);
        if (Arguments.Mistake(result) is { } mistake)
        {
            await Console.Error.WriteLineAsync(mistake);
            return 2;
        }

        try
        {
            return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is SprintException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(exception.Message.ReplaceLineEndings(" "));
            return 2;
        }
    }

    /// <summary>All commands.</summary>
    public static RootCommand Root() => new(
        """
        Measures the engine: what token dropping saves in counts and in time, operations, kernels, and what the machine can reach.
        Examples:
          flops --model XL --image-size 256 --drop 0,0.5,0.75
          step --drop 0,0.5,0.75
          published
          report --out report.html
        """)
    {
        FlopsCommand.Create(),
        PublishedCommand.Create(),
        StepCommand.Create(),
        MicroCommand.Create(),
        KernelsCommand.Create(),
        PeersCommand.Create(),
        ReportCommand.Create(),
        CompareCommand.Create(),
        GemmCommand.Create(),
        PeakCommand.Create(),
        EmulatorCommand.Create(),
    };
}
