namespace Sprint.Engine.Cpu;

/// <summary>
/// How one product is cut up. Along k into blocks, by the shape alone, since the order of additions follows from it; along columns into panels
/// as wide as a tile and these into column blocks whose packed B stays in a core's second-level cache; along rows into row blocks.
/// A pair of row and column block is one piece of work, and how many there are may depend on the number of threads.
/// </summary>
internal readonly struct MatrixPlan
{
    // A block of B of 384 x 384 floats takes 576 KiB.
    private const int LongestBlock = 384;
    private const int WidestColumnBlock = 384;
    private const int TallestRowBlock = 128;
    private const int PiecesPerThread = 4;

    // Packed B beyond this is made and used in several rounds, so that it stays in the last-level cache.
    private const long LargestPackedRound = 6 << 20;

    /// <summary>Cuts up a product.</summary>
    /// <param name="rows">Rows of C.</param>
    /// <param name="columns">Columns of C.</param>
    /// <param name="depth">The dimension summed over.</param>
    /// <param name="lanes">Elements of a vector.</param>
    /// <param name="tileRows">Rows of a full tile.</param>
    /// <param name="tileVectors">Vectors in a row of a full tile, 2 or 3.</param>
    /// <param name="threads">How many threads there are.</param>
    public MatrixPlan(int rows, int columns, int depth, int lanes, int tileRows, int tileVectors, int threads)
    {
        Rows = rows;
        Columns = columns;
        Depth = depth;
        Lanes = lanes;
        TileVectors = tileVectors;

        DepthBlocks = Math.Max(1, Divide(depth, LongestBlock));
        DepthBlock = Math.Max(1, Divide(depth, DepthBlocks));
        DepthBlocks = Math.Max(1, Divide(depth, DepthBlock));

        Vectors = Divide(columns, lanes);
        Panels = Divide(Vectors, tileVectors);

        int pieces = threads == 1 ? 1 : PiecesPerThread * threads;
        int panelsOfBlock = Math.Min(Panels, Math.Max(1, WidestColumnBlock / (tileVectors * lanes)));
        int rowBlocks = Divide(rows, TallestRowBlock);
        if ((long)rowBlocks * Divide(Panels, panelsOfBlock) < pieces)
        {
            // Rows are cut first, since each column block reads all of A anew, but below four tiles only to give each thread something.
            rowBlocks = Math.Max(rowBlocks, Math.Min(Divide(pieces, Divide(Panels, panelsOfBlock)), Divide(rows, 4 * tileRows)));
            panelsOfBlock = Math.Max(1, Math.Min(panelsOfBlock, Panels / Divide(pieces, rowBlocks)));
            if ((long)rowBlocks * Divide(Panels, panelsOfBlock) < threads)
                rowBlocks = Math.Max(rowBlocks, Math.Min(Divide(threads, Divide(Panels, panelsOfBlock)), Divide(rows, tileRows)));
        }

        ColumnBlocks = Divide(Panels, panelsOfBlock);
        PanelsOfBlock = Divide(Panels, ColumnBlocks);
        ColumnBlocks = Divide(Panels, PanelsOfBlock);
        RowBlock = Divide(Divide(rows, rowBlocks), tileRows) * tileRows;
        RowBlocks = Divide(rows, RowBlock);

        Bands = RowBlocks % threads == 0 ? threads : 1;

        long packedBlock = sizeof(float) * (long)DepthBlock * Vectors * lanes;
        DepthBlocksOfRound = (int)Math.Clamp(LargestPackedRound / packedBlock, 1, DepthBlocks);
    }

    /// <summary>Rows of C.</summary>
    public int Rows { get; }

    /// <summary>Columns of C.</summary>
    public int Columns { get; }

    /// <summary>The dimension summed over.</summary>
    public int Depth { get; }

    /// <summary>Elements of a vector.</summary>
    public int Lanes { get; }

    /// <summary>Vectors in a row of a full tile.</summary>
    public int TileVectors { get; }

    /// <summary>Vectors in a row of C, the last perhaps in part.</summary>
    public int Vectors { get; }

    /// <summary>Tiles in a row of C.</summary>
    public int Panels { get; }

    /// <summary>Panels in a column block, the last block perhaps having fewer.</summary>
    public int PanelsOfBlock { get; }

    /// <summary>How many column blocks there are.</summary>
    public int ColumnBlocks { get; }

    /// <summary>Rows of a row block, a multiple of the tile's; the last block perhaps has fewer.</summary>
    public int RowBlock { get; }

    /// <summary>How many row blocks there are.</summary>
    public int RowBlocks { get; }

    /// <summary>How many k are summed in one chain.</summary>
    public int DepthBlock { get; }

    /// <summary>How many such sums are added, in order.</summary>
    public int DepthBlocks { get; }

    /// <summary>How many of them are packed before they are used.</summary>
    public int DepthBlocksOfRound { get; }

    /// <summary>
    /// Row blocks are grouped into as many bands, each the share of one thread, so that it finds the rows that it wrote itself in its own cache
    /// whatever the widths of the products are.
    /// </summary>
    private int Bands { get; }

    /// <summary>The row block and the column block of a piece of work: band after band, in it the row blocks of one column block after those of another.</summary>
    public (int RowBlock, int ColumnBlock) Piece(int index)
    {
        int rowBlocks = RowBlocks / Bands;
        (int band, int piece) = Math.DivRem(index, rowBlocks * ColumnBlocks);
        (int columnBlock, int rowBlock) = Math.DivRem(piece, rowBlocks);
        return ((band * rowBlocks) + rowBlock, columnBlock);
    }

    /// <summary>The first k of a block.</summary>
    public int DepthStart(int block) => (int)Math.Min((long)block * DepthBlock, Depth);

    /// <summary>The first vector of a panel. One vector left over is joined with a neighbour's: two panels of two are faster than three and one.</summary>
    public int PanelStart(int panel)
    {
        if (panel == Panels)
            return Vectors;

        bool even = TileVectors == 3 && Vectors % 3 == 1 && panel > 0 && panel == Panels - 1;
        return (panel * TileVectors) - (even ? 1 : 0);
    }

    private static int Divide(int value, int divisor) => (int)(((long)value + divisor - 1) / divisor);
}
