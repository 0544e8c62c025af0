namespace Sprint.Engine.Cuda;

/// <summary>A source of the kernel library.</summary>
/// <param name="Name">Its path below kernels/.</param>
/// <param name="OwnPath">The user's file that stands for it, or null where the engine's own does.</param>
/// <param name="OwnHeaders">Those of the headers it includes that are the user's: their names and files.</param>
/// <param name="Specializations">What the engine compiles of it; empty for a source that only the user has.</param>
public sealed record KernelSourceFile(
    string Name, string? OwnPath, IReadOnlyList<(string Name, string Path)> OwnHeaders, IReadOnlyList<KernelSpecialization> Specializations);
