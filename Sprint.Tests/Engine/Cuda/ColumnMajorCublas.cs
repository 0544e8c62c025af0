using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// cuBLAS as its manual documents it: matrices are stored column by column, element (i, j) at index j * leading + i;
/// C (m, n) = alpha op(A) op(B) + beta C with op(A) (m, k) and op(B) (k, n); C is not read where beta is 0. Memory is the host's.
/// </summary>
internal sealed unsafe class ColumnMajorCublas : ICublas
{
    public int Status { get; init; }

    public bool HasFusedKernels { get; init; } = true;

    public string LastCall { get; private set; } = "";

    public void Dispose()
    {
    }

    public int MultiplySingle(in ColumnMajorProduct product, float alpha, DevicePointer first, DevicePointer second, float beta, DevicePointer result)
    {
        if (Status != 0)
        {
            return Status;
        }

        float* a = (float*)first.Address;
        float* b = (float*)second.Address;
        float* c = (float*)result.Address;
        bool transposeA = product.OperationFirst == BlasOperation.Transpose;
        bool transposeB = product.OperationSecond == BlasOperation.Transpose;
        if (product.LeadingFirst < (transposeA ? product.K : product.M)
            || product.LeadingSecond < (transposeB ? product.N : product.K)
            || product.LeadingResult < product.M)
        {
            return 7;
        }

        for (int j = 0; j < product.N; j++)
        {
            for (int i = 0; i < product.M; i++)
            {
                float sum = 0;
                for (int l = 0; l < product.K; l++)
                {
                    sum += (transposeA ? a[(i * product.LeadingFirst) + l] : a[(l * product.LeadingFirst) + i])
                        * (transposeB ? b[(l * product.LeadingSecond) + j] : b[(j * product.LeadingSecond) + l]);
                }

                float* target = c + (j * product.LeadingResult) + i;
                *target = (alpha * sum) + (beta == 0 ? 0 : beta * *target);
            }
        }

        return 0;
    }

    public int MultiplyMixed(
        in ColumnMajorProduct product,
        float alpha,
        DevicePointer first,
        DevicePointer second,
        CudaElementType factorType,
        float beta,
        DevicePointer result,
        CudaElementType resultType)
    {
        LastCall = $"{product} {alpha} {first} {second} {factorType} {beta} {result} {resultType}";
        return Status;
    }

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
        int count)
    {
        LastCall = $"{product} {alpha} {first} {strideFirst} {second} {strideSecond} {factorType} {beta} {result} {strideResult} {resultType} {count}";
        return Status;
    }

    /// <summary>The manual's epilogues on float32 matrices of the host's memory; other types are only noted.</summary>
    public bool TryMultiplyFused(in ColumnMajorProduct product, BlasEpilogue epilogue, in FusedOperands operands, CudaElementType type, StreamHandle stream)
    {
        LastCall = $"{product} {epilogue} {operands.First} {operands.Second} {operands.Result} {operands.Bias} {operands.Auxiliary} {type}";
        if (!HasFusedKernels || type != CudaElementType.Float32)
        {
            return HasFusedKernels;
        }

        MultiplySingle(product, 1, operands.First, operands.Second, 0, operands.Result);
        float* bias = (float*)operands.Bias.Address, auxiliary = (float*)operands.Auxiliary.Address;
        for (int j = 0; j < product.N; j++)
        {
            for (int i = 0; i < product.M; i++)
            {
                float* target = (float*)operands.Result.Address + (j * product.LeadingResult) + i;
                *target += epilogue.HasFlag(BlasEpilogue.Bias) ? bias[i] : 0;
                if (epilogue.HasFlag(BlasEpilogue.GeluDerivative))
                {
                    *target *= (float)Operations.References.Derivative(Operations.References.Gelu, auxiliary[(j * product.M) + i]);
                    continue;
                }

                if (epilogue.HasFlag(BlasEpilogue.Auxiliary))
                {
                    auxiliary[(j * product.M) + i] = *target;
                }

                *target = epilogue.HasFlag(BlasEpilogue.Gelu) ? (float)Operations.References.Gelu(*target) : *target;
            }
        }

        return true;
    }
}
