using System.Reflection;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The headers that CUDA files of others include, made findable for NVRTC, which brings declarations but no header files: the CUDA toolkit's, where it is
/// installed, and the engine's own of the C standard library for device code (kept in Compiler/Headers). Disposing deletes the folder of the latter.
/// </summary>
public sealed class CudaHeaders : IDisposable
{
    /// <summary>The header of what nvcc declares before the first line of every file.</summary>
    internal const string Prelude = "sprint_prelude.h";

    /// <summary>The variable template of the prelude whose mangled name tells a kernel's parameters.</summary>
    internal const string SignatureVariable = "sprint_signature";

    private const string Root = "headers/";
    private static readonly Assembly Home = typeof(CudaHeaders).Assembly;

    // What these declare for device code, NVRTC has built in.
    private static readonly string[] BuiltInHeaders =
    [
        "cuda_runtime.h", "cuda_runtime_api.h", "device_launch_parameters.h", "device_functions.h", "device_types.h", "driver_types.h",
        "builtin_types.h", "host_defines.h", "math_functions.h", "sm_61_intrinsics.h", "sm_61_intrinsics.hpp", "vector_functions.h", "vector_types.h",
    ];

    private readonly string folder;

    private CudaHeaders(string? toolkitFolder, string folder)
    {
        ToolkitFolder = toolkitFolder;
        this.folder = folder;
    }

    /// <summary>The folder of the CUDA toolkit's headers, or null where it is not installed.</summary>
    public string? ToolkitFolder { get; }

    private string Standard => Path.Combine(folder, "standard");

    private string BuiltIn => Path.Combine(folder, "built-in");

    /// <summary>Finds the toolkit's headers and lays out the engine's own in a temporary folder.</summary>
    /// <exception cref="SprintException">The temporary folder cannot be written to.</exception>
    public static CudaHeaders Open() => Open(Environment.GetEnvironmentVariable);

    /// <summary>
    /// All folders to look in, in order: the standard headers come before any others, since those of the system's C library are for its own compiler;
    /// the toolkit's come last, and after them what stands for those that NVRTC does without.
    /// </summary>
    /// <param name="folders">The folders of the user.</param>
    public IReadOnlyList<string> Around(IEnumerable<string> folders) => [Standard, .. folders, .. ToolkitFolder is null ? (string[])[] : [ToolkitFolder], BuiltIn];

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A few small files in the system's temporary folder are left to the system.
        }
    }

    internal static CudaHeaders Open(Func<string, string?> environment)
    {
        string? temporary = null;
        try
        {
            temporary = Directory.CreateTempSubdirectory("sprint-headers-").FullName;
            CudaHeaders headers = new(FindToolkit(environment), temporary);
            Directory.CreateDirectory(headers.Standard);
            Directory.CreateDirectory(headers.BuiltIn);
            foreach (string resource in Home.GetManifestResourceNames().Where(static name => name.StartsWith(Root, StringComparison.Ordinal)))
            {
                using Stream source = Home.GetManifestResourceStream(resource)!;
                using FileStream target = File.Create(Path.Combine(headers.Standard, resource[Root.Length..]));
                source.CopyTo(target);
            }

            foreach (string header in BuiltInHeaders)
            {
                File.WriteAllText(Path.Combine(headers.BuiltIn, header), "#pragma once\n");
            }

            return headers;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"The headers for NVRTC cannot be written to {temporary ?? Path.GetTempPath()}: {failure.Message}", failure);
        }
    }

    // Debian and Ubuntu install the toolkit's headers among the system's own.
    private static string? FindToolkit(Func<string, string?> environment) =>
        new[] { environment("CUDA_PATH"), environment("CUDA_HOME"), OperatingSystem.IsWindows() ? null : "/usr/local/cuda" }
            .Where(static root => !string.IsNullOrEmpty(root))
            .SelectMany(static root => new[] { Path.Combine(root!, "include"), Path.Combine(root!, "targets", "x86_64-linux", "include") })
            .Concat(OperatingSystem.IsWindows() ? [] : ["/usr/include"])
            .FirstOrDefault(static candidate => File.Exists(Path.Combine(candidate, "cuda_runtime.h")));
}
