namespace Sprint.Engine.Cpu;

/// <summary>
/// Sums the rows of a matrix: segments of a fixed number of rows to partial rows, then these in order, so that the bits do not
/// depend on the number of threads.
/// </summary>
internal static unsafe class ColumnSums
{
    private const int SegmentRows = 64;

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

    private static void Sum(float* matrix, int stride, long rows, int columns, float* sums, bool accumulate)
    {
        for (int i = 0; i < columns; i += Lanes.Count)
        {
            int left = columns - i;
            var sum = accumulate ? Lanes.Load(sums + i, left) : default;
            float* column = matrix + i;
            for (long row = 0; row < rows; row++, column += stride)
            {
                sum += Lanes.Load(column, left);
            }

            Lanes.Store(sum, sums + i, left);
        }
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
