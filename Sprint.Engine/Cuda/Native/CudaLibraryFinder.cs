using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// Finds the native libraries of CUDA: first by versioned name where the system's loader looks, then in the folders of the toolkit
/// named by CUDA_PATH or CUDA_HOME, then in the toolkit's customary place. What a library from a folder looks for by name is loaded from there
/// too, as the system's loader does not look in that folder.
/// </summary>
internal sealed class CudaLibraryFinder
{
    private readonly Func<string, nint> load;
    private readonly Func<string, string?> environment;
    private readonly Func<string, string, IEnumerable<string>> list;
    private readonly bool windows;
    private readonly Dictionary<string, nint> found = [];
    private readonly Lock gate = new();

    /// <summary>Creates a finder over the given means, so that a test can do without the machine's own.</summary>
    /// <param name="load">Loads a library by name or path; zero where there is none.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <param name="windows">Whether to look for the Windows names.</param>
    /// <param name="list">The files of a folder by pattern; null for the machine's own.</param>
    public CudaLibraryFinder(
        Func<string, nint> load, Func<string, string?> environment, bool windows, Func<string, string, IEnumerable<string>>? list = null)
    {
        this.list = list ?? Directory.EnumerateFiles;
        this.load = load;
        this.environment = environment;
        this.windows = windows;
    }

    /// <summary>The finder over this machine's loader and environment.</summary>
    public static CudaLibraryFinder System { get; } = new(
        static name => NativeLibrary.TryLoad(name, out var handle) ? handle : 0,
        Environment.GetEnvironmentVariable,
        OperatingSystem.IsWindows());

    /// <summary>Loads the library, or says in one sentence what is missing, what it is for and how to get it.</summary>
    /// <exception cref="SprintException">The library is nowhere to be found.</exception>
    public nint Require(CudaLibrary library) =>
        TryLoad(library, out var handle)
            ? handle
            : throw new SprintException(
                $"{library.Purpose} was not found (looked for {string.Join(", ", library.Names(windows))} on the library path{FoldersSentence()}): {library.HowToGet}.");

    /// <summary>Loads the library where there is one. What was found once stays; what was missing is looked for again.</summary>
    public bool TryLoad(CudaLibrary library, out nint handle)
    {
        lock (gate)
        {
            if (found.TryGetValue(library.Key, out handle))
                return true;
            foreach (var candidate in Candidates(library))
            {
                handle = load(candidate);
                if (handle == 0)
                    continue;
                found.Add(library.Key, handle);
                LoadCompanions(library, Path.GetDirectoryName(candidate));
                return true;
            }

            return false;
        }
    }

    private void LoadCompanions(CudaLibrary library, string? folder)
    {
        if (library.Companion(windows) is not { } pattern || string.IsNullOrEmpty(folder))
            return;
        foreach (var companion in list(folder, pattern))
            load(companion);
    }

    private IEnumerable<string> Candidates(CudaLibrary library)
    {
        var names = library.Names(windows);
        foreach (var name in names)
            yield return name;
        foreach (var folder in Folders())
            foreach (var name in names)
                yield return Path.Combine(folder, name);
    }

    private IEnumerable<string> Folders()
    {
        string[] below = windows ? ["bin", Path.Combine("bin", "x64")] : ["lib64", "lib", Path.Combine("targets", "x86_64-linux", "lib")];
        var roots = Roots().ToList();
        if (!windows)
            roots.Add("/usr/local/cuda");
        return roots.SelectMany(root => below.Select(folder => Path.Combine(root, folder)));
    }

    private IEnumerable<string> Roots()
    {
        foreach (var variable in (string[])["CUDA_PATH", "CUDA_HOME"])
            if (environment(variable) is { Length: > 0 } root)
                yield return root;
    }

    private string FoldersSentence()
    {
        var roots = string.Join(" and ", Roots());
        return roots.Length == 0 ? "; CUDA_PATH is not set" : $" and under {roots}";
    }
}
