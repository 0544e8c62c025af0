using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>A kernel did something wrong while it ran. The message names the place and quotes the source line, where the file is at hand.</summary>
internal sealed class KernelFaultException : SprintException
{
    internal KernelFaultException(CudaException failure, CudaFile file, KernelName kernel)
        : base(Describe(failure, file, kernel), failure)
    {
    }

    private static string Describe(CudaException failure, CudaFile file, KernelName kernel)
    {
        if (failure.InnerException is not EmulationException fault)
        {
            return failure.Message;
        }

        string launch = $"{kernel.Signature} was launched with grid {failure.Grid} and block {failure.Block}";
        string budget = fault.Fault == EmulationFault.InstructionBudget ? "; --budget allows more" : "";
        return Quote(fault, file) is { } line
            ? $"{fault.Message}{Environment.NewLine}{line}{Environment.NewLine}{launch}{budget}"
            : $"{fault.Message}{Environment.NewLine}{launch}{budget}";
    }

    // PTX may have been made elsewhere: then the source is looked for beside it.
    private static string? Quote(EmulationException fault, CudaFile file)
    {
        if (fault.SourceFile is not { } source || fault.SourceLine is not { } number)
        {
            return null;
        }

        string name = source.Replace('\\', '/');
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, name[(name.LastIndexOf('/') + 1)..]);
        string? path = File.Exists(source) ? source : File.Exists(beside) ? beside : null;
        try
        {
            string? line = path is null ? null : File.ReadLines(path).ElementAtOrDefault(number - 1);
            return line is null ? null : string.Create(CultureInfo.InvariantCulture, $"  {path}:{number}: {line.Trim()}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
