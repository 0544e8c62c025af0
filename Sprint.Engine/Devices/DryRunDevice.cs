using System.Runtime.InteropServices;

namespace Sprint.Engine;

/// <summary>
/// Follows shapes and counts costs without storage or arithmetic, so that FLOPs and memory of a model of any size are known
/// in milliseconds. Reading a tensor's elements gives zeros.
/// </summary>
public sealed class DryRunDevice : Device
{
    /// <inheritdoc/>
    public override string Name => "dryrun";

    /// <inheritdoc/>
    public override string Description => "shapes and costs only, nothing is computed";

    /// <inheritdoc/>
    public override bool Executes => false;

    /// <inheritdoc/>
    public override void Synchronize()
    {
    }

    /// <inheritdoc/>
    public override void Trim()
    {
    }

    internal override unsafe void CopyFromHost(Tensor destination, void* source, long bytes)
    {
    }

    internal override unsafe void CopyToHost(Tensor source, void* destination, long bytes) => NativeMemory.Clear(destination, (nuint)bytes);

    internal override void Copy(Tensor source, Tensor destination)
    {
    }

    internal override void Clear(Tensor destination)
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    /// <inheritdoc/>
    protected override nint AcquireMemory(long bytes, MemoryCategory category) => 0;

    /// <inheritdoc/>
    protected override void ReleaseMemory(nint address, long bytes)
    {
    }
}
