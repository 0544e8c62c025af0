namespace Sprint.Engine.Cuda;

/// <summary>Where kernels come from and where compiled ones are kept.</summary>
public sealed record KernelLibraryOptions
{
    /// <summary>
    /// A folder of .cu and .cuh files, each of which takes the place of the embedded one of the same path. Null: the environment variable
    /// SPRINT_KERNELS, or none.
    /// </summary>
    public string? SourceFolder { get; init; }

    /// <summary>Where compiled images are kept. Null: SPRINT_CACHE/kernels, or the user's cache folder.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Whether compiled images are kept on disk.</summary>
    public bool UseCache { get; init; } = true;

    /// <summary>Further options of NVRTC for every source, e.g. --maxrregcount=64.</summary>
    public IReadOnlyList<string> CompilerOptions { get; init; } = [];
}
