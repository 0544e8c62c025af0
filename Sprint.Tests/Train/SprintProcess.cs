using System.Diagnostics;
using System.Runtime.InteropServices;
using Sprint.Train;

namespace Sprint.Tests.Train;

/// <summary>Runs the command <c>sprint</c> as a process of its own, that can be killed or interrupted.</summary>
internal sealed partial class SprintProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Process process;
    private readonly Task<string> error;

    private SprintProcess(string file, IEnumerable<string> arguments, string? cache = null)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Else the runtime keeps its code in a file, which a limit on the size of files forbids.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        if (cache is not null)
        {
            start.Environment["SPRINT_CACHE"] = cache;
        }

        process = Process.Start(start)!;
        error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>What the process has written to its output so far.</summary>
    public List<string> Output { get; } = [];

    private static string Host => Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    private static string Program => typeof(ExitCode).Assembly.Location;

    public static SprintProcess Start(params string[] arguments) => new(Host, [Program, .. arguments]);

    /// <summary>Starts the command with a cache of its own or shared with others.</summary>
    public static SprintProcess StartWithCache(string folder, params string[] arguments) => new(Host, [Program, .. arguments], folder);

    /// <summary>Starts the command with a limit on the size of any file that it writes, as where a disk is full.</summary>
    public static SprintProcess StartLimited(int kibibytes, params string[] arguments) =>
        new("bash", ["-c", $"trap '' XFSZ; ulimit -f {kibibytes}; exec \"$@\"", "bash", Host, Program, .. arguments]);

    /// <summary>Waits for a line of output that contains a text; false if the process ends before.</summary>
    public bool WaitFor(string text)
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            Output.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>SIGKILL: the process has no say.</summary>
    public void Kill()
    {
        process.Kill();
        Finish();
    }

    /// <summary>SIGINT, as Ctrl-C sends.</summary>
    public void Interrupt()
    {
        const int Sigint = 2;
        _ = SendSignal(process.Id, Sigint);
    }

    /// <summary>Waits for the end.</summary>
    public (int ExitCode, string Error) Finish()
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            Output.Add(line);
        }

        return process.WaitForExit(Patience) ? (process.ExitCode, error.Result) : throw new TimeoutException("the process does not end");
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
