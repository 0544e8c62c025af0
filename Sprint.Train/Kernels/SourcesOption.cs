using System.CommandLine;
using Sprint.Engine;
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

    /// <summary>Refuses the option where a file of the user's is named, which is no kernel of the library.</summary>
    /// <exception cref="SprintException">It is given.</exception>
    internal void Refuse(ParseResult result, string file)
    {
        if (result.GetValue(Folder) is { } folder)
        {
            throw new SprintException($"--sources {folder} is for the engine's kernels, and {file} is a file of your own: leave out one of them");
        }
    }

    /// <summary>Opens the library of kernels.</summary>
    /// <exception cref="SprintException">The folder does not exist.</exception>
    internal KernelLibrary Open(ParseResult result) => result.GetValue(Folder) is ""
        ? throw new SprintException("--sources is empty: name the folder that holds your .cu files, or leave it out")
        : new(new KernelLibraryOptions { SourceFolder = result.GetValue(Folder) });
}
