using Spectre.Console;

namespace Sprint.Train;

/// <summary>Long work with its progress on the error stream, where that is a terminal.</summary>
internal static class ErrorProgress
{
    /// <summary>Works.</summary>
    /// <param name="what">What is done, in a word.</param>
    /// <param name="count">How many parts it has; one alone is not shown.</param>
    /// <param name="work">Does all, and tells when each part is done, on any thread.</param>
    internal static void Run(string what, int count, Action<Action> work)
    {
        if (count <= 1 || Console.IsErrorRedirected)
        {
            work(static () => { });
            return;
        }

        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress().AutoClear(true).Start(context =>
        {
            ProgressTask task = context.AddTask(what, maxValue: count);
            work(() => task.Increment(1));
        });
    }
}
