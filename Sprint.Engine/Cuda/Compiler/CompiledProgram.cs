namespace Sprint.Engine.Cuda;

/// <summary>What the compiler made of a source.</summary>
public sealed record CompiledProgram
{
    /// <summary>What it was compiled for.</summary>
    public required CudaTarget Target { get; init; }

    /// <summary>PTX text in UTF-8, or a cubin.</summary>
    public required ReadOnlyMemory<byte> Image { get; init; }

    /// <summary>The compiler's warnings and remarks, or empty.</summary>
    public string Log { get; init; } = "";

    /// <summary>The messages of <see cref="Log"/> one by one.</summary>
    public IReadOnlyList<CudaDiagnostic> Diagnostics => CudaDiagnostic.Parse(Log);

    /// <summary>What each kernel needs; empty for PTX.</summary>
    public IReadOnlyList<KernelResources> Resources { get; init; } = [];

    /// <summary>The mangled name of each name expression.</summary>
    public IReadOnlyDictionary<string, string> LoweredNames { get; init; } = new Dictionary<string, string>();
}
