namespace Sprint.Engine.Cuda;

/// <summary>Marks an import that older drivers lack. It is resolved at its first call, which must be guarded.</summary>
/// <param name="since">The first CUDA version that has the symbol, as "12.4".</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NewerDriverAttribute(string since) : Attribute
{
    /// <summary>The first CUDA version that has the symbol.</summary>
    public string Since { get; } = since;
}
