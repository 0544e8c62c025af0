namespace Sprint.Engine.Cuda;

/// <summary>A CUDA C++ source in memory, with the headers it includes.</summary>
/// <param name="Name">What the compiler calls the source in its messages and in line information, e.g. token_drop.cu.</param>
/// <param name="Text">The source.</param>
public sealed record CudaSource(string Name, string Text)
{
    /// <summary>The headers, each under the very text that an #include names it by.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
}

/// <summary>A macro given on the command line: -D Name=Value.</summary>
/// <param name="Name">The macro.</param>
/// <param name="Value">Its replacement.</param>
public readonly record struct CudaMacro(string Name, string Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}={Value}";
}
