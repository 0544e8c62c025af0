namespace Sprint.Engine.Cuda;

/// <summary>
/// A product of row-major matrices: C (m, n) = alpha op(A) op(B) + beta C, op(A) (m, k), op(B) (k, n), where op transposes or not.
/// </summary>
/// <param name="TransposeA">Whether A is stored as (k, m).</param>
/// <param name="TransposeB">Whether B is stored as (n, k), as the weight of a linear layer is.</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">Terms of each sum.</param>
/// <param name="LeadingA">Elements from one row of A as stored to the next.</param>
/// <param name="LeadingB">Elements from one row of B as stored to the next.</param>
/// <param name="LeadingC">Elements from one row of C to the next.</param>
public readonly record struct RowMajorProduct(
    bool TransposeA, bool TransposeB, int M, int N, int K, int LeadingA, int LeadingB, int LeadingC)
{
    /// <summary>A product of matrices whose rows follow each other without gaps.</summary>
    /// <param name="transposeA">Whether A is stored as (k, m).</param>
    /// <param name="transposeB">Whether B is stored as (n, k).</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum.</param>
    public static RowMajorProduct Dense(bool transposeA, bool transposeB, int m, int n, int k) =>
        new(transposeA, transposeB, m, n, k, transposeA ? m : k, transposeB ? k : n, n);

    /// <summary>
    /// The same product for a column-major library. A row-major matrix read by columns is its transpose, and
    /// C^T = op(B)^T op(A)^T: so the factors change places and so do m and n; each keeps its own operation and leading dimension.
    /// </summary>
    /// <exception cref="SprintException">An extent is not positive, or a row is longer than its leading dimension.</exception>
    internal ColumnMajorProduct ToColumnMajor()
    {
        Require(M, 1, "m");
        Require(N, 1, "n");
        Require(K, 1, "k");
        Require(LeadingA, TransposeA ? M : K, "the leading dimension of A");
        Require(LeadingB, TransposeB ? K : N, "the leading dimension of B");
        Require(LeadingC, N, "the leading dimension of C");
        return new ColumnMajorProduct(
            TransposeB ? BlasOperation.Transpose : BlasOperation.None,
            TransposeA ? BlasOperation.Transpose : BlasOperation.None,
            N,
            M,
            K,
            LeadingB,
            LeadingA,
            LeadingC);
    }

    private static void Require(int value, int least, string what)
    {
        if (value < least)
        {
            throw new SprintException($"A matrix product needs {what} of at least {least}, but was given {value}.");
        }
    }
}

/// <summary>
/// The arguments of a column-major product, whose first factor is the row-major product's B and whose second is its A.
/// </summary>
internal readonly record struct ColumnMajorProduct(
    BlasOperation OperationFirst,
    BlasOperation OperationSecond,
    int M,
    int N,
    int K,
    int LeadingFirst,
    int LeadingSecond,
    int LeadingResult);
