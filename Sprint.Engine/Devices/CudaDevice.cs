using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>
/// Runs operations as CUDA kernels: on a GPU (<c>cuda:0</c>), or with the very same kernels and launches on an emulated one
/// (<c>emulated</c>), which checks every access. All work goes into one stream; nothing waits for it but <see cref="Synchronize"/> and copies to the host.
/// Memory is cached: a warm training step allocates nothing. Operations without kernels for it yet say so.
/// </summary>
public sealed unsafe partial class CudaDevice : Device
{
    // One for all devices, so that a source is compiled once a process.
    private static readonly Lazy<KernelLibrary> SharedLibrary = new(static () => new KernelLibrary());

    private readonly BlockCache cache;
    private readonly UploadBuffer uploads;
    private readonly List<IDisposable> owned = [];
    private readonly Dictionary<CudaModule, KernelSpecialization> specializations = [];
    private readonly HashSet<CudaReplay> replays = [];
    private readonly Dictionary<nint, BlockCache> replayBlocks = [];
    private BlockCache source;
    private bool isCapturing;
    private readonly KernelLibrary? library;

    /// <summary>Creates the device.</summary>
    /// <param name="context">An open context, which the device disposes, also where it cannot be created.</param>
    /// <param name="library">Where kernels come from; null for the library that all devices share.</param>
    /// <exception cref="SprintException">The device is too old for the kernels.</exception>
    public CudaDevice(CudaContext context, KernelLibrary? library = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        Context = context;
        this.library = library;
        try
        {
            Stream = new CudaStream(context);
        }
        catch
        {
            context.Dispose();
            throw;
        }

        cache = new BlockCache(AllocateBlock, FreeBlock, context.Device.IsEmulated ? 1 : BlockGranularity);
        source = cache;
        uploads = new UploadBuffer(Stream);
        CudaMatrixProduct products = new(this);
        Register<ILinearKernels>(new CudaLinear(this, products));
        Register<ISwiGluKernels>(new CudaSwiGlu(this, products));
        Register<IResidualFusionKernels>(new CudaResidualFusion(this, products));
        Register<ITokenDropKernels>(new CudaTokenDrop(this));
        Register<IAdaptiveLayerNormKernels>(new CudaAdaptiveLayerNorm(this));
        Register<IRandomKernels>(new CudaRandom(this));
        Register<IAttentionKernels>(new CudaAttention(this));
        Register<IGatedResidualKernels>(new CudaGatedResidual(this));
        Register<ISiluKernels>(new CudaSilu(this));
        Register<IAdditionKernels>(new CudaAddition(this));
        Register<INarrowingKernels>(new CudaNarrowing(this));
        Register<IPatchifyKernels>(new CudaPatchify(this));
        Register<ITimestepEmbeddingKernels>(new CudaTimestepEmbedding(this));
        Register<ILabelEmbeddingKernels>(new CudaLabelEmbedding(this));
        Register<IFlowMatchingKernels>(new CudaFlowMatching(this));
        Register<ICosineLossKernels>(new CudaCosineLoss(this));
        Register<IAdamWKernels>(new CudaAdamW(this));
    }

    /// <inheritdoc/>
    public override string Name => Context.Device.IsEmulated ? "emulated" : $"cuda:{Context.Device.Ordinal}";

    /// <inheritdoc/>
    public override string Description =>
        $"{Context.Device.Name}, compute capability {Context.Device.ComputeCapability}, {Context.Device.MultiprocessorCount} multiprocessors, {Context.Device.TotalMemory / (double)(1 << 30):0.#} GiB";

    /// <inheritdoc/>
    public override bool Executes => true;

    /// <inheritdoc/>
    public override bool IsAsynchronous => true;

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>The stream that orders everything on this device.</summary>
    public CudaStream Stream { get; }

    /// <summary>Where kernels come from.</summary>
    public KernelLibrary Library => library ?? SharedLibrary.Value;

    /// <summary>
    /// Whether memory is filled with NaN before it is handed out. For tests; slow. An emulated device refuses reads of what no
    /// operation wrote also without it.
    /// </summary>
    public bool PoisonsMemory { get; set; }

    /// <summary>
    /// Whether known bytes lie behind each block and are looked at when it is given back, outside of captured work: a kernel that wrote
    /// beyond the block is found there. For tests; slow. An emulated device refuses such a write also without it.
    /// </summary>
    public bool GuardsMemory { get; init; }

    /// <summary>How often memory had to be asked of the driver because the cache had none of the size.</summary>
    public long SystemAllocations { get; private set; }

    /// <summary>Opens an NVIDIA GPU.</summary>
    /// <param name="ordinal">The device's number, from 0.</param>
    /// <exception cref="SprintException">There is no NVIDIA driver, no such device, or it is too old.</exception>
    public static CudaDevice Open(int ordinal = 0) => new(new CudaContext(ordinal));

    /// <summary>Opens an emulated device.</summary>
    /// <param name="emulation">How kernels are emulated; null for the defaults.</param>
    public static CudaDevice Emulated(EmulationOptions? emulation = null) => new(CudaContext.Emulated(emulation));

    /// <summary>Memory of a kernel for the time of one operation.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="elementType">Its element type.</param>
    /// <returns>A tensor that the caller disposes, right after the launch that reads it last.</returns>
    public Tensor Workspace(Shape shape, ElementType elementType = ElementType.Float32) => Allocate(shape, elementType, MemoryCategory.Workspace);

    /// <inheritdoc/>
    /// <exception cref="CudaException">Something that was dispatched has failed: the message names kernel and place.</exception>
    public override void Synchronize() => Stream.Synchronize();

    /// <inheritdoc/>
    public override void Trim() => cache.Trim();

    /// <summary>Prepares work that is captured as a CUDA graph.</summary>
    /// <param name="work">What to run.</param>
    /// <param name="undo">Puts what the host noted of the work back to what it was before, should a capture be broken off.</param>
    /// <returns>The work, which the caller disposes before what it reads.</returns>
    public override ReplayedWork Replay(Action work, Action undo)
    {
        ArgumentNullException.ThrowIfNull(undo);
        CudaReplay replay = new(this, work, undo, owner => new BlockCache(
            size => AllocateReplayBlock(size, owner), FreeReplayBlock, Context.Device.IsEmulated ? 1 : BlockGranularity));
        replays.Add(replay);
        return replay;
    }

    /// <inheritdoc/>
    public override TimeMark Mark()
    {
        CudaEvent reached = new(Context);
        try
        {
            reached.Record(Stream);
            return new CudaTimeMark(reached, Stream);
        }
        catch
        {
            reached.Dispose();
            throw;
        }
    }

    /// <summary>Compiles a specialisation, or finds it compiled, and loads it for the life of the device.</summary>
    internal CudaModule Load(KernelSpecialization specialization)
    {
        CudaModule module = Own(Library.Get(specialization, Library.TargetFor(Context.Device)).Load(Context));
        specializations.Add(module, specialization);
        return module;
    }

    /// <summary>What a module that the device has loaded was compiled from.</summary>
    internal KernelSpecialization SpecializationOf(CudaModule module) => specializations[module];

    /// <summary>Disposes something with the device.</summary>
    internal T Own<T>(T item)
        where T : IDisposable
    {
        owned.Add(item);
        return item;
    }

    /// <summary>Disposes what the device was to dispose.</summary>
    internal void Disown(IDisposable item)
    {
        owned.Remove(item);
        item.Dispose();
    }

    /// <summary>Copies a value to the device in the order of the stream, without waiting for it.</summary>
    internal void Upload<T>(CudaDeviceVariable<T> destination, in T value)
        where T : unmanaged
    {
        RefuseInCapture("copied to the device");
        T copy = value;
        uploads.Copy(destination.DevicePointer, &copy, sizeof(T));
    }

    /// <summary>Records what an action puts into the stream, instead of running it.</summary>
    internal CudaGraph Capture(Action work)
    {
        isCapturing = true;
        try
        {
            return Stream.Capture(work);
        }
        finally
        {
            isCapturing = false;
        }
    }

    /// <summary>Launches what was captured last, for the first time.</summary>
    internal void LaunchCaptured(CudaGraphExecutable graph)
    {
        graph.Launch(Stream);
        capturedGuards.Clear();
    }

    /// <summary>Lets tensors take their memory from a cache of somebody's own until the scope ends. Each block returns to where it came from.</summary>
    internal MemoryScope AllocateFrom(BlockCache own)
    {
        MemoryScope scope = new(this, source);
        source = own;
        return scope;
    }

    internal void Remove(CudaReplay replay) => replays.Remove(replay);

    internal override void CopyFromHost(Tensor destination, void* source, long bytes)
    {
        RefuseInCapture("copied to the device");
        uploads.Copy(Pointer(destination), source, bytes);
    }

    internal override void CopyToHost(Tensor source, void* destination, long bytes)
    {
        RefuseInCapture("read from the device");
        if (bytes == 0)
        {
            return;
        }

        DevicePointer pointer = Pointer(source);
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.CopyToHost((nint)destination, pointer, bytes, Stream.Handle);
        Stream.Wait();
    }

    internal override void Copy(Tensor source, Tensor destination)
    {
        if (source.Body.Bytes != destination.Body.Bytes)
        {
            throw new ArgumentException($"{source} does not fit {destination}");
        }

        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.CopyOnDevice(Pointer(destination), Pointer(source), source.Body.Bytes, Stream.Handle);
    }

    internal override void Clear(Tensor destination)
    {
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.Fill(Pointer(destination), 0, 1, destination.Body.Bytes, Stream.Handle);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (CudaReplay replay in replays.ToArray())
        {
            replay.Dispose();
        }

        Trim();
        owned.ForEach(static item => item.Dispose());
        uploads.Dispose();
        Stream.Dispose();
        Context.Dispose();
    }

    private static DevicePointer Pointer(Tensor tensor) => new((ulong)tensor.Address);

    private void RefuseInCapture(string what)
    {
        if (isCapturing)
        {
            throw new CudaException($"{Name}: while work is captured nothing can be {what}: what differs from run to run is copied before.");
        }
    }
}
