using System.Runtime.CompilerServices;

namespace Sprint.Engine.Cpu;

/// <content>Where packed operands lie, and how they get there.</content>
internal unsafe partial struct MatrixProductJob<TLanes, TVector, TRows, TVectors, TEpilogue>
{
    // Memory is read some rows at a time, along the rows: what is read stays in the first-level cache until all of it is used.
    private const int RowsPackedAtOnce = 8;

    private readonly bool LiesWithinC(int panel) => plan.PanelStart(panel + 1) * TLanes.Count <= plan.Columns;

    private readonly int DepthOf(int block) => plan.DepthStart(block + 1) - plan.DepthStart(block);

    /// <summary>Where a panel lies among the packed panels of a block, the first of which is <paramref name="firstPanel"/>.</summary>
    private readonly long PanelOffset(int block, int panel, int firstPanel)
        => (long)(plan.PanelStart(panel) - plan.PanelStart(firstPanel)) * TLanes.Count * DepthOf(block);

    private readonly float* SharedBlock(int block)
        => packed + ((long)(plan.DepthStart(block) - plan.DepthStart(firstBlock)) * plan.Vectors * TLanes.Count);

    /// <summary>Where the micro-kernel reads a panel of B, and the stride from one k to the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly (nint Data, long Stride) PanelPlace(int block, int panel, int firstPanel, float* own)
    {
        int start = plan.PanelStart(panel);
        if (ReadsInPlace && LiesWithinC(panel))
            return ((nint)(b.Data + (plan.DepthStart(block) * b.RowStride) + (start * TLanes.Count)), b.RowStride);

        int width = (plan.PanelStart(panel + 1) - start) * TLanes.Count;
        return PacksForItself
            ? ((nint)(own + PanelOffset(block, panel, firstPanel)), width)
            : ((nint)(SharedBlock(block) + PanelOffset(block, panel, 0)), width);
    }

    /// <summary>Packs what one worker alone reads of B; with few rows that is only what cannot be read in place.</summary>
    private readonly void PackOwn(int block, int firstPanel, int endPanel, float* own)
    {
        if (b.RowsContiguous)
        {
            int first = ReadsInPlace ? endPanel - (LiesWithinC(endPanel - 1) ? 0 : 1) : firstPanel;
            if (first < endPanel)
                PackRows(block, 0, DepthOf(block), first, endPanel, own + PanelOffset(block, first, firstPanel));
            return;
        }

        for (int panel = firstPanel; panel < endPanel; panel++)
            PackColumns(block, panel, own + PanelOffset(block, panel, firstPanel));
    }

    /// <summary>Packs a panel of a B whose columns lie in memory one after the other.</summary>
    private readonly void PackColumns(int block, int panel, float* target)
    {
        int column = plan.PanelStart(panel) * TLanes.Count;
        int end = plan.PanelStart(panel + 1) * TLanes.Count;
        float* source = b.Data + plan.DepthStart(block) + (column * b.ColumnStride);
        MatrixPacking.Transpose(source, b.ColumnStride, Math.Min(end, plan.Columns) - column, DepthOf(block), target, end - column);
    }

    /// <summary>Packs some rows, counted from the block's first, of a B whose rows lie in memory one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void PackRows(int block, int firstRow, int endRow, int firstPanel, int endPanel, float* target)
    {
        endRow = Math.Min(endRow, DepthOf(block));
        for (int row = firstRow; row < endRow; row += RowsPackedAtOnce)
        {
            int rows = Math.Min(RowsPackedAtOnce, endRow - row);
            float* source = b.Data + ((plan.DepthStart(block) + row) * b.RowStride);
            for (int panel = firstPanel; panel < endPanel; panel++)
            {
                int column = plan.PanelStart(panel) * TLanes.Count;
                int end = plan.PanelStart(panel + 1) * TLanes.Count;
                float* place = target + PanelOffset(block, panel, firstPanel) + (row * (end - column));
                MatrixPacking.Copy(source + column, b.RowStride, Math.Min(end, plan.Columns) - column, rows, place, end - column);
            }
        }
    }

    /// <summary>Packs a row block of an A whose columns lie in memory one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void PackA(int firstRow, int endRow, int start, int depth, float* packed)
    {
        for (int done = 0; done < depth; done += RowsPackedAtOnce)
        {
            int part = Math.Min(RowsPackedAtOnce, depth - done);
            int pairs = TRows.Value == 8 ? (endRow - firstRow) / 16 : 0;
            MatrixPacking.CopyPairsOf8(
                a.Data + firstRow + ((start + done) * a.ColumnStride), a.ColumnStride, pairs, part, packed + (done * 8), 8L * depth);
            for (int row = firstRow + (16 * pairs); row < endRow;)
            {
                int rows = TileRows(endRow - row);
                float* source = a.Data + row + ((start + done) * a.ColumnStride);
                MatrixPacking.Copy(source, a.ColumnStride, rows, part, packed + ((long)(row - firstRow) * depth) + (done * rows), rows);
                row += rows;
            }
        }
    }
}
