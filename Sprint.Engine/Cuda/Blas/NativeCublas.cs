namespace Sprint.Engine.Cuda;

/// <summary>cuBLAS through P/Invoke, for one handle.</summary>
internal sealed class NativeCublas(nint handle) : ICublas
{
    /// <inheritdoc/>
    public int MultiplySingle(
        in ColumnMajorProduct product, float alpha, DevicePointer first, DevicePointer second, float beta, DevicePointer result) =>
        CublasApi.cublasSgemm_v2(
            handle,
            product.OperationFirst,
            product.OperationSecond,
            product.M,
            product.N,
            product.K,
            in alpha,
            first,
            product.LeadingFirst,
            second,
            product.LeadingSecond,
            in beta,
            result,
            product.LeadingResult);

    /// <inheritdoc/>
    public int MultiplyMixed(
        in ColumnMajorProduct product,
        float alpha,
        DevicePointer first,
        DevicePointer second,
        CudaElementType factorType,
        float beta,
        DevicePointer result,
        CudaElementType resultType) =>
        CublasApi.cublasGemmEx(
            handle,
            product.OperationFirst,
            product.OperationSecond,
            product.M,
            product.N,
            product.K,
            in alpha,
            first,
            factorType,
            product.LeadingFirst,
            second,
            factorType,
            product.LeadingSecond,
            in beta,
            result,
            resultType,
            product.LeadingResult,
            BlasComputeType.Float32,
            CublasApi.DefaultAlgorithm);

    /// <inheritdoc/>
    public int MultiplyBatch(
        in ColumnMajorProduct product,
        float alpha,
        DevicePointer first,
        long strideFirst,
        DevicePointer second,
        long strideSecond,
        CudaElementType factorType,
        float beta,
        DevicePointer result,
        long strideResult,
        CudaElementType resultType,
        int count) =>
        CublasApi.cublasGemmStridedBatchedEx(
            handle,
            product.OperationFirst,
            product.OperationSecond,
            product.M,
            product.N,
            product.K,
            in alpha,
            first,
            factorType,
            product.LeadingFirst,
            strideFirst,
            second,
            factorType,
            product.LeadingSecond,
            strideSecond,
            in beta,
            result,
            resultType,
            product.LeadingResult,
            strideResult,
            count,
            BlasComputeType.Float32,
            CublasApi.DefaultAlgorithm);
}
