using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>The functions of cuBLAS that the engine calls, under the very names that the library exports. Each returns a cublasStatus_t.</summary>
internal static partial class CublasApi
{
    public const int DefaultAlgorithm = -1;

    private const string Library = CudaLibrary.BlasKey;

    static CublasApi() => CudaLibraryResolver.Register();

    [LibraryImport(Library)]
    public static partial int cublasCreate_v2(out nint handle);

    [LibraryImport(Library)]
    public static partial int cublasDestroy_v2(nint handle);

    [LibraryImport(Library)]
    public static partial int cublasGetVersion_v2(nint handle, out int version);

    [LibraryImport(Library)]
    public static partial int cublasSetStream_v2(nint handle, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cublasSetWorkspace_v2(nint handle, DevicePointer workspace, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cublasSetMathMode(nint handle, CudaMathMode mode);

    [NewerDriver("11.4")]
    [LibraryImport(Library)]
    public static partial nint cublasGetStatusName(int status);

    [LibraryImport(Library)]
    public static partial int cublasSgemm_v2(
        nint handle,
        BlasOperation operationFirst,
        BlasOperation operationSecond,
        int m,
        int n,
        int k,
        in float alpha,
        DevicePointer first,
        int leadingFirst,
        DevicePointer second,
        int leadingSecond,
        in float beta,
        DevicePointer result,
        int leadingResult);

    [LibraryImport(Library)]
    public static partial int cublasGemmEx(
        nint handle,
        BlasOperation operationFirst,
        BlasOperation operationSecond,
        int m,
        int n,
        int k,
        in float alpha,
        DevicePointer first,
        CudaElementType firstType,
        int leadingFirst,
        DevicePointer second,
        CudaElementType secondType,
        int leadingSecond,
        in float beta,
        DevicePointer result,
        CudaElementType resultType,
        int leadingResult,
        BlasComputeType computeType,
        int algorithm);

    [LibraryImport(Library)]
    public static partial int cublasGemmStridedBatchedEx(
        nint handle,
        BlasOperation operationFirst,
        BlasOperation operationSecond,
        int m,
        int n,
        int k,
        in float alpha,
        DevicePointer first,
        CudaElementType firstType,
        int leadingFirst,
        long strideFirst,
        DevicePointer second,
        CudaElementType secondType,
        int leadingSecond,
        long strideSecond,
        in float beta,
        DevicePointer result,
        CudaElementType resultType,
        int leadingResult,
        long strideResult,
        int count,
        BlasComputeType computeType,
        int algorithm);
}
