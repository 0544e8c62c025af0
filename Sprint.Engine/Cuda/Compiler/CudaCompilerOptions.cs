namespace Sprint.Engine.Cuda;

/// <summary>What is compiled to.</summary>
public enum CudaImageKind
{
    /// <summary>PTX: for the emulator, and for devices newer than the compiler.</summary>
    Ptx,

    /// <summary>Machine code of one architecture.</summary>
    Cubin,
}

/// <summary>What to compile for: 80 stands for compute capability 8.0.</summary>
/// <param name="Kind">PTX or machine code.</param>
/// <param name="Architecture">Compute capability as one number.</param>
public readonly record struct CudaTarget(CudaImageKind Kind, int Architecture)
{
    /// <summary>The target's name as the compiler takes it: compute_80 or sm_80.</summary>
    public string Name => $"{(Kind == CudaImageKind.Ptx ? "compute" : "sm")}_{Architecture}";

    /// <summary>PTX of an architecture.</summary>
    /// <param name="architecture">E.g. 80.</param>
    public static CudaTarget Ptx(int architecture) => new(CudaImageKind.Ptx, architecture);

    /// <summary>Machine code of an architecture.</summary>
    /// <param name="architecture">E.g. 80.</param>
    public static CudaTarget Cubin(int architecture) => new(CudaImageKind.Cubin, architecture);

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>How to compile.</summary>
public sealed record CudaCompilerOptions
{
    /// <summary>What to compile for.</summary>
    public CudaTarget Target { get; init; } = CudaTarget.Ptx(80);

    /// <summary>Macros, in order.</summary>
    public IReadOnlyList<CudaMacro> Macros { get; init; } = [];

    /// <summary>Folders in which to look for headers that are not in memory.</summary>
    public IReadOnlyList<string> IncludeFolders { get; init; } = [];

    /// <summary>C++ names (e.g. <c>scale&lt;float&gt;</c>) whose mangled names are wanted; they also instantiate templates.</summary>
    public IReadOnlyList<string> NameExpressions { get; init; } = [];

    /// <summary>Whether to keep source lines, so that an error can name them. Costs nothing at run time.</summary>
    public bool LineInformation { get; init; } = true;

    /// <summary>Whether approximate functions and flushed denormals are allowed everywhere.</summary>
    public bool FastMath { get; init; }

    /// <summary>Further options of NVRTC, as they are.</summary>
    public IReadOnlyList<string> Additional { get; init; } = [];

    /// <summary>The options as NVRTC takes them.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        List<string> arguments = [$"--gpu-architecture={Target.Name}", "--std=c++17"];
        if (LineInformation)
        {
            arguments.Add("-lineinfo");
        }

        if (FastMath)
        {
            arguments.Add("--use_fast_math");
        }

        if (Target.Kind == CudaImageKind.Cubin)
        {
            // The assembler then reports registers and spills in the log.
            arguments.Add("--ptxas-options=-v");
        }

        arguments.AddRange(Macros.Select(static macro => $"-D{macro.Name}={macro.Value}"));
        arguments.AddRange(IncludeFolders.Select(static folder => $"--include-path={folder}"));
        arguments.AddRange(Additional);
        return arguments;
    }
}
