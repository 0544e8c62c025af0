using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <content>One piece of C: all its tiles, block after block of k.</content>
internal unsafe partial struct MatrixProductJob<TLanes, TVector, TRows, TVectors, TEpilogue>
{
    // Room for one tile of which only a part lies in C.
    private static int EdgeSize => 8 * 3 * TLanes.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Multiply(int rowBlock, int columnBlock, int worker)
    {
        int firstRow = rowBlock * plan.RowBlock;
        int endRow = (int)Math.Min((long)firstRow + plan.RowBlock, plan.Rows);
        int firstPanel = columnBlock * plan.PanelsOfBlock;
        int endPanel = Math.Min(firstPanel + plan.PanelsOfBlock, plan.Panels);

        bool packsA = !a.RowsContiguous;
        long aSize = packsA ? (long)plan.RowBlock * plan.DepthBlock : 0;
        long bSize = PacksForItself ? (long)plan.DepthBlock * plan.PanelsOfBlock * TVectors.Value * TLanes.Count : 0;
        float* edge = (float*)pool.Scratch(worker, sizeof(float) * (EdgeSize + aSize + bSize));
        float* packedB = edge + EdgeSize;
        float* packedA = packedB + bSize;

        for (int block = firstBlock; block < endBlock; block++)
        {
            int start = plan.DepthStart(block);
            int depth = plan.DepthStart(block + 1) - start;
            if (packsA)
                PackA(firstRow, endRow, start, depth, packedA);
            bool finishes = !TEpilogue.IsEmpty && block == plan.DepthBlocks - 1;
            bool sumsRows = rowSums.IsWanted && firstPanel == 0;
            if (PacksForItself)
                PackOwn(block, firstPanel, endPanel, packedB);

            for (int row = firstRow; row < endRow;)
            {
                int rows = TileRows(endRow - row);
                float* a = packsA ? packedA + ((long)(row - firstRow) * depth) : this.a.Data + (row * this.a.RowStride) + start;
                if (sumsRows)
                    rowSums.Add(a, row, rows, depth, first: block == 0);
                for (int panel = firstPanel; panel < endPanel; panel++)
                {
                    if (finishes)
                        epilogue.Prefetch(row, rows, plan.PanelStart(panel) * TLanes.Count, TVectors.Value * TLanes.Count);
                    (nint b, long bStride) = PanelPlace(block, panel, firstPanel, packedB);
                    Tile(row, rows, panel, depth, packsA, a, (float*)b, bStride, accumulate || block > 0, edge);
                }

                if (finishes)
                    Finish(row, rows, firstPanel, endPanel);
                row += rows;
            }
        }
    }

    /// <summary>Full tiles first; what is left over is made of tiles of 4, 2 and 1 rows, so that no row is computed in vain.</summary>
    private static int TileRows(int left) => left >= TRows.Value ? TRows.Value : left >= 4 ? 4 : left >= 2 ? 2 : 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Tile(int row, int rows, int panel, int depth, bool packedA, float* a, float* b, long bStride, bool add, float* edge)
    {
        int start = plan.PanelStart(panel);
        int vectors = plan.PanelStart(panel + 1) - start;
        float* c = this.c + (row * cStride) + (start * TLanes.Count);
        if (LiesWithinC(panel))
        {
            MatrixTileChoice<TLanes, TVector>.Multiply(rows, vectors, packedA, depth, a, this.a.RowStride, b, bStride, c, cStride, add);
            return;
        }

        long edgeStride = vectors * TLanes.Count;
        MatrixTileChoice<TLanes, TVector>.Multiply(rows, vectors, packedA, depth, a, this.a.RowStride, b, bStride, edge, edgeStride, add: false);
        int count = plan.Columns - (start * TLanes.Count);
        for (int i = 0; i < rows; i++, c += cStride, edge += edgeStride)
            CopyRow(edge, c, count, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRow(float* source, float* target, int count, bool add)
    {
        int i = 0;
        for (; i + TLanes.Count <= count; i += TLanes.Count)
        {
            TVector value = TLanes.Load(source + i);
            TLanes.Store(add ? TLanes.Add(TLanes.Load(target + i), value) : value, target + i);
        }

        for (; i + 4 <= count; i += 4)
        {
            Vector128<float> value = Vector128.Load(source + i);
            (add ? Vector128.Load(target + i) + value : value).Store(target + i);
        }

        for (; i < count; i++)
            target[i] = add ? target[i] + source[i] : source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Finish(int row, int rows, int firstPanel, int endPanel)
    {
        int column = plan.PanelStart(firstPanel) * TLanes.Count;
        int count = Math.Min(plan.PanelStart(endPanel) * TLanes.Count, plan.Columns) - column;
        for (int i = row; i < row + rows; i++)
            epilogue.Apply(c + (i * cStride) + column, i, column, count);
    }
}
