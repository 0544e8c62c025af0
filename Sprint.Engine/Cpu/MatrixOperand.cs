namespace Sprint.Engine.Cpu;

/// <summary>
/// A float32 matrix as a product reads it: element (i, j) is at <c>Data[i * RowStride + j * ColumnStride]</c>.
/// One of the strides is 1, so that a matrix and its transposed need no copy.
/// </summary>
internal readonly unsafe struct MatrixOperand
{
    private MatrixOperand(float* data, long rowStride, long columnStride)
    {
        Data = data;
        RowStride = rowStride;
        ColumnStride = columnStride;
    }

    /// <summary>Element (0, 0).</summary>
    public float* Data { get; }

    /// <summary>Elements from one row to the next.</summary>
    public long RowStride { get; }

    /// <summary>Elements from one column to the next.</summary>
    public long ColumnStride { get; }

    /// <summary>Whether the elements of a row lie side by side.</summary>
    public bool RowsContiguous => ColumnStride == 1;

    /// <summary>A matrix whose rows lie in memory one after the other.</summary>
    /// <param name="data">Element (0, 0).</param>
    /// <param name="stride">Elements from one row to the next.</param>
    /// <returns>The operand.</returns>
    public static MatrixOperand Rows(float* data, long stride) => new(data, stride, 1);

    /// <summary>The transposed of a matrix whose rows lie in memory one after the other: those rows are the operand's columns.</summary>
    /// <param name="data">Element (0, 0).</param>
    /// <param name="stride">Elements from one row of the matrix in memory to the next.</param>
    /// <returns>The operand.</returns>
    public static MatrixOperand Transposed(float* data, long stride) => new(data, 1, stride);
}
