namespace Sprint.Engine.Cpu;

/// <summary>
/// What is done to the elements of a product once they are complete, while they are in the first-level cache. Each element is passed once.
/// Pieces of a row are passed in no particular order and by several workers at a time, so an element's result
/// may depend on nothing but the element, its place, and what the epilogue only reads.
/// </summary>
internal unsafe interface IMatrixEpilogue
{
    /// <summary>Whether there is anything to do; a constant.</summary>
    static virtual bool IsEmpty => false;

    /// <summary>Told before a tile is computed, so that what <see cref="Apply"/> will need for it can be fetched meanwhile.</summary>
    /// <param name="rowIndex">The tile's first row.</param>
    /// <param name="rows">How many rows it has.</param>
    /// <param name="column">Its first column.</param>
    /// <param name="count">How many columns, the last perhaps beyond C.</param>
    void Prefetch(int rowIndex, int rows, int column, int count);

    /// <summary>Changes a piece of one row of C in place.</summary>
    /// <param name="row">The first element of the piece.</param>
    /// <param name="rowIndex">Which row of C.</param>
    /// <param name="column">The first element's column.</param>
    /// <param name="count">How many elements.</param>
    void Apply(float* row, int rowIndex, int column, int count);
}

/// <summary>Leaves the product as it is.</summary>
internal readonly unsafe struct NoEpilogue : IMatrixEpilogue
{
    /// <inheritdoc/>
    public static bool IsEmpty => true;

    /// <inheritdoc/>
    public void Prefetch(int rowIndex, int rows, int column, int count)
    {
    }

    /// <inheritdoc/>
    public void Apply(float* row, int rowIndex, int column, int count)
    {
    }
}
