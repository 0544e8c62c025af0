namespace Sprint.Engine.Cuda;

/// <content>Memory.</content>
internal sealed partial class NativeCudaDriver
{
    /// <inheritdoc/>
    public CudaMemoryInformation GetMemoryInformation()
    {
        Check(DriverApi.cuMemGetInfo_v2(out nuint free, out nuint total));
        return new CudaMemoryInformation((long)free, (long)total);
    }

    /// <inheritdoc/>
    public DevicePointer Allocate(long bytes)
    {
        int status = DriverApi.cuMemAlloc_v2(out DevicePointer pointer, (nuint)bytes);
        if (status == DriverStatus.OutOfMemory)
        {
            // What was given back to the stream-ordered pool is of no use to a plain allocation until the pool lets go of it.
            SynchronizeContext();
            TrimMemoryPool();
            status = DriverApi.cuMemAlloc_v2(out pointer, (nuint)bytes);
        }

        if (status == DriverStatus.OutOfMemory)
        {
            throw OutOfMemory(bytes, nameof(DriverApi.cuMemAlloc_v2));
        }

        Check(status, $"{bytes} bytes", nameof(DriverApi.cuMemAlloc_v2));
        return pointer;
    }

    /// <inheritdoc/>
    public void Free(DevicePointer pointer) => Check(DriverApi.cuMemFree_v2(pointer));

    /// <inheritdoc/>
    public DevicePointer AllocateAsync(long bytes, StreamHandle stream)
    {
        int status = DriverApi.cuMemAllocAsync(out DevicePointer pointer, (nuint)bytes, stream);
        if (status == DriverStatus.OutOfMemory)
        {
            throw OutOfMemory(bytes, nameof(DriverApi.cuMemAllocAsync));
        }

        Check(status, $"{bytes} bytes", nameof(DriverApi.cuMemAllocAsync));
        return pointer;
    }

    /// <inheritdoc/>
    public void FreeAsync(DevicePointer pointer, StreamHandle stream) => Check(DriverApi.cuMemFreeAsync(pointer, stream));

    /// <inheritdoc/>
    public void TrimMemoryPool()
    {
        Check(DriverApi.cuCtxGetDevice(out int device));
        if (PoolsSupported(device))
        {
            Check(DriverApi.cuDeviceGetDefaultMemPool(out nint pool, device));
            Check(DriverApi.cuMemPoolTrimTo(pool, 0));
        }
    }

    /// <inheritdoc/>
    public nint AllocatePinned(long bytes)
    {
        Check(DriverApi.cuMemHostAlloc(out nint pointer, (nuint)bytes, PinnedMemoryFlags.Portable), $"{bytes} bytes of page-locked host memory");
        return pointer;
    }

    /// <inheritdoc/>
    public void FreePinned(nint pointer) => Check(DriverApi.cuMemFreeHost(pointer));

    /// <inheritdoc/>
    public void CopyToDevice(DevicePointer destination, nint source, long bytes, StreamHandle stream) =>
        Check(DriverApi.cuMemcpyHtoDAsync_v2(destination, source, (nuint)bytes, stream));

    /// <inheritdoc/>
    public void CopyToHost(nint destination, DevicePointer source, long bytes, StreamHandle stream) =>
        Check(DriverApi.cuMemcpyDtoHAsync_v2(destination, source, (nuint)bytes, stream));

    /// <inheritdoc/>
    public void CopyOnDevice(DevicePointer destination, DevicePointer source, long bytes, StreamHandle stream) =>
        Check(DriverApi.cuMemcpyDtoDAsync_v2(destination, source, (nuint)bytes, stream));

    /// <inheritdoc/>
    public void Fill(DevicePointer destination, uint value, int elementBytes, long count, StreamHandle stream)
    {
        switch (elementBytes)
        {
            case 1:
                Check(DriverApi.cuMemsetD8Async(destination, (byte)value, (nuint)count, stream));
                break;
            case 2:
                Check(DriverApi.cuMemsetD16Async(destination, (ushort)value, (nuint)count, stream));
                break;
            case 4:
                Check(DriverApi.cuMemsetD32Async(destination, value, (nuint)count, stream));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(elementBytes), elementBytes, "Device memory is filled with elements of 1, 2 or 4 bytes.");
        }
    }

    /// <inheritdoc/>
    public void Discard(DevicePointer destination, long bytes, StreamHandle stream)
    {
    }

    private static CudaException OutOfMemory(long bytes, string call) => DriverStatus.OutOfMemoryFailure(
        call,
        bytes,
        DriverApi.cuMemGetInfo_v2(out nuint free, out nuint total) == DriverStatus.Success ? new CudaMemoryInformation((long)free, (long)total) : null);
}
