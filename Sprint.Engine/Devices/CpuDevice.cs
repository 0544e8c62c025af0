using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Sprint.Engine.Cpu;
using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>
/// Runs operations as managed SIMD code on all cores, in float32. Results are the same bits for any number of threads.
/// Memory is native, aligned to 64 bytes and cached: a warm training step allocates nothing.
/// </summary>
public sealed unsafe class CpuDevice : Device
{
    private readonly BlockCache cache;
    private bool takesBFloat16;

    /// <summary>Creates the device.</summary>
    /// <param name="threads">How many threads work on an operation; 0 for as many as there are cores.</param>
    /// <exception cref="SprintException">The number of threads is not from 0 to 1024.</exception>
    public CpuDevice(int threads = 0)
    {
        cache = new BlockCache(AllocateBlock, static block => NativeBlock.Free((void*)block), NativeBlock.Alignment);
        Pool = new WorkerPool(WorkerPool.Resolve(threads));
        Register<ILinearKernels>(new CpuLinear(this));
        Register<ISwiGluKernels>(new CpuSwiGlu(this));
        Register<IAdaptiveLayerNormKernels>(new CpuAdaptiveLayerNorm(this));
        Register<IGatedResidualKernels>(new CpuGatedResidual(this));
        Register<IAttentionKernels>(new CpuAttention(this));
        Register<ITokenDropKernels>(new CpuTokenDrop(this));
        Register<IResidualFusionKernels>(new CpuResidualFusion(this));
        Register<IPatchifyKernels>(new CpuPatchify(this));
        Register<ITimestepEmbeddingKernels>(new CpuTimestepEmbedding());
        Register<ILabelEmbeddingKernels>(new CpuLabelEmbedding());
        Register<IFlowMatchingKernels>(new CpuFlowMatching(this));
        Register<ICosineLossKernels>(new CpuCosineLoss(this));
        Register<IAdamWKernels>(new CpuAdamW(this));
        Register<IRandomKernels>(new CpuRandom(this));
        Register<IAdditionKernels>(new CpuAddition(this));
        Register<ISiluKernels>(new CpuSilu(this));
    }

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <inheritdoc/>
    public override string Description => $"{Pool.Threads} threads, {VectorName} vectors, float32";

    /// <inheritdoc/>
    public override bool Executes => true;

    /// <inheritdoc/>
    public override bool Computes(ElementType type) => takesBFloat16 || type != ElementType.BFloat16;

    /// <summary>How many threads work on an operation.</summary>
    public int Threads => Pool.Threads;

    /// <summary>
    /// Whether memory is filled with NaN before it is handed out, so that reading what no operation wrote cannot go unnoticed.
    /// For tests; slow.
    /// </summary>
    public bool PoisonsMemory { get; set; }

    /// <summary>How often memory had to be asked of the system because the cache had none of the size.</summary>
    public long SystemAllocations { get; private set; }

    internal WorkerPool Pool { get; }

    private static string VectorName =>
        Vector512.IsHardwareAccelerated ? "512-bit" : Vector256.IsHardwareAccelerated ? "256-bit" + (Fma.IsSupported ? " fused" : "") : "128-bit";

    /// <inheritdoc/>
    public override void Synchronize()
    {
    }

    /// <inheritdoc/>
    public override void Trim() => cache.Trim();

    /// <summary>
    /// A device that takes bfloat16 tensors too, by the plainest implementation there is: every operation computes in float32 and rounds what it
    /// stores, and attention is a chain of such operations. Slow; it says what rounding alone costs, so that other implementations can be
    /// measured against it.
    /// </summary>
    /// <param name="threads">How many threads work on an operation; 0 for as many as there are cores.</param>
    public static CpuDevice WithPlainBFloat16(int threads = 0)
    {
        var device = new CpuDevice(threads) { takesBFloat16 = true };
        device.Register<ILinearKernels>(new PlainLinear(device, device.Kernels<ILinearKernels>()));
        device.Register<ISwiGluKernels>(new PlainSwiGlu(device, device.Kernels<ILinearKernels>(), device.Kernels<ISwiGluKernels>()));
        device.Register<IResidualFusionKernels>(new PlainResidualFusion(device, device.Kernels<IResidualFusionKernels>()));
        device.Register<IAttentionKernels>(new PlainAttention(device.Kernels<IAttentionKernels>()));
        device.Register<IAdaptiveLayerNormKernels>(new PlainAdaptiveLayerNorm(device, device.Kernels<IAdaptiveLayerNormKernels>()));
        device.Register<IGatedResidualKernels>(new PlainGatedResidual(device, device.Kernels<IGatedResidualKernels>()));
        device.Register<ITokenDropKernels>(new PlainTokenDrop(device, device.Kernels<ITokenDropKernels>()));
        var elementwise = new PlainElementwise(device, device.Kernels<IAdditionKernels>(), device.Kernels<ISiluKernels>());
        device.Register<IAdditionKernels>(elementwise);
        device.Register<ISiluKernels>(elementwise);
        device.Register<INarrowingKernels>(elementwise);
        var embedding = new PlainEmbedding(
            device, device.Kernels<IPatchifyKernels>(), device.Kernels<ITimestepEmbeddingKernels>(), device.Kernels<ILabelEmbeddingKernels>());
        device.Register<IPatchifyKernels>(embedding);
        device.Register<ITimestepEmbeddingKernels>(embedding);
        device.Register<ILabelEmbeddingKernels>(embedding);
        device.Register<IFlowMatchingKernels>(new PlainFlowMatching(device, device.Kernels<IFlowMatchingKernels>()));
        device.Register<ICosineLossKernels>(new PlainCosineLoss(device, device.Kernels<ICosineLossKernels>()));
        device.Register<IAdamWKernels>(new PlainAdamW(device.Kernels<IAdamWKernels>()));
        return device;
    }

    /// <summary>Memory of a kernel for the time of one operation.</summary>
    internal Tensor Workspace(Shape shape) => Allocate(shape, category: MemoryCategory.Workspace);

    internal override void CopyFromHost(Tensor destination, void* source, long bytes) =>
        Buffer.MemoryCopy(source, (void*)destination.Address, destination.Body.Bytes, bytes);

    internal override void CopyToHost(Tensor source, void* destination, long bytes) =>
        Buffer.MemoryCopy((void*)source.Address, destination, bytes, source.Body.Bytes);

    internal override void Copy(Tensor source, Tensor destination)
    {
        if (source.Body.Bytes != destination.Body.Bytes)
        {
            throw new ArgumentException($"{source} does not fit {destination}");
        }

        Buffer.MemoryCopy((void*)source.Address, (void*)destination.Address, destination.Body.Bytes, source.Body.Bytes);
    }

    internal override void Clear(Tensor destination) => NativeMemory.Clear((void*)destination.Address, (nuint)destination.Body.Bytes);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Trim();
        if (disposing)
        {
            Pool.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override nint AcquireMemory(long bytes, MemoryCategory category)
    {
        nint block = cache.Acquire(bytes);
        if (PoisonsMemory)
        {
            NativeMemory.Fill((void*)block, (nuint)cache.SizeOf(bytes), 0xFF);
        }

        return block;
    }

    /// <inheritdoc/>
    protected override void ReleaseMemory(nint address, long bytes) => cache.Release(address, bytes);

    private nint AllocateBlock(long size)
    {
        SystemAllocations++;
        try
        {
            return (nint)NativeBlock.Allocate(size);
        }
        catch (OutOfMemoryException exception)
        {
            throw new SprintException(
                $"cpu: no memory for another {size / 1048576.0:F0} MiB on top of {Account.LiveBytes / 1048576.0:F0} MiB in use: lower the batch or the model's size",
                exception);
        }
    }
}
