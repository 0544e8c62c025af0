namespace Sprint.Engine.Cuda;

/// <summary>The products of cuBLAS as its library has them: column-major. Each returns a cublasStatus_t.</summary>
internal interface ICublas
{
    /// <summary>C = alpha op(first) op(second) + beta C in float32.</summary>
    int MultiplySingle(
        in ColumnMajorProduct product, float alpha, DevicePointer first, DevicePointer second, float beta, DevicePointer result);

    /// <summary>The same with elements of other types, summed in float32.</summary>
    int MultiplyMixed(
        in ColumnMajorProduct product,
        float alpha,
        DevicePointer first,
        DevicePointer second,
        CudaElementType factorType,
        float beta,
        DevicePointer result,
        CudaElementType resultType);

    /// <summary>The same for a batch, each matrix a number of elements behind the one before.</summary>
    int MultiplyBatch(
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
        int count);
}
