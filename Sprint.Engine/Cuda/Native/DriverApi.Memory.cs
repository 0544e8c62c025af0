using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <content>Memory.</content>
internal static unsafe partial class DriverApi
{
    [LibraryImport(Library)]
    public static partial int cuMemGetInfo_v2(out nuint free, out nuint total);

    [LibraryImport(Library)]
    public static partial int cuMemAlloc_v2(out DevicePointer pointer, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cuMemFree_v2(DevicePointer pointer);

    [NewerDriver("11.2")]
    [LibraryImport(Library)]
    public static partial int cuMemAllocAsync(out DevicePointer pointer, nuint bytes, StreamHandle stream);

    [NewerDriver("11.2")]
    [LibraryImport(Library)]
    public static partial int cuMemFreeAsync(DevicePointer pointer, StreamHandle stream);

    [NewerDriver("11.2")]
    [LibraryImport(Library)]
    public static partial int cuDeviceGetDefaultMemPool(out nint pool, int device);

    [NewerDriver("11.2")]
    [LibraryImport(Library)]
    public static partial int cuMemPoolSetAttribute(nint pool, MemoryPoolAttribute attribute, ref ulong value);

    [NewerDriver("11.2")]
    [LibraryImport(Library)]
    public static partial int cuMemPoolTrimTo(nint pool, nuint bytesToKeep);

    [LibraryImport(Library)]
    public static partial int cuMemHostAlloc(out nint pointer, nuint bytes, PinnedMemoryFlags flags);

    [LibraryImport(Library)]
    public static partial int cuMemFreeHost(nint pointer);

    [LibraryImport(Library)]
    public static partial int cuMemcpyHtoDAsync_v2(DevicePointer destination, nint source, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuMemcpyDtoHAsync_v2(nint destination, DevicePointer source, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuMemcpyDtoDAsync_v2(DevicePointer destination, DevicePointer source, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuMemsetD8Async(DevicePointer destination, byte value, nuint count, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuMemsetD16Async(DevicePointer destination, ushort value, nuint count, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuMemsetD32Async(DevicePointer destination, uint value, nuint count, StreamHandle stream);
}
