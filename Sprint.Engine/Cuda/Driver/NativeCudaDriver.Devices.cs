using System.Text;

namespace Sprint.Engine.Cuda;

/// <content>Devices and contexts.</content>
internal sealed partial class NativeCudaDriver
{
    /// <inheritdoc/>
    public unsafe CudaDeviceProperties GetDeviceProperties(int ordinal)
    {
        int device = GetDevice(ordinal);
        const int Capacity = 256;
        byte* name = stackalloc byte[Capacity];
        Check(DriverApi.cuDeviceGetName(name, Capacity, device));
        Check(DriverApi.cuDeviceTotalMem_v2(out nuint total, device));
        int Read(DeviceAttribute attribute) => ReadAttribute(attribute, device);

        return new CudaDeviceProperties
        {
            Ordinal = ordinal,
            Name = Encoding.UTF8.GetString(name, new ReadOnlySpan<byte>(name, Capacity).IndexOf((byte)0)),
            ComputeCapability = new Version(Read(DeviceAttribute.ComputeCapabilityMajor), Read(DeviceAttribute.ComputeCapabilityMinor)),
            TotalMemory = (long)total,
            MultiprocessorCount = Read(DeviceAttribute.MultiprocessorCount),
            ClockRate = Read(DeviceAttribute.ClockRate),
            MemoryClockRate = Read(DeviceAttribute.MemoryClockRate),
            MemoryBusWidth = Read(DeviceAttribute.MemoryBusWidth),
            L2CacheSize = Read(DeviceAttribute.L2CacheSize),
            WarpSize = Read(DeviceAttribute.WarpSize),
            MaximumThreadsPerBlock = Read(DeviceAttribute.MaximumThreadsPerBlock),
            MaximumBlock = (Read(DeviceAttribute.MaximumBlockX), Read(DeviceAttribute.MaximumBlockY), Read(DeviceAttribute.MaximumBlockZ)),
            MaximumGrid = (Read(DeviceAttribute.MaximumGridX), Read(DeviceAttribute.MaximumGridY), Read(DeviceAttribute.MaximumGridZ)),
            SharedMemoryPerBlock = Read(DeviceAttribute.SharedMemoryPerBlock),
            SharedMemoryPerBlockOptIn = Read(DeviceAttribute.SharedMemoryPerBlockOptIn),
            SharedMemoryPerMultiprocessor = Read(DeviceAttribute.SharedMemoryPerMultiprocessor),
            ReservedSharedMemoryPerBlock = Read(DeviceAttribute.ReservedSharedMemoryPerBlock),
            RegistersPerBlock = Read(DeviceAttribute.RegistersPerBlock),
            RegistersPerMultiprocessor = Read(DeviceAttribute.RegistersPerMultiprocessor),
            MaximumThreadsPerMultiprocessor = Read(DeviceAttribute.MaximumThreadsPerMultiprocessor),
            MaximumBlocksPerMultiprocessor = Read(DeviceAttribute.MaximumBlocksPerMultiprocessor),
            HasMemoryPools = PoolsSupported(device),
        };
    }

    /// <inheritdoc/>
    public ContextHandle RetainContext(int ordinal)
    {
        int device = GetDevice(ordinal);
        Check(DriverApi.cuDevicePrimaryCtxRetain(out ContextHandle context, device));
        if (PoolsSupported(device))
        {
            // The default pool gives everything back to the system at each synchronisation; training allocates the same sizes again.
            Check(DriverApi.cuDeviceGetDefaultMemPool(out nint pool, device));
            ulong threshold = ulong.MaxValue;
            Check(DriverApi.cuMemPoolSetAttribute(pool, MemoryPoolAttribute.ReleaseThreshold, ref threshold));
        }

        return context;
    }

    /// <inheritdoc/>
    public void ReleaseContext(int ordinal) => Check(DriverApi.cuDevicePrimaryCtxRelease_v2(GetDevice(ordinal)));

    /// <inheritdoc/>
    public void PushContext(ContextHandle context) => Check(DriverApi.cuCtxPushCurrent_v2(context));

    /// <inheritdoc/>
    public void PopContext() => _ = DriverApi.cuCtxPopCurrent_v2(out _);

    /// <inheritdoc/>
    public void SynchronizeContext() => Check(DriverApi.cuCtxSynchronize());

    private int GetDevice(int ordinal)
    {
        if ((uint)ordinal >= (uint)DeviceCount)
        {
            throw new CudaException($"There is no device cuda:{ordinal}: this machine has {DeviceCount}, numbered from 0.");
        }

        Check(DriverApi.cuDeviceGet(out int device, ordinal));
        return device;
    }

    // An attribute that an older driver does not know reads as 0.
    private static int ReadAttribute(DeviceAttribute attribute, int device)
    {
        int status = DriverApi.cuDeviceGetAttribute(out int value, attribute, device);
        if (status == DriverStatus.InvalidValue)
        {
            return 0;
        }

        Check(status, $"attribute {attribute}", nameof(DriverApi.cuDeviceGetAttribute));
        return value;
    }

    private static bool PoolsSupported(int device) =>
        PoolFunctionsExist.Value && ReadAttribute(DeviceAttribute.MemoryPoolsSupported, device) != 0;

    private static readonly Lazy<bool> PoolFunctionsExist =
        new(static () => CudaLibraryResolver.HasSymbol(CudaLibrary.Driver, nameof(DriverApi.cuMemAllocAsync)));
}
