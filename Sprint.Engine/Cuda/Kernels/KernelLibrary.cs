using System.Collections.Concurrent;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The engine's kernels: finds a source, specialises it, compiles it for a device and keeps the result on disk. Where NVRTC is missing,
/// prebuilt PTX of the same source takes its place. Usable from any thread.
/// </summary>
public sealed class KernelLibrary
{
    /// <summary>The oldest compute capability that the kernels are written for: 8.0, which has bf16 mma.sync, cp.async and ldmatrix.</summary>
    public const int BaselineArchitecture = 80;

    private readonly KernelSources sources;
    private readonly KernelCache? cache;
    private readonly ICudaCompiler? compiler;
    private readonly string? compilerMissing;
    private readonly IReadOnlyList<string> compilerOptions;
    private readonly ConcurrentDictionary<string, Lazy<KernelImage>> images = new();

    /// <summary>Creates a library with this machine's NVRTC, where there is one.</summary>
    /// <param name="options">Where kernels come from; null for the defaults.</param>
    /// <exception cref="SprintException">The source folder does not exist.</exception>
    public KernelLibrary(KernelLibraryOptions? options = null)
        : this(options ?? new KernelLibraryOptions(), CudaRuntimeCompiler.TryLoad(out CudaRuntimeCompiler? found, out string? reason) ? found : null, reason)
    {
    }

    internal KernelLibrary(KernelLibraryOptions options, ICudaCompiler? compiler, string? compilerMissing)
    {
        string? folder = options.SourceFolder ?? Environment.GetEnvironmentVariable("SPRINT_KERNELS");
        sources = new KernelSources(string.IsNullOrEmpty(folder) ? null : folder);
        cache = options.UseCache ? new KernelCache(options.CacheFolder ?? KernelCache.DefaultFolder(Environment.GetEnvironmentVariable)) : null;
        compilerOptions = options.CompilerOptions;
        this.compiler = compiler;
        this.compilerMissing = compilerMissing;
    }

    /// <summary>What the emulator runs: PTX of the baseline.</summary>
    public static CudaTarget EmulatorTarget { get; } = CudaTarget.Ptx(BaselineArchitecture);

    /// <summary>The compiler, or null where this machine has none.</summary>
    public ICudaCompiler? Compiler => compiler;

    /// <summary>The paths of all sources, the user's among them.</summary>
    public IReadOnlyList<string> SourceNames => sources.Names;

    /// <summary>All sources, with the files of the user that stand for them.</summary>
    /// <exception cref="SprintException">A file of the user's cannot be read.</exception>
    public IReadOnlyList<KernelSourceFile> Sources =>
    [
        .. sources.Names.Select(name => new KernelSourceFile(
            name,
            sources.OwnPath(name),
            [.. sources.Load(name).Headers.Keys.Where(header => sources.OwnPath(header) is not null).Select(header => (header, sources.OwnPath(header)!))],
            [.. KernelCatalog.All.Where(specialization => specialization.Source == name)])),
    ];

    /// <summary>A source with its headers, to be compiled as any other file is; null where there is none of the name.</summary>
    /// <param name="name">One of <see cref="SourceNames"/>.</param>
    /// <exception cref="SprintException">A file of the user's that stands for it cannot be read.</exception>
    public CudaFile? FindSource(string name) => sources.Names.Contains(name) ? CudaFile.Of(sources.Load(name)) : null;

    /// <summary>The folder of compiled images, or null where nothing is kept.</summary>
    public string? CacheFolder => cache?.Folder;

    /// <summary>Why a compiled image could not be kept, or null.</summary>
    public string? CacheProblem => cache?.Problem;

    /// <summary>
    /// What to compile for a device: machine code of its architecture, or of the nearest older one of the same generation, which it
    /// runs as well; PTX of the newest known architecture where the device is newer than the compiler, and of the baseline for an emulated device.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <exception cref="SprintException">The device is older than the kernels' baseline.</exception>
    public CudaTarget TargetFor(CudaDeviceProperties device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Architecture < BaselineArchitecture)
        {
            throw new SprintException($"Device {device.Name} has compute capability {device.ComputeCapability}; the kernels need 8.0 (Ampere) or newer: run with --device cpu.");
        }

        if (compiler is null || device.IsEmulated)
        {
            return EmulatorTarget;
        }

        int nearest = compiler.SupportedArchitectures.Where(known => known <= device.Architecture).Max();
        return nearest / 10 == device.Architecture / 10 ? CudaTarget.Cubin(nearest) : CudaTarget.Ptx(nearest);
    }

    /// <summary>Compiles a specialisation, or finds it compiled.</summary>
    /// <param name="specialization">Source and macros.</param>
    /// <param name="target">What to compile for; without NVRTC, PTX of the baseline is returned, which newer devices run too.</param>
    /// <exception cref="CudaCompilationException">The source has errors: the message holds the log with file and line.</exception>
    /// <exception cref="SprintException">
    /// There is no such source; it lacks an entry point; or NVRTC is missing and there is no prebuilt PTX of this very source.
    /// </exception>
    public KernelImage Get(KernelSpecialization specialization, CudaTarget target)
    {
        ArgumentNullException.ThrowIfNull(specialization);
        CudaSource source = sources.Load(specialization.Source);
        if (compiler is null)
        {
            return PrebuiltKernels.Get(specialization, source, $"{compilerMissing}");
        }

        CudaCompilerOptions options = new() { Target = target, Macros = specialization.Macros, Additional = compilerOptions };
        string key = KernelSources.Hash(source, specialization, [$"NVRTC {compiler.Version}", .. options.ToArguments()]);
        Lazy<KernelImage> image = images.GetOrAdd(key, _ => new Lazy<KernelImage>(() => FindOrCompile(specialization, source, options, key)));
        try
        {
            KernelImage found = image.Value;
            RequireEntryPoints(specialization, found.Program);
            return found.Specialization == specialization ? found : found with { Specialization = specialization };
        }
        catch
        {
            // The next call tries anew: what failed may have been the machine, not the source.
            images.TryRemove(new KeyValuePair<string, Lazy<KernelImage>>(key, image));
            throw;
        }
    }

    private KernelImage FindOrCompile(KernelSpecialization specialization, CudaSource source, CudaCompilerOptions options, string key)
    {
        if (cache?.TryRead(key) is { } cached && cached.Target == options.Target)
        {
            return new KernelImage(specialization, cached, KernelImageOrigin.Cached);
        }

        CompiledProgram program;
        try
        {
            program = compiler!.Compile(source, options);
        }
        catch (CudaCompilationException failure)
        {
            throw new CudaCompilationException($"{specialization} for {options.Target}", WithPaths(failure.Log, source));
        }

        cache?.Write(key, program);
        return new KernelImage(specialization, program, KernelImageOrigin.Compiled);
    }

    // A file of the user's is named by its path, so that an editor finds it.
    private string WithPaths(string log, CudaSource source)
    {
        string[] lines = log.Split('\n');
        foreach (string name in source.Headers.Keys.Append(source.Name))
        {
            if (sources.OwnPath(name) is not { } path)
            {
                continue;
            }

            for (int i = 0; i < lines.Length; i++)
            {
                if (lines[i].StartsWith(name + "(", StringComparison.Ordinal))
                {
                    lines[i] = path + lines[i][name.Length..];
                }
            }
        }

        return string.Join('\n', lines);
    }

    private static void RequireEntryPoints(KernelSpecialization specialization, CompiledProgram program)
    {
        foreach (string entryPoint in specialization.EntryPoints)
        {
            if (!KernelImageReader.TryReadParameters(program.Image.Span, entryPoint, out _))
            {
                throw new SprintException($"{specialization} has no kernel named {entryPoint}: declare it extern \"C\" __global__ under that name.");
            }
        }
    }
}
