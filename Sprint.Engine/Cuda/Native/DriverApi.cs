using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The functions of libcuda that the engine calls, under the very names that the library exports, so that an error names what can be
/// looked up. Each returns a CUresult.
/// </summary>
internal static unsafe partial class DriverApi
{
    private const string Library = CudaLibrary.DriverKey;

    static DriverApi() => CudaLibraryResolver.Register();

    [LibraryImport(Library)]
    public static partial int cuInit(uint flags);

    [LibraryImport(Library)]
    public static partial int cuDriverGetVersion(out int version);

    [LibraryImport(Library)]
    public static partial int cuGetErrorName(int status, out nint text);

    [LibraryImport(Library)]
    public static partial int cuGetErrorString(int status, out nint text);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetCount(out int count);

    [LibraryImport(Library)]
    public static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetName(byte* name, int capacity, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetAttribute(out int value, DeviceAttribute attribute, int device);

    [LibraryImport(Library)]
    public static partial int cuDevicePrimaryCtxRetain(out ContextHandle context, int device);

    [LibraryImport(Library)]
    public static partial int cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Library)]
    public static partial int cuCtxPushCurrent_v2(ContextHandle context);

    [LibraryImport(Library)]
    public static partial int cuCtxPopCurrent_v2(out ContextHandle context);

    [LibraryImport(Library)]
    public static partial int cuCtxGetDevice(out int device);

    [LibraryImport(Library)]
    public static partial int cuCtxSynchronize();

    [LibraryImport(Library)]
    public static partial int cuModuleLoadDataEx(out DeviceModuleHandle module, byte* image, uint optionCount, JitOption* options, void** values);

    [LibraryImport(Library)]
    public static partial int cuModuleUnload(DeviceModuleHandle module);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int cuModuleGetFunction(out FunctionHandle function, DeviceModuleHandle module, string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int cuModuleGetGlobal_v2(out DevicePointer pointer, out nuint bytes, DeviceModuleHandle module, string name);

    [LibraryImport(Library)]
    public static partial int cuFuncGetAttribute(out int value, FunctionAttribute attribute, FunctionHandle function);

    [LibraryImport(Library)]
    public static partial int cuFuncSetAttribute(FunctionHandle function, FunctionAttribute attribute, int value);

    [NewerDriver("12.4")]
    [LibraryImport(Library)]
    public static partial int cuFuncGetParamInfo(FunctionHandle function, nuint index, out nuint offset, out nuint size);

    [LibraryImport(Library)]
    public static partial int cuOccupancyMaxActiveBlocksPerMultiprocessor(out int blocks, FunctionHandle function, int blockThreads, nuint dynamicSharedBytes);

    [LibraryImport(Library)]
    public static partial int cuLaunchKernel(
        FunctionHandle function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        StreamHandle stream,
        void** parameters,
        void** extra);

    [LibraryImport(Library)]
    public static partial int cuLaunchCooperativeKernel(
        FunctionHandle function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        StreamHandle stream,
        void** parameters);
}
