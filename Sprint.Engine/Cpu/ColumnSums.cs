using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Sums the rows of a matrix: segments of a fixed number of rows to partial rows, then these in order, so that the bits do not
/// depend on the number of threads.
/// </summary>
internal static unsafe class ColumnSums
{
    private const int SegmentRows = 64;
    private const int RowsAtOnce = 8;

    /// <summary>Columns summed at a time in the second stage.</summary>
    private const int Stripe = 256;

    /// <summary><c>sums (+)= sum over rows of matrix</c>.</summary>
    internal static void Run(CpuDevice device, float* matrix, long rows, int columns, float* sums, bool accumulate)
    {
        int segments = checked((int)((rows + SegmentRows - 1) / SegmentRows));
        if (segments <= 1)
        {
            Sum(matrix, columns, rows, columns, sums, accumulate);
            return;
        }

        using Tensor partials = device.Workspace(new Shape(segments, columns));
        var first = new SegmentJob(matrix, rows, columns, (float*)partials.Address);
        device.Pool.Run(ref first, segments);
        var second = new StripeJob((float*)partials.Address, segments, columns, sums, accumulate);
        device.Pool.Run(ref second, (columns + Stripe - 1) / Stripe);
    }

    // Along the rows, as memory lies, several at a time: the sums stay in the first-level cache and are touched once for all of these.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(float* matrix, int stride, long rows, int columns, float* sums, bool accumulate)
    {
        if (!accumulate)
            new Span<float>(sums, columns).Clear();

        long row = 0;
        for (; row + RowsAtOnce <= rows; row += RowsAtOnce, matrix += (long)RowsAtOnce * stride)
            Add<TileNumber8>(matrix, stride, columns, sums);
        for (; row < rows; row++, matrix += stride)
            Add<TileNumber1>(matrix, stride, columns, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TRows>(float* matrix, int stride, int columns, float* sums)
        where TRows : struct, ITileNumber
    {
        int whole = columns / Lanes.Count * Lanes.Count;
        for (int i = 0; i < whole; i += Lanes.Count)
            AddColumns<TRows>(matrix + i, stride, Lanes.Count, sums + i);
        if (whole < columns)
            AddColumns<TRows>(matrix + whole, stride, columns - whole, sums + whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddColumns<TRows>(float* column, int stride, int left, float* sums)
        where TRows : struct, ITileNumber
    {
        Vector512<float> sum = Lanes.Load(sums, left) + Lanes.Load(column, left);
        if (TRows.Value == RowsAtOnce)
        {
            sum += Lanes.Load(column += stride, left);
            sum += Lanes.Load(column += stride, left);
            sum += Lanes.Load(column += stride, left);
            sum += Lanes.Load(column += stride, left);
            sum += Lanes.Load(column += stride, left);
            sum += Lanes.Load(column += stride, left);
            sum += Lanes.Load(column + stride, left);
        }

        Lanes.Store(sum, sums, left);
    }

    private readonly struct SegmentJob(float* matrix, long rows, int columns, float* partials) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            long start = (long)index * SegmentRows;
            long count = Math.Min(SegmentRows, rows - start);
            Sum(matrix + (start * columns), columns, count, columns, partials + ((long)index * columns), accumulate: false);
        }
    }

    private readonly struct StripeJob(float* partials, int segments, int columns, float* sums, bool accumulate) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            int start = index * Stripe;
            Sum(partials + start, columns, segments, Math.Min(Stripe, columns - start), sums + start, accumulate);
        }
    }
}
