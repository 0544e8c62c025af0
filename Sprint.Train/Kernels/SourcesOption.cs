using System.CommandLine;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The option <c>--sources</c>: whose kernel sources count.</summary>
internal sealed class SourcesOption
{
    internal Option<string?> Folder { get; } = new("--sources")
    {
        Description = "A folder whose .cu and .cuh files stand for the built-in ones of the same path; without it the folder that SPRINT_KERNELS names, if any.",
        HelpName = "FOLDER",
    };

    /// <summary>Opens the library of kernels.</summary>
    internal KernelLibrary Open(ParseResult result) => new(new KernelLibraryOptions { SourceFolder = result.GetValue(Folder) });
}
