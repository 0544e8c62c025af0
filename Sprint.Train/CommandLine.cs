using System.CommandLine;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The command line of <c>sprint</c>: what a user can mend is told in one line on the error stream, with exit code 2.</summary>
internal static class CommandLine
{
    /// <summary>Width of tables in a file or a pipe, which have none of their own: rows keep their lines whole.</summary>
    private const int RedirectedWidth = 160;

    /// <summary>Runs one command.</summary>
    /// <param name="arguments">What the user gave.</param>
    /// <param name="output">Receives help.</param>
    /// <param name="error">Receives what is wrong.</param>
    /// <returns>The process's exit code.</returns>
    internal static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = RedirectedWidth;
        }

        // An argument may begin with @, as tensors of files do: it names no file of further arguments.
        ParseResult parsed = Root().Parse(
            arguments is ["kernels", ..] ? CompilationOptions.Separate(arguments) : arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        foreach (Command part in parsed.CommandResult.Command.Subcommands)
        {
            // A list of commands has room for one line of each; its own help says the rest.
            part.Description = part.Description?.Split('\n')[0];
        }

        if (CommandLineMistake.Find(parsed) is { } mistake)
        {
            await error.WriteLineAsync(mistake);
            return ExitCode.BadInput;
        }

        try
        {
            // Ctrl-C is the command's own business: training finishes its step and saves.
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = output,
                Error = error,
            });
        }
        catch (CudaCompilationException exception)
        {
            // The compiler's log has a line for each error.
            await error.WriteLineAsync(exception.Message);
            return ExitCode.BadInput;
        }
        catch (KernelFaultException exception)
        {
            await error.WriteLineAsync(exception.Message);
            return exception.ExitCode;
        }
        catch (OutOfMemoryException)
        {
            await error.WriteLineAsync("this machine has not the memory for what was asked: give smaller buffers, a smaller batch or a smaller model");
            return ExitCode.BadInput;
        }
        catch (Exception exception) when (exception is SprintException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(exception.Message.ReplaceLineEndings(" "));
            return ExitCode.BadInput;
        }
    }

    private static RootCommand Root() => new("Sprint trains and samples diffusion transformers with SPRINT token dropping.\nExample:\n  sprint train")
    {
        TrainCommand.Create(),
        SampleCommand.Create(),
        VerifyCommand.Create(),
        DevicesCommand.Create(),
        KernelsCommand.Create(),
    };
}
