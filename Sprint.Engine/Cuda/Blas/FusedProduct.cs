using System.Numerics;

namespace Sprint.Engine.Cuda;

/// <summary>All that cuBLASLt's choice of a kernel depends on, so that the same product always gets the same kernel.</summary>
/// <param name="Product">Extents, operations, leading dimensions.</param>
/// <param name="Epilogue">What becomes of the sums.</param>
/// <param name="Type">Element type of all matrices.</param>
/// <param name="Alignment">Bytes that every matrix is aligned to.</param>
internal readonly record struct FusedProductKey(ColumnMajorProduct Product, BlasEpilogue Epilogue, CudaElementType Type, int Alignment)
{
    /// <summary>What the library presumes where nothing else is said.</summary>
    private const int UsualAlignment = 256;

    /// <summary>The alignment that all matrices have.</summary>
    /// <param name="operands">The matrices.</param>
    public static int AlignmentOf(in FusedOperands operands) => 1 << BitOperations.TrailingZeroCount(
        operands.First.Address | operands.Second.Address | operands.Result.Address | operands.Bias.Address | operands.Auxiliary.Address | UsualAlignment);
}

/// <summary>A product with an epilogue as cuBLASLt wants it described, and the kernel that the library's heuristic chose for it.</summary>
internal sealed class FusedProduct : IDisposable
{
    private const int NotSupported = 15;

    private readonly FusedProductKey key;
    private nint description;
    private nint first;
    private nint second;
    private nint result;
    private CublasLtChoice choice;

    private FusedProduct(FusedProductKey key) => this.key = key;

    /// <summary>Describes a product and has a kernel chosen.</summary>
    /// <param name="handle">A handle of cuBLAS.</param>
    /// <param name="key">The product.</param>
    /// <param name="operands">Matrices as they will be given: the choice depends on which there are.</param>
    /// <param name="workspaceBytes">The most that a kernel may use for partial sums.</param>
    /// <returns>The product, or null where the library has no such kernel.</returns>
    /// <exception cref="CudaException">The library failed.</exception>
    public static FusedProduct? Prepare(nint handle, in FusedProductKey key, in FusedOperands operands, int workspaceBytes)
    {
        FusedProduct product = new(key);
        bool isThere = false;
        try
        {
            product.Describe();
            product.Point(operands);
            return (isThere = product.Choose(handle, workspaceBytes)) ? product : null;
        }
        finally
        {
            if (!isThere)
            {
                product.Dispose();
            }
        }
    }

    /// <summary>Puts the product into a stream.</summary>
    /// <param name="handle">The handle of cuBLAS.</param>
    /// <param name="operands">Matrices of the key's alignment.</param>
    /// <param name="workspace">Where partial sums may go.</param>
    /// <param name="workspaceBytes">Its size.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="CudaException">The library failed.</exception>
    public void Run(nint handle, in FusedOperands operands, DevicePointer workspace, int workspaceBytes, StreamHandle stream)
    {
        Point(operands);
        Check(
            CublasLtApi.cublasLtMatmul(
                handle,
                description,
                1,
                operands.First,
                first,
                operands.Second,
                second,
                0,
                operands.Result,
                result,
                operands.Result,
                result,
                in choice,
                workspace,
                (nuint)workspaceBytes,
                stream),
            nameof(CublasLtApi.cublasLtMatmul));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Destroy(ref description, CublasLtApi.cublasLtMatmulDescDestroy);
        Destroy(ref first, CublasLtApi.cublasLtMatrixLayoutDestroy);
        Destroy(ref second, CublasLtApi.cublasLtMatrixLayoutDestroy);
        Destroy(ref result, CublasLtApi.cublasLtMatrixLayoutDestroy);
    }

    private static void Destroy(ref nint described, Func<nint, int> destroy)
    {
        if (described != 0)
        {
            _ = destroy(described);
            described = 0;
        }
    }

    private void Describe()
    {
        ColumnMajorProduct product = key.Product;
        Check(
            CublasLtApi.cublasLtMatmulDescCreate(out description, BlasComputeType.Float32, CudaElementType.Float32),
            nameof(CublasLtApi.cublasLtMatmulDescCreate));
        Set(CublasLtAttribute.TransposeFirst, (long)product.OperationFirst, sizeof(int));
        Set(CublasLtAttribute.TransposeSecond, (long)product.OperationSecond, sizeof(int));
        Set(CublasLtAttribute.Epilogue, (long)key.Epilogue, sizeof(int));
        if (key.Epilogue.HasFlag(BlasEpilogue.Auxiliary))
        {
            Set(CublasLtAttribute.LeadingAuxiliary, product.M, sizeof(long));
        }

        first = Layout(product.OperationFirst, product.M, product.K, product.LeadingFirst);
        second = Layout(product.OperationSecond, product.K, product.N, product.LeadingSecond);
        result = Layout(BlasOperation.None, product.M, product.N, product.LeadingResult);
    }

    private void Point(in FusedOperands operands)
    {
        if (key.Epilogue.HasFlag(BlasEpilogue.Bias))
        {
            Set(CublasLtAttribute.Bias, (long)operands.Bias.Address, sizeof(long));
        }

        if (key.Epilogue.HasFlag(BlasEpilogue.Auxiliary))
        {
            Set(CublasLtAttribute.Auxiliary, (long)operands.Auxiliary.Address, sizeof(long));
        }
    }

    private bool Choose(nint handle, int workspaceBytes)
    {
        Check(CublasLtApi.cublasLtMatmulPreferenceCreate(out nint preference), nameof(CublasLtApi.cublasLtMatmulPreferenceCreate));
        try
        {
            Prefer(CublasLtPreference.WorkspaceBytes, workspaceBytes, sizeof(long));
            Prefer(CublasLtPreference.AlignmentFirst, key.Alignment, sizeof(int));
            Prefer(CublasLtPreference.AlignmentSecond, key.Alignment, sizeof(int));
            Prefer(CublasLtPreference.AlignmentAddend, key.Alignment, sizeof(int));
            Prefer(CublasLtPreference.AlignmentResult, key.Alignment, sizeof(int));
            int status = CublasLtApi.cublasLtMatmulAlgoGetHeuristic(handle, description, first, second, result, result, preference, 1, out choice, out int found);
            if (status != NotSupported)
            {
                Check(status, nameof(CublasLtApi.cublasLtMatmulAlgoGetHeuristic));
            }

            return status == 0 && found > 0 && choice.Status == 0;
        }
        finally
        {
            _ = CublasLtApi.cublasLtMatmulPreferenceDestroy(preference);
        }

        void Prefer(CublasLtPreference attribute, long value, int bytes) => Check(
            CublasLtApi.cublasLtMatmulPreferenceSetAttribute(preference, attribute, in value, (nuint)bytes),
            nameof(CublasLtApi.cublasLtMatmulPreferenceSetAttribute));
    }

    private nint Layout(BlasOperation operation, int rows, int columns, int leading)
    {
        (int stored, int beside) = operation == BlasOperation.Transpose ? (columns, rows) : (rows, columns);
        Check(
            CublasLtApi.cublasLtMatrixLayoutCreate(out nint layout, key.Type, (ulong)stored, (ulong)beside, leading),
            nameof(CublasLtApi.cublasLtMatrixLayoutCreate));
        return layout;
    }

    private void Set(CublasLtAttribute attribute, long value, int bytes) => Check(
        CublasLtApi.cublasLtMatmulDescSetAttribute(description, attribute, in value, (nuint)bytes),
        nameof(CublasLtApi.cublasLtMatmulDescSetAttribute));

    private void Check(int status, string call) => CudaBlas.Check(status, call, key);
}
