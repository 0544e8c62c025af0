using System.Security.Cryptography;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The PTX of every specialisation in <see cref="KernelCatalog.Prebuilt"/>, kept in kernels/prebuilt and in the assembly, for machines without
/// NVRTC. It is used only for the very source, headers and macros that it was made from.
/// </summary>
public static class PrebuiltKernels
{
    /// <summary>What to do about stale PTX.</summary>
    internal const string Advice = "refresh it with `sprint kernels build --prebuilt`";

    private const string Folder = "prebuilt/";

    /// <summary>Compiles every specialisation of the catalogue anew and writes PTX and manifest.</summary>
    /// <param name="folder">The folder to write to: kernels/prebuilt of the repository. Files of specialisations that are gone are deleted.</param>
    /// <param name="compiler">The compiler.</param>
    /// <returns>The files written.</returns>
    /// <exception cref="SprintException">A source does not compile, or the folder cannot be written to.</exception>
    public static IReadOnlyList<string> Refresh(string folder, ICudaCompiler compiler)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(compiler);
        KernelSources sources = new(SourceFolderOf(folder));
        List<PrebuiltKernel> kernels = [];
        Dictionary<string, byte[]> files = [];
        foreach (KernelSpecialization specialization in KernelCatalog.Prebuilt)
        {
            CudaSource source = sources.Load(specialization.Source);
            byte[] ptx = Compile(specialization, source, compiler);
            string file = specialization.Name + ".ptx";
            files.Add(file, ptx);
            kernels.Add(new PrebuiltKernel(
                file, specialization.Source, [.. specialization.Macros.Select(static macro => macro.ToString())], SourceHash(specialization, source), Hash(ptx)));
        }

        PrebuiltManifest manifest = new(compiler.Version.ToString(), KernelLibrary.BaselineArchitecture, kernels);
        try
        {
            Directory.CreateDirectory(folder);
            foreach (string stale in Directory.EnumerateFiles(folder, "*.ptx").Where(path => !files.ContainsKey(Path.GetFileName(path))).ToList())
            {
                File.Delete(stale);
            }

            foreach ((string file, byte[] ptx) in files)
            {
                File.WriteAllBytes(Path.Combine(folder, file), ptx);
            }

            File.WriteAllText(Path.Combine(folder, PrebuiltManifest.FileName), manifest.ToJson());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"Prebuilt kernels cannot be written to {folder}: {failure.Message}", failure);
        }

        return [.. files.Keys, PrebuiltManifest.FileName];
    }

    /// <summary>Compares the embedded PTX with the embedded sources.</summary>
    /// <param name="compiler">
    /// With a compiler of the version that made the PTX, the PTX is also built anew and compared; null compares hashes only.
    /// </param>
    /// <returns>One sentence for each specialisation that is missing or stale, naming the command that refreshes it; empty where all is well.</returns>
    public static IReadOnlyList<string> FindProblems(ICudaCompiler? compiler) => FindProblems(KernelSources.ReadEmbedded, new KernelSources(null), compiler);

    /// <summary>Compares PTX with sources.</summary>
    internal static IReadOnlyList<string> FindProblems(Func<string, byte[]?> read, KernelSources sources, ICudaCompiler? compiler)
    {
        List<string> problems = [];
        if (read(Folder + PrebuiltManifest.FileName) is not { } json)
        {
            return [$"kernels/{Folder}{PrebuiltManifest.FileName} is missing: {Advice}."];
        }

        PrebuiltManifest manifest = PrebuiltManifest.Parse(json, "kernels/" + Folder + PrebuiltManifest.FileName);
        foreach (KernelSpecialization specialization in KernelCatalog.Prebuilt)
        {
            CudaSource source = sources.Load(specialization.Source);
            PrebuiltKernel? entry = Find(manifest, specialization);
            byte[]? ptx = entry is null ? null : read(Folder + entry.File);
            if (entry is null || ptx is null)
            {
                problems.Add($"There is no prebuilt PTX of {specialization}: {Advice}.");
            }
            else if (entry.SourceHash != SourceHash(specialization, source))
            {
                problems.Add($"The prebuilt PTX of {specialization} is stale, its source has changed: {Advice}.");
            }
            else if (entry.PtxHash != Hash(ptx))
            {
                problems.Add($"The prebuilt PTX of {specialization} was changed by hand: {Advice}.");
            }
            else if (compiler is not null && manifest.Compiler == compiler.Version.ToString() && !Compile(specialization, source, compiler).AsSpan().SequenceEqual(ptx))
            {
                problems.Add($"The prebuilt PTX of {specialization} is not what NVRTC {compiler.Version} makes of its source: {Advice}.");
            }
        }

        return problems;
    }

    /// <summary>The prebuilt PTX of a specialisation of this very source.</summary>
    /// <param name="specialization">What is wanted.</param>
    /// <param name="source">Its source, which must be the one that the PTX was made from.</param>
    /// <param name="compilerMissing">Why it cannot be compiled, as a sentence.</param>
    /// <exception cref="SprintException">There is none.</exception>
    internal static KernelImage Get(KernelSpecialization specialization, CudaSource source, string compilerMissing)
    {
        PrebuiltManifest? manifest = KernelSources.ReadEmbedded(Folder + PrebuiltManifest.FileName) is { } json
            ? PrebuiltManifest.Parse(json, "kernels/" + Folder + PrebuiltManifest.FileName)
            : null;
        PrebuiltKernel? entry = manifest is null ? null : Find(manifest, specialization);
        string? reason = entry is null
            ? "there is no prebuilt PTX of it"
            : entry.SourceHash != SourceHash(specialization, source) ? "the prebuilt PTX was made from another version of its source" : null;
        byte[]? ptx = reason is null ? KernelSources.ReadEmbedded(Folder + entry!.File) : null;
        return ptx is null
            ? throw new SprintException($"{specialization} cannot be compiled, and {reason ?? "its prebuilt PTX is missing"}. {compilerMissing}")
            : new KernelImage(specialization, new CompiledProgram { Target = KernelLibrary.EmulatorTarget, Image = ptx }, KernelImageOrigin.Prebuilt);
    }

    private static PrebuiltKernel? Find(PrebuiltManifest manifest, KernelSpecialization specialization) =>
        manifest.Kernels.FirstOrDefault(kernel =>
            kernel.Source == specialization.Source && kernel.Macros.SequenceEqual(specialization.Macros.Select(static macro => macro.ToString())));

    // kernels/prebuilt lies in the sources it was made from; anywhere else the embedded ones count.
    private static string? SourceFolderOf(string folder)
    {
        string? parent = Path.GetDirectoryName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar));
        return parent is not null && Directory.Exists(Path.Combine(parent, "common")) ? parent : null;
    }

    private static CudaCompilerOptions Options(KernelSpecialization specialization) =>
        new() { Target = KernelLibrary.EmulatorTarget, Macros = specialization.Macros };

    private static byte[] Compile(KernelSpecialization specialization, CudaSource source, ICudaCompiler compiler) =>
        compiler.Compile(source, Options(specialization)).Image.ToArray();

    private static string SourceHash(KernelSpecialization specialization, CudaSource source) =>
        KernelSources.Hash(source, specialization, Options(specialization).ToArguments());

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
