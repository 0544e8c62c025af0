namespace Sprint.Engine.Cuda;

/// <summary>One source of kernels/ with its macros chosen: what is compiled, cached and loaded as one module.</summary>
/// <param name="Source">The source's path below kernels/, with forward slashes, e.g. token_drop.cu.</param>
/// <param name="EntryPoints">The kernels that the module must have.</param>
/// <param name="Macros">The macros, in order.</param>
public sealed record KernelSpecialization(string Source, IReadOnlyList<string> EntryPoints, IReadOnlyList<CudaMacro> Macros)
{
    /// <summary>A short name that is also a file name: the source's, then each macro's value, e.g. token_drop-bfloat16.</summary>
    public string Name
    {
        get
        {
            string name = Path.ChangeExtension(Source, null).Replace('/', '-');
            foreach (CudaMacro macro in Macros)
            {
                name += "-" + string.Concat(macro.Value.Select(static c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_'));
            }

            return name;
        }
    }

    /// <summary>The same source and macros, in the same order; entry points do not count, as they do not change the image.</summary>
    internal bool CompilesLike(KernelSpecialization other) => Source == other.Source && Macros.SequenceEqual(other.Macros);

    /// <inheritdoc/>
    public override string ToString() => Macros.Count == 0 ? Source : $"{Source} -D{string.Join(" -D", Macros)}";
}
