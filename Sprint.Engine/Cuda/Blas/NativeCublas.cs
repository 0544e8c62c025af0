namespace Sprint.Engine.Cuda;

/// <summary>cuBLAS through P/Invoke, for one handle.</summary>
/// <param name="handle">The handle.</param>
/// <param name="workspace">Where products with an epilogue may keep partial sums.</param>
/// <param name="workspaceBytes">Its size.</param>
internal sealed class NativeCublas(nint handle, DevicePointer workspace, int workspaceBytes) : ICublas
{
    private readonly Dictionary<FusedProductKey, FusedProduct?> fused = [];

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

    /// <inheritdoc/>
    public bool TryMultiplyFused(in ColumnMajorProduct product, BlasEpilogue epilogue, in FusedOperands operands, CudaElementType type, StreamHandle stream)
    {
        FusedProductKey key = new(product, epilogue, type, FusedProductKey.AlignmentOf(operands));
        if (!fused.TryGetValue(key, out FusedProduct? prepared))
        {
            prepared = FusedProduct.Prepare(handle, key, operands, workspaceBytes);
            fused.Add(key, prepared);
        }

        prepared?.Run(handle, operands, workspace, workspaceBytes, stream);
        return prepared is not null;
    }

    /// <summary>Frees the descriptions of products.</summary>
    public void Dispose()
    {
        foreach (FusedProduct? product in fused.Values)
        {
            product?.Dispose();
        }

        fused.Clear();
    }
}
