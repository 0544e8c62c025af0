using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// What a kernel of kernels/matrix_product.cu is given: <c>product_arguments</c> of kernels/common/product_epilogue.cuh, field by field.
/// C (m, n) = finish(op(A) (m, k) op(B) (k, n)); strides are elements from one row to the next.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MatrixProductArguments
{
    /// <summary>(m, k); for <see cref="MatrixProductForm.BackwardWeight"/> (k, m).</summary>
    public DevicePointer A;

    /// <summary>(k, n); for <see cref="MatrixProductForm.Forward"/> (n, k).</summary>
    public DevicePointer B;

    /// <summary>C (m, n), of the operands' element type, or float32.</summary>
    public DevicePointer Result;

    /// <summary>(splits, m, n) float32 where the plan has several splits; set by the launcher.</summary>
    public DevicePointer Partial;

    /// <summary>(n), or null.</summary>
    public DevicePointer Bias;

    /// <summary>(m, n): written by the forward operations, or null; read by the derivatives, and written by <see cref="MatrixProductOperation.SwiGluBackward"/>.</summary>
    public DevicePointer Auxiliary;

    /// <summary>(m, n): the residual stream, or the gate of SwiGLU, which <see cref="MatrixProductOperation.SwiGluBackward"/> also writes.</summary>
    public DevicePointer Residual;

    /// <summary>(samples, <see cref="GateStride"/>), of which n elements of each row count.</summary>
    public DevicePointer Gate;

    /// <summary>(m) int32: the row of <see cref="RowTerms"/> that belongs to each row of C, or -1; null where each has its own.</summary>
    public DevicePointer Rows;

    /// <summary>(any, n) float32.</summary>
    public DevicePointer RowTerms;

    /// <summary>(n) float32: in place of a row that is -1, or of all where <see cref="RowTerms"/> is null.</summary>
    public DevicePointer Constant;

    public int StrideA;
    public int StrideB;
    public int ResultStride;
    public int GateStride;
    public int M;
    public int N;
    public int K;

    /// <summary>Set by the launcher.</summary>
    public int SplitDepth;

    public MatrixProductOperation Operation;

    /// <summary>Rows of C in a sample.</summary>
    public int Tokens;

    public int ResultIsFloat;

    public int Accumulate;

    /// <summary>Set by the launcher.</summary>
    public int VectorOperands;

    /// <summary>Set by the launcher.</summary>
    public int VectorResult;

    /// <summary>Arguments of a product whose matrices have no gaps between rows.</summary>
    /// <param name="form">Which operands are stored transposed.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum.</param>
    public static MatrixProductArguments Dense(MatrixProductForm form, int m, int n, int k) => new()
    {
        M = m,
        N = n,
        K = k,
        StrideA = form == MatrixProductForm.BackwardWeight ? m : k,
        StrideB = form == MatrixProductForm.Forward ? k : n,
        ResultStride = n,
        Tokens = m,
    };

    /// <summary>A tensor's elements; null for an empty handle.</summary>
    /// <param name="tensor">A tensor of a <see cref="CudaDevice"/>.</param>
    public static DevicePointer Pointer(Tensor tensor) => tensor.IsEmpty ? DevicePointer.Null : new DevicePointer((ulong)tensor.Address);

    /// <summary>The rows of a tensor that is multiplied.</summary>
    /// <param name="tensor">A tensor of any number of dimensions.</param>
    /// <exception cref="SprintException">It has more than 2^30: the kernels number rows, and what lies up to a tile or split behind them, with an int.</exception>
    public static int RowsOf(Tensor tensor)
    {
        const int Most = 1 << 30;
        long rows = tensor.Shape.Rows;
        return rows <= Most ? (int)rows : throw new SprintException($"matrix product: {tensor} has {rows} rows, more than the {Most} that the CUDA kernels take.");
    }

    /// <summary>Says where the sums go.</summary>
    /// <param name="result">C; its element type is the operands' or float32.</param>
    /// <param name="accumulate">Whether to add to it.</param>
    public void WriteTo(Tensor result, bool accumulate)
    {
        Result = Pointer(result);
        ResultIsFloat = result.ElementType == ElementType.Float32 ? 1 : 0;
        Accumulate = accumulate ? 1 : 0;
    }

    /// <summary>Says where accesses of 16 bytes to the operands, and of four elements to the result and beside it, are possible.</summary>
    /// <param name="form">Which operands are stored transposed.</param>
    /// <param name="elementSize">Bytes of an element: 2 or 4.</param>
    public void ChooseVectors(MatrixProductForm form, int elementSize)
    {
        int lengthA = form == MatrixProductForm.BackwardWeight ? M : K;
        int lengthB = form == MatrixProductForm.Forward ? K : N;
        VectorOperands = Fits(A, 16) && Fits(B, 16) && Fits(StrideA, lengthA, 16 / elementSize) && Fits(StrideB, lengthB, 16 / elementSize) ? 1 : 0;
        int pack = MatrixProductPlan.Pack * elementSize;
        VectorResult = Fits(ResultStride, N, MatrixProductPlan.Pack)
            && Fits(Result, ResultIsFloat != 0 ? 16 : pack)
            && Fits(Bias, pack) && Fits(Auxiliary, pack) && Fits(Residual, pack) && Fits(Gate, pack)
            && (Gate.IsNull || GateStride % MatrixProductPlan.Pack == 0)
            && Fits(RowTerms, 16) && Fits(Constant, 16) ? 1 : 0;
    }

    private static bool Fits(DevicePointer pointer, int alignment) => pointer.Address % (ulong)alignment == 0;

    private static bool Fits(int stride, int length, int pack) => stride % pack == 0 && length % pack == 0;
}

/// <summary>Which operands of a product are stored transposed.</summary>
public enum MatrixProductForm
{
    /// <summary>C = A B^T: y = x W^T.</summary>
    Forward,

    /// <summary>C = A B: dx = dy W.</summary>
    BackwardInput,

    /// <summary>C = A^T B: dW = dy^T x.</summary>
    BackwardWeight,
}

/// <summary>What becomes of a product's sums s; the values are <c>product_operation</c>'s.</summary>
public enum MatrixProductOperation
{
    /// <summary>C = s + bias.</summary>
    Plain,

    /// <summary>auxiliary = s + bias; C = GELU(s + bias).</summary>
    Gelu,

    /// <summary>auxiliary = s + bias; C = SiLU(s + bias).</summary>
    Silu,

    /// <summary>C = s GELU'(auxiliary).</summary>
    GeluDerivative,

    /// <summary>C = s SiLU'(auxiliary).</summary>
    SiluDerivative,

    /// <summary>auxiliary = s + bias; C = residual + gate (s + bias).</summary>
    GatedResidual,

    /// <summary>C = s + the row's term, or the constant.</summary>
    RowTerms,

    /// <summary>auxiliary = s + bias; C = SiLU(residual) (s + bias).</summary>
    SwiGlu,

    /// <summary>C = SiLU(residual) auxiliary; residual = s auxiliary SiLU'(residual); auxiliary = s SiLU(residual), all of what was there before.</summary>
    SwiGluBackward,
}
