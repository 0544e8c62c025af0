using Spectre.Console;

namespace Sprint.Bench;

/// <summary>Shows on the error stream how far long work is; results go to the output alone.</summary>
internal static class ProgressDisplay
{
    private static readonly IAnsiConsole Errors = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Runs work of so many parts.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="what">What is done.</param>
    /// <param name="parts">How many parts there are.</param>
    /// <param name="work">Does it, and calls its argument after each part.</param>
    /// <returns>What <paramref name="work"/> gives.</returns>
    public static T Run<T>(string what, int parts, Func<Action, T> work)
    {
        if (!Errors.Profile.Out.IsTerminal)
        {
            Console.Error.WriteLine(what);
            return work(static () => { });
        }

        return Errors.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(what), maxValue: parts);
                return work(() => task.Increment(1));
            });
    }
}
