using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>
/// A kernel did something wrong while it ran, or asks for something that the emulated device does not execute. The message names the place and quotes the source line, where
/// the file is at hand.
/// </summary>
internal sealed class KernelFaultException : SprintException
{
    private const long MostBytes = 64L << 20;
    private const int MostCharacters = 400;

    internal KernelFaultException(CudaException failure, CudaFile file, KernelName kernel, ulong schedule)
        : base(Describe(failure, file, kernel, schedule), failure) => ExitCode = IsRefusal(failure) ? Train.ExitCode.BadInput : Train.ExitCode.Failed;

    /// <summary>What the process returns: a kernel that cannot be executed is a wrong input, one that went wrong is not.</summary>
    internal int ExitCode { get; }

    /// <summary>Whether the emulator does not execute what the kernel asks for.</summary>
    internal static bool IsRefusal(CudaException failure) => failure.InnerException is EmulationException { Fault: EmulationFault.Unsupported or EmulationFault.Syntax };

    private static string Describe(CudaException failure, CudaFile file, KernelName kernel, ulong schedule)
    {
        if (failure.InnerException is not EmulationException fault)
        {
            return failure.Message;
        }

        string?[] quotes = [Quote(fault.SourceFile, fault.SourceLine, file), Quote(fault.CallerFile, fault.CallerLine, file)];
        List<string> lines = [fault.Message, .. quotes.OfType<string>()];

        if (!IsRefusal(failure))
        {
            string advice = fault.Fault switch
            {
                EmulationFault.InstructionBudget => "; --budget allows more",
                EmulationFault.Launch => "; --cooperative launches it so that its blocks may meet",
                _ => "",
            };
            string order = schedule == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", under --schedule {schedule}");
            lines.Add($"{kernel.Signature} was launched with grid {failure.Grid} and block {failure.Block}{order}{advice}");
        }

        return string.Join(Environment.NewLine, lines);
    }

    // PTX may have been made elsewhere: then the source is looked for beside it.
    private static string? Quote(string? source, int? line, CudaFile file)
    {
        if (source is null || line is not { } number)
        {
            return null;
        }

        string name = source.Replace('\\', '/');
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, name[(name.LastIndexOf('/') + 1)..]);
        string? known = file.FindText(source);
        try
        {
            string? path = known is not null || IsText(source) ? source : IsText(beside) ? beside : null;
            string? text = path is null ? null : (known?.Split('\n') ?? File.ReadLines(path)).ElementAtOrDefault(number - 1)?.Trim();
            return text is null ? null : string.Create(CultureInfo.InvariantCulture, $"  {path}:{number}: {(text.Length > MostCharacters ? text[..MostCharacters] + "..." : text)}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A device or pipe, which anyone's PTX may name, has no length and no end.
    private static bool IsText(string path) => new FileInfo(path) is { Exists: true, Length: > 0 and < MostBytes };
}
