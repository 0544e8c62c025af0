namespace Sprint.Engine.Cpu;

/// <summary>
/// A bfloat16 tensor as float32 kernels see it for the time of one operation: widened before it, rounded after it. A float32 tensor is seen as it is.
/// </summary>
internal readonly unsafe struct Widened : IDisposable
{
    private readonly Tensor stored;
    private readonly Tensor value;
    private readonly bool writes;

    private Widened(CpuDevice device, Tensor stored, bool reads, bool writes)
    {
        this.stored = stored;
        this.writes = writes;
        if (stored.IsEmpty || stored.ElementType != ElementType.BFloat16)
        {
            value = stored;
            return;
        }

        value = device.Workspace(stored.Shape);
        for (long i = 0; reads && i < stored.Count; i++)
        {
            ((float*)value.Address)[i] = BrainFloat.Widen(((ushort*)stored.Address)[i]);
        }
    }

    public static implicit operator Tensor(Widened widened) => widened.value;

    /// <summary>What an operation reads.</summary>
    internal static Widened Read(CpuDevice device, Tensor tensor) => new(device, tensor, reads: true, writes: false);

    /// <summary>What an operation overwrites.</summary>
    internal static Widened Write(CpuDevice device, Tensor tensor) => new(device, tensor, reads: false, writes: true);

    /// <summary>What an operation adds to.</summary>
    internal static Widened Update(CpuDevice device, Tensor tensor) => new(device, tensor, reads: true, writes: true);

    /// <summary>What an operation overwrites, or adds to.</summary>
    internal static Widened Contribute(CpuDevice device, Tensor tensor, bool accumulate) => new(device, tensor, reads: accumulate, writes: true);

    public void Dispose()
    {
        if (value == stored)
        {
            return;
        }

        for (long i = 0; writes && i < stored.Count; i++)
        {
            ((ushort*)stored.Address)[i] = BrainFloat.Narrow(((float*)value.Address)[i]);
        }

        value.Dispose();
    }
}
