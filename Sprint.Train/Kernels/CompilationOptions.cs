using System.CommandLine;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The options <c>-D</c> and <c>-I</c> of commands that compile a file.</summary>
internal sealed class CompilationOptions
{
    private readonly Option<string[]> macros = new("-D")
    {
        Description = "A macro for the compiler: NAME, or NAME=VALUE. May be given again.",
        HelpName = "NAME[=VALUE]",
    };

    private readonly Option<string[]> folders = new("-I")
    {
        Description = "A folder to look for headers in, after the file's own and before the CUDA toolkit's (CUDA_PATH). May be given again.",
        HelpName = "DIR",
    };

    internal void AddTo(Command command)
    {
        command.Options.Add(macros);
        command.Options.Add(folders);
    }

    /// <summary>What the user asked of the compiler.</summary>
    /// <exception cref="SprintException">A macro has no name, or a folder does not exist.</exception>
    internal CudaCompilerOptions Read(ParseResult result)
    {
        string[] include = result.GetValue(folders) ?? [];
        foreach (string folder in include)
        {
            if (!Directory.Exists(folder))
            {
                throw new SprintException($"-I {folder}: there is no such folder");
            }
        }

        return new CudaCompilerOptions { Macros = [.. (result.GetValue(macros) ?? []).Select(Macro)], IncludeFolders = [.. include.Select(Path.GetFullPath)] };
    }

    /// <summary>Refuses the options where no file of the user's is named: the engine's kernels have macros and headers of their own.</summary>
    /// <exception cref="SprintException">One is given.</exception>
    internal void Refuse(ParseResult result)
    {
        if (result.GetValue(macros) is { Length: > 0 } || result.GetValue(folders) is { Length: > 0 })
        {
            throw new SprintException("-D and -I are for a file of your own: name it, or leave them out");
        }
    }

    /// <summary>Refuses the options where the file is PTX, and gives none.</summary>
    /// <exception cref="SprintException">One is given.</exception>
    internal CudaCompilerOptions RefusePtx(ParseResult result, string file)
    {
        CudaCompilerOptions given = Read(result);
        return given.Macros.Count == 0 && given.IncludeFolders.Count == 0
            ? given
            : throw new SprintException($"-D and -I are for the compiler, and {file} is PTX, which is compiled already: leave them out, or give the .cu file");
    }

    /// <summary>Compilers take these options with their values joined on: -DTILE=4.</summary>
    internal static string[] Separate(string[] arguments) =>
        [.. arguments.SelectMany(static argument => argument.Length > 2 && argument[0] == '-' && argument[1] is 'D' or 'I' ? [argument[..2], argument[2..]] : (string[])[argument])];

    private static CudaMacro Macro(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        (string name, string value) = equals < 0 ? (text, "1") : (text[..equals], text[(equals + 1)..]);
        string head = name.Split('(')[0];
        return head.Length > 0 && (char.IsAsciiLetter(head[0]) || head[0] == '_') && head.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter == '_')
            ? new CudaMacro(name, value)
            : throw new SprintException($"-D {text}: a macro is NAME or NAME=VALUE, its name of letters, digits and _");
    }
}
