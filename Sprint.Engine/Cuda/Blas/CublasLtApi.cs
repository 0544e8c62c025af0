using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The functions of cuBLASLt that the engine calls, under the very names that the library exports. Each returns a cublasStatus_t. A handle of cuBLAS serves as one of
/// cuBLASLt; descriptors are opaque.
/// </summary>
internal static partial class CublasLtApi
{
    private const string Library = CudaLibrary.CublasLtKey;

    static CublasLtApi() => CudaLibraryResolver.Register();

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescCreate(out nint description, BlasComputeType compute, CudaElementType scale);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescDestroy(nint description);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescSetAttribute(nint description, CublasLtAttribute attribute, in long value, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cublasLtMatrixLayoutCreate(out nint layout, CudaElementType type, ulong rows, ulong columns, long leading);

    [LibraryImport(Library)]
    public static partial int cublasLtMatrixLayoutDestroy(nint layout);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceCreate(out nint preference);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceDestroy(nint preference);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceSetAttribute(nint preference, CublasLtPreference attribute, in long value, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulAlgoGetHeuristic(
        nint handle,
        nint description,
        nint first,
        nint second,
        nint addend,
        nint result,
        nint preference,
        int requested,
        out CublasLtChoice choices,
        out int found);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmul(
        nint handle,
        nint description,
        in float alpha,
        DevicePointer first,
        nint firstLayout,
        DevicePointer second,
        nint secondLayout,
        in float beta,
        DevicePointer addend,
        nint addendLayout,
        DevicePointer result,
        nint resultLayout,
        in CublasLtChoice algorithm,
        DevicePointer workspace,
        nuint workspaceBytes,
        StreamHandle stream);
}

/// <summary>cublasLtMatmulHeuristicResult_t, which begins with the algorithm.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CublasLtChoice
{
    public fixed ulong Algorithm[8];
    public nuint WorkspaceBytes;
    public int Status;
    public float Waves;
    public fixed int Reserved[4];
}
