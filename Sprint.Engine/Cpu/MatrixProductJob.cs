namespace Sprint.Engine.Cpu;

/// <summary>One product being computed: first the pieces of B's packing, then the pieces of C.</summary>
/// <typeparam name="TLanes">Operations on the vectors.</typeparam>
/// <typeparam name="TVector">The vector type.</typeparam>
/// <typeparam name="TRows">Rows of a full tile.</typeparam>
/// <typeparam name="TVectors">Vectors in a row of a full tile.</typeparam>
/// <typeparam name="TEpilogue">What is done to the finished elements.</typeparam>
internal unsafe partial struct MatrixProductJob<TLanes, TVector, TRows, TVectors, TEpilogue> : IWorkerJob
    where TLanes : struct, IVectorLanes<TVector>
    where TVector : struct
    where TRows : struct, ITileNumber
    where TVectors : struct, ITileNumber
    where TEpilogue : struct, IMatrixEpilogue
{
    // A row of B read where it lies costs less than packing it as long as few tiles read it.
    private const int RowsThatReadInPlace = 16;

    // So does one of a block of B that stays in the second-level cache as it is.
    private const long LargestBlockInPlace = 384 << 10;
    private const int RowsOfPackingPiece = 16;

    private readonly WorkerPool pool;
    private readonly MatrixOperand a;
    private readonly MatrixOperand b;
    private readonly float* c;
    private readonly long cStride;
    private readonly bool accumulate;
    private readonly TEpilogue epilogue;
    private readonly MatrixRowSums rowSums;
    private readonly MatrixPlan plan;
    private float* packed;
    private bool packing;
    private int firstBlock;
    private int endBlock;

    public MatrixProductJob(
        WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, long cStride, int rows, int columns, int depth, bool accumulate, TEpilogue epilogue, MatrixRowSums rowSums)
    {
        this.pool = pool;
        this.a = a;
        this.b = b;
        this.c = c;
        this.cStride = cStride;
        this.accumulate = accumulate;
        this.epilogue = epilogue;
        this.rowSums = rowSums;
        plan = new MatrixPlan(rows, columns, depth, TLanes.Count, TRows.Value, TVectors.Value, pool.Threads);
    }

    /// <summary>Whether each worker packs what it reads of B: with one row block nobody else reads it, and in place there is nothing to pack.</summary>
    private readonly bool PacksForItself => plan.RowBlocks == 1 || StaysInCache;

    // Rows of B are packed some at a time over their whole length, columns of it a panel at a time: either way memory is read in its order.
    private readonly int PackingPieces => b.RowsContiguous ? (plan.DepthBlock + RowsOfPackingPiece - 1) / RowsOfPackingPiece : plan.Panels;

    private readonly bool ReadsInPlace => StaysInCache || (plan.RowBlocks == 1 && b.RowsContiguous && plan.Rows <= RowsThatReadInPlace);

    // Panels that reach beyond C would have to be packed, by each worker anew.
    private readonly bool StaysInCache =>
        b.RowsContiguous && LiesWithinC(plan.Panels - 1) && sizeof(float) * plan.DepthBlock * b.RowStride <= LargestBlockInPlace;

    /// <summary>Computes the product.</summary>
    public void Run()
    {
        int pieces = plan.RowBlocks * plan.ColumnBlocks;
        if (PacksForItself)
        {
            endBlock = plan.DepthBlocks;
            pool.Run(ref this, pieces);
            return;
        }

        using WorkerPool.Exclusive turn = pool.EnterExclusive();
        packed = (float*)pool.SharedScratch(sizeof(float) * (long)plan.DepthBlocksOfRound * plan.DepthBlock * plan.Vectors * TLanes.Count);
        for (firstBlock = 0; firstBlock < plan.DepthBlocks; firstBlock = endBlock)
        {
            endBlock = Math.Min(firstBlock + plan.DepthBlocksOfRound, plan.DepthBlocks);
            packing = true;
            pool.Run(ref this, (endBlock - firstBlock) * PackingPieces);
            packing = false;
            pool.Run(ref this, pieces);
        }
    }

    /// <inheritdoc/>
    public readonly void Execute(int index, int worker)
    {
        if (packing)
        {
            (int block, int piece) = Math.DivRem(index, PackingPieces);
            block += firstBlock;
            if (b.RowsContiguous)
                PackRows(block, piece * RowsOfPackingPiece, (piece + 1) * RowsOfPackingPiece, 0, plan.Panels, SharedBlock(block));
            else
                PackColumns(block, piece, SharedBlock(block) + PanelOffset(block, piece, 0));
            return;
        }

        (int rowBlock, int columnBlock) = plan.Piece(index);
        Multiply(rowBlock, columnBlock, worker);
    }
}
