using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>Transposes a matrix on all cores.</summary>
internal static unsafe class MatrixTransposition
{
    // A strip of 16 rows of the target is 16 columns of the source: one cache line of each of its rows.
    private const int Strip = 16;

    /// <summary><c>target (+)= source^T</c>.</summary>
    /// <param name="pool">The threads.</param>
    /// <param name="source">(<paramref name="rows"/>, <paramref name="columns"/>), row-major.</param>
    /// <param name="rows">Rows of the source.</param>
    /// <param name="columns">Columns of the source.</param>
    /// <param name="target">(<paramref name="columns"/>, <paramref name="rows"/>), row-major.</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    public static void Run(WorkerPool pool, float* source, int rows, int columns, float* target, bool accumulate)
    {
        var job = new Job(source, rows, columns, target, accumulate);
        pool.Run(ref job, (columns + Strip - 1) / Strip);
    }

    private readonly struct Job(float* source, int rows, int columns, float* target, bool accumulate) : IWorkerJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int index, int worker)
        {
            int end = Math.Min(columns, (index + 1) * Strip);
            int row = 0;
            for (; row + 4 <= rows; row += 4)
            {
                int column = index * Strip;
                for (; column + 4 <= end; column += 4)
                    Block(row, column);
                for (; column < end; column++)
                    Elements(row, row + 4, column);
            }

            for (int column = index * Strip; column < end; column++)
                Elements(row, rows, column);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Block(int row, int column)
        {
            float* from = source + ((long)row * columns) + column;
            float* to = target + ((long)column * rows) + row;
            (Vector128<float> row0, Vector128<float> row1, Vector128<float> row2, Vector128<float> row3) = VectorTransposition.Transpose4(
                Vector128.Load(from), Vector128.Load(from + columns), Vector128.Load(from + (2L * columns)), Vector128.Load(from + (3L * columns)));
            Write(row0, to);
            Write(row1, to + rows);
            Write(row2, to + (2L * rows));
            Write(row3, to + (3L * rows));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Write(Vector128<float> value, float* place) => (accumulate ? Vector128.Load(place) + value : value).Store(place);

        private void Elements(int row, int endRow, int column)
        {
            for (; row < endRow; row++)
            {
                float* place = target + ((long)column * rows) + row;
                float value = source[((long)row * columns) + column];
                *place = accumulate ? *place + value : value;
            }
        }
    }
}
