using Sprint.Engine.Emulation;

namespace Sprint.Engine.Cuda;

/// <summary>
/// A device made ready for use: its primary context, shared with everything else in the process that uses the device (cuBLAS, other
/// libraries). Usable from any thread: each call makes the context current and restores the previous one.
/// </summary>
public sealed class CudaContext : IDisposable
{
    private readonly ContextHandle handle;

    /// <summary>Retains the primary context of a device of a driver.</summary>
    internal CudaContext(ICudaDriver driver, int ordinal)
    {
        Driver = driver;
        Device = driver.GetDeviceProperties(ordinal);
        handle = driver.RetainContext(ordinal);
        Resource = new DriverResource(driver, default, null, handle.Value, (owner, _, _) => owner.ReleaseContext(ordinal));
        DefaultStream = new CudaStream(this, resource: null);
    }

    /// <summary>Opens an NVIDIA GPU.</summary>
    /// <param name="ordinal">The device's number, from 0.</param>
    /// <exception cref="SprintException">There is no NVIDIA driver, or no such device.</exception>
    public CudaContext(int ordinal = 0)
        : this(NativeCudaDriver.Load(), ordinal)
    {
    }

    /// <summary>
    /// Opens an emulated device of its own: the same kernels and launches, the PTX executed on the host by the engine's emulator. A fault of
    /// a kernel loses the context as on a GPU (<see cref="CudaException.IsContextLost"/>); another can then be opened in the same process.
    /// </summary>
    /// <param name="emulation">How kernels are emulated; null for the defaults. The schedule's seed also draws the order in which streams advance.</param>
    /// <param name="launched">Told what each launch executed once it has run; must not use the context.</param>
    /// <param name="memoryBytes">Bytes of device memory; null for 40 GiB, or a fifth of the host's memory where that is less. The host provides what is allocated.</param>
    public static CudaContext Emulated(EmulationOptions? emulation = null, Action<LaunchStatistics>? launched = null, long? memoryBytes = null) =>
        new(new EmulatedCudaDriver(emulation ?? EmulationOptions.Default, launched, memoryBytes ?? EmulatedCudaDriver.DefaultMemoryBytes), 0);

    /// <summary>The device.</summary>
    public CudaDeviceProperties Device { get; }

    /// <summary>The CUDA version that the driver implements.</summary>
    public Version DriverVersion => Driver.DriverVersion;

    /// <summary>The context's default stream.</summary>
    public CudaStream DefaultStream { get; }

    internal ICudaDriver Driver { get; }

    /// <summary>Sees each launch, or null.</summary>
    internal ILaunchObserver? LaunchObserver { get; set; }

    internal DriverResource Resource { get; }

    /// <summary>How many NVIDIA GPUs this machine has.</summary>
    /// <exception cref="SprintException">There is no NVIDIA driver, or no device.</exception>
    public static int GetDeviceCount() => NativeCudaDriver.Load().DeviceCount;

    /// <summary>What is to be known of an NVIDIA GPU.</summary>
    /// <param name="ordinal">The device's number, from 0.</param>
    /// <exception cref="SprintException">There is no NVIDIA driver, or no such device.</exception>
    public static CudaDeviceProperties GetDeviceProperties(int ordinal) => NativeCudaDriver.Load().GetDeviceProperties(ordinal);

    /// <summary>Free and total device memory.</summary>
    public CudaMemoryInformation GetMemoryInformation()
    {
        using Scope scope = Enter();
        return Driver.GetMemoryInformation();
    }

    /// <summary>Waits for everything that was started in the context.</summary>
    /// <exception cref="CudaException">Something that was started has failed.</exception>
    public void Synchronize()
    {
        using Scope scope = Enter();
        Driver.SynchronizeContext();
    }

    /// <summary>Returns the unused memory of the stream-ordered pool to the system.</summary>
    public void TrimMemoryPool()
    {
        using Scope scope = Enter();
        Driver.TrimMemoryPool();
    }

    /// <summary>Loads a compiled image: a cubin, or PTX text that the driver compiles for the device.</summary>
    /// <param name="image">The image.</param>
    /// <param name="name">Where it comes from, for errors.</param>
    /// <exception cref="CudaException">The image does not fit the device or driver.</exception>
    public CudaModule LoadModule(ReadOnlySpan<byte> image, string name) => new(this, image, name);

    /// <summary>Lets go of the context. What is still allocated in it keeps it alive until it is disposed.</summary>
    public void Dispose() => Resource.Dispose();

    /// <summary>Makes the context current until the scope is disposed.</summary>
    internal Scope Enter()
    {
        ObjectDisposedException.ThrowIf(Resource.IsClosed, this);
        Driver.PushContext(handle);
        return new Scope(Driver);
    }

    /// <summary>The handle of a stream that work of this context is put into.</summary>
    /// <exception cref="CudaException">The stream is of another context.</exception>
    /// <exception cref="ObjectDisposedException">The stream was destroyed.</exception>
    internal StreamHandle HandleOf(CudaStream stream) => stream.Context == this
        ? stream.Handle
        : throw new CudaException($"A stream of {stream.Context.Device.Name} ({stream.Context.Driver.Name}:{stream.Context.Device.Ordinal}) was given to what belongs to another context: create one in that context.");

    /// <summary>Takes ownership of a driver's value in this context.</summary>
    internal DriverResource Own(nint value, Action<ICudaDriver, nint, nint> release) => new(Driver, handle, Resource, value, release);

    /// <summary>Takes ownership of a value that must be freed while another resource of this context lives.</summary>
    internal DriverResource Own(nint value, DriverResource owner, Action<ICudaDriver, nint, nint> release) => new(Driver, handle, owner, value, release);

    /// <summary>The time during which the context is current.</summary>
    internal readonly ref struct Scope(ICudaDriver driver)
    {
        /// <summary>Restores the previous context.</summary>
        public void Dispose() => driver.PopContext();
    }
}
