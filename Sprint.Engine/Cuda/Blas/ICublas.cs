namespace Sprint.Engine.Cuda;

/// <summary>The products of cuBLAS as its library has them: column-major. Each returns a cublasStatus_t.</summary>
internal interface ICublas : IDisposable
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

    /// <summary>result = finish(op(first) op(second)), sums in float32, all matrices of one element type.</summary>
    /// <param name="product">Extents, operations, leading dimensions.</param>
    /// <param name="epilogue">What becomes of the sums.</param>
    /// <param name="operands">Where the matrices are.</param>
    /// <param name="type">Element type.</param>
    /// <param name="stream">The stream that the product goes into.</param>
    /// <returns>False where the library has no kernel for it: then nothing was done.</returns>
    /// <exception cref="CudaException">The library failed.</exception>
    bool TryMultiplyFused(in ColumnMajorProduct product, BlasEpilogue epilogue, in FusedOperands operands, CudaElementType type, StreamHandle stream);
}

/// <summary>The matrices of a product with an epilogue.</summary>
/// <param name="First">The first factor.</param>
/// <param name="Second">The second factor.</param>
/// <param name="Result">The result.</param>
/// <param name="Bias">A number for each row of the result (column-major), or null.</param>
/// <param name="Auxiliary">What the epilogue writes or reads beside the result, without gaps between columns; or null.</param>
internal readonly record struct FusedOperands(DevicePointer First, DevicePointer Second, DevicePointer Result, DevicePointer Bias, DevicePointer Auxiliary);
