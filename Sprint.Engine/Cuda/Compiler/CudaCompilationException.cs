namespace Sprint.Engine.Cuda;

/// <summary>A CUDA source that the compiler refused. The message holds file and line of the first error, and the whole log.</summary>
public sealed class CudaCompilationException : CudaException
{
    private const int MostStaticSharedBytes = 48 * 1024;

    /// <summary>Creates the error.</summary>
    /// <param name="source">The source's name.</param>
    /// <param name="log">The compiler's log.</param>
    public CudaCompilationException(string source, string log)
        : base(Sentence(source, log))
    {
        ArgumentNullException.ThrowIfNull(log);
        Log = log.Trim();
        Diagnostics = CudaDiagnostic.Parse(log);
        Advice = CompilationAdvice.Find(Diagnostics);
        ErrorCode = NvrtcApi.CompilationError;
        ErrorName = "NVRTC_ERROR_COMPILATION";
        Call = nameof(NvrtcApi.nvrtcCompileProgram);
    }

    /// <summary>The compiler's log.</summary>
    public string Log { get; }

    /// <summary>The log's messages one by one.</summary>
    public IReadOnlyList<CudaDiagnostic> Diagnostics { get; }

    /// <summary>What to do about a commonly seen error (a header that is missing, host code), as a clause; or null.</summary>
    public string? Advice { get; }

    private static string Sentence(string source, string log)
    {
        ArgumentNullException.ThrowIfNull(log);
        IReadOnlyList<CudaDiagnostic> diagnostics = CudaDiagnostic.Parse(log);
        CudaDiagnostic? first = diagnostics.FirstOrDefault(static message => message.Severity == CudaDiagnosticSeverity.Error);
        string place = first switch
        {
            null => Unsaid(log),
            { Line: > 0 } => $" at {first.File}({first.Line})",
            _ => "",
        };
        string advice = CompilationAdvice.Find(diagnostics) is { } clause ? $": {clause}." : ":";
        return $"{source} does not compile{place}{advice}{Environment.NewLine}{log.Trim()}";
    }

    // NVRTC 11.8 swallows the assembler's errors; the commonest shows in what the assembler reports before it.
    private static string Unsaid(string log) =>
        KernelResources.Parse(log).FirstOrDefault(static kernel => kernel.SharedBytes > MostStaticSharedBytes) is { } kernel
            ? $": kernel {kernel.Kernel} declares {kernel.SharedBytes} bytes of static shared memory, of which {MostStaticSharedBytes} are the most; use dynamic shared memory"
            : log.Contains("fatal", StringComparison.Ordinal) || log.Contains("error", StringComparison.OrdinalIgnoreCase)
                ? ": the assembler refused it"
                : ": the assembler refused it without a reason";
}
