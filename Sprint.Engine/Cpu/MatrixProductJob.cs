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

    private readonly WorkerPool _pool;
    private readonly MatrixOperand _a;
    private readonly MatrixOperand _b;
    private readonly float* _c;
    private readonly long _cStride;
    private readonly bool _accumulate;
    private readonly TEpilogue _epilogue;
    private readonly MatrixRowSums _rowSums;
    private readonly MatrixPlan _plan;
    private float* _packed;
    private bool _packing;
    private int _firstBlock;
    private int _endBlock;

    public MatrixProductJob(
        WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, long cStride, int rows, int columns, int depth, bool accumulate, TEpilogue epilogue, MatrixRowSums rowSums)
    {
        _pool = pool;
        _a = a;
        _b = b;
        _c = c;
        _cStride = cStride;
        _accumulate = accumulate;
        _epilogue = epilogue;
        _rowSums = rowSums;
        _plan = new MatrixPlan(rows, columns, depth, TLanes.Count, TRows.Value, TVectors.Value, pool.Threads);
    }

    /// <summary>Whether each worker packs what it reads of B: with one row block nobody else reads it, and in place there is nothing to pack.</summary>
    private readonly bool PacksForItself => _plan.RowBlocks == 1 || StaysInCache;

    // Rows of B are packed some at a time over their whole length, columns of it a panel at a time: either way memory is read in its order.
    private readonly int PackingPieces => _b.RowsContiguous ? (_plan.DepthBlock + RowsOfPackingPiece - 1) / RowsOfPackingPiece : _plan.Panels;

    private readonly bool ReadsInPlace => StaysInCache || (_plan.RowBlocks == 1 && _b.RowsContiguous && _plan.Rows <= RowsThatReadInPlace);

    // Panels that reach beyond C would have to be packed, by each worker anew.
    private readonly bool StaysInCache =>
        _b.RowsContiguous && LiesWithinC(_plan.Panels - 1) && sizeof(float) * _plan.DepthBlock * _b.RowStride <= LargestBlockInPlace;

    /// <summary>Computes the product.</summary>
    public void Run()
    {
        int pieces = _plan.RowBlocks * _plan.ColumnBlocks;
        if (PacksForItself)
        {
            _endBlock = _plan.DepthBlocks;
            _pool.Run(ref this, pieces);
            return;
        }

        using WorkerPool.Exclusive turn = _pool.EnterExclusive();
        _packed = (float*)_pool.SharedScratch(sizeof(float) * (long)_plan.DepthBlocksOfRound * _plan.DepthBlock * _plan.Vectors * TLanes.Count);
        for (_firstBlock = 0; _firstBlock < _plan.DepthBlocks; _firstBlock = _endBlock)
        {
            _endBlock = Math.Min(_firstBlock + _plan.DepthBlocksOfRound, _plan.DepthBlocks);
            _packing = true;
            _pool.Run(ref this, (_endBlock - _firstBlock) * PackingPieces);
            _packing = false;
            _pool.Run(ref this, pieces);
        }
    }

    /// <inheritdoc/>
    public readonly void Execute(int index, int worker)
    {
        if (_packing)
        {
            (int block, int piece) = Math.DivRem(index, PackingPieces);
            block += _firstBlock;
            if (_b.RowsContiguous)
                PackRows(block, piece * RowsOfPackingPiece, (piece + 1) * RowsOfPackingPiece, 0, _plan.Panels, SharedBlock(block));
            else
                PackColumns(block, piece, SharedBlock(block) + PanelOffset(block, piece, 0));
            return;
        }

        (int rowBlock, int columnBlock) = _plan.Piece(index);
        Multiply(rowBlock, columnBlock, worker);
    }
}
