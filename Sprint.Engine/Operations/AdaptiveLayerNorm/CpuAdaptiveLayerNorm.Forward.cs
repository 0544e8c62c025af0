using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <content>The forward pass.</content>
internal sealed unsafe partial class CpuAdaptiveLayerNorm
{
    private readonly struct ForwardJob(
        CpuSegments segments, float* input, float* modulation, int modulationRow, int shift, int scale, float* output, float* statistics)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            int width = segments.Width;
            (int sample, long first, long end) = segments.Range(index);
            float* shifts = modulation + ((long)sample * modulationRow) + shift;
            float* scales = modulation + ((long)sample * modulationRow) + scale;
            long row = first;
            for (; width % Lanes.Count == 0 && row + 4 <= end; row += 4)
            {
                Rows<TileNumber4>(input + (row * width), width, shifts, scales, output + (row * width), StatisticsOf(row));
            }

            for (; row < end; row++)
            {
                Rows<TileNumber1>(input + (row * width), width, shifts, scales, output + (row * width), StatisticsOf(row));
            }
        }

        private float* StatisticsOf(long row) => statistics == null ? null : statistics + (2 * row);
    }

    /// <summary>Four rows of a width that is a multiple of the vector's, or one row of any width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows<TRows>(float* x, int width, float* shifts, float* scales, float* y, float* statistics)
        where TRows : struct, ITileNumber
    {
        bool four = TRows.Value == 4;
        float* x1 = x + width;
        float* x2 = x1 + width;
        float* x3 = x2 + width;
        Vector512<float> mean0 = default, mean1 = default, mean2 = default, mean3 = default;
        for (int i = 0; i < width; i += Lanes.Count)
        {
            mean0 += Lanes.Load(x + i, four ? Lanes.Count : width - i);
            if (four)
            {
                VectorMemory.PrefetchRows(x3 + width + i, width);
                mean1 += Vector512.Load(x1 + i);
                mean2 += Vector512.Load(x2 + i);
                mean3 += Vector512.Load(x3 + i);
            }
        }

        mean0 = Mean(mean0, width);
        mean1 = Mean(mean1, width);
        mean2 = Mean(mean2, width);
        mean3 = Mean(mean3, width);

        // The mean square distance from the mean: no cancellation.
        Vector512<float> scatter0 = default, scatter1 = default, scatter2 = default, scatter3 = default;
        for (int i = 0; i < width; i += Lanes.Count)
        {
            int left = four ? Lanes.Count : width - i;
            if (four)
            {
                VectorMemory.PrefetchRows(y + i, width);
            }

            scatter0 = AddSquare(Lanes.Clip(Lanes.Load(x + i, left) - mean0, left), scatter0);
            if (four)
            {
                scatter1 = AddSquare(Vector512.Load(x1 + i) - mean1, scatter1);
                scatter2 = AddSquare(Vector512.Load(x2 + i) - mean2, scatter2);
                scatter3 = AddSquare(Vector512.Load(x3 + i) - mean3, scatter3);
            }
        }

        scatter0 = Reciprocal(scatter0, width);
        Remember(statistics, 0, mean0, scatter0);
        if (four)
        {
            scatter1 = Reciprocal(scatter1, width);
            scatter2 = Reciprocal(scatter2, width);
            scatter3 = Reciprocal(scatter3, width);
            Remember(statistics, 1, mean1, scatter1);
            Remember(statistics, 2, mean2, scatter2);
            Remember(statistics, 3, mean3, scatter3);
        }

        for (int i = 0; i < width; i += Lanes.Count)
        {
            int left = four ? Lanes.Count : width - i;
            Vector512<float> factor = Vector512<float>.One + Lanes.Load(scales + i, left);
            Vector512<float> addend = Lanes.Load(shifts + i, left);
            Lanes.Store(Vector512.FusedMultiplyAdd((Lanes.Load(x + i, left) - mean0) * scatter0, factor, addend), y + i, left);
            if (four)
            {
                float* place = y + i;
                Vector512.FusedMultiplyAdd((Vector512.Load(x1 + i) - mean1) * scatter1, factor, addend).Store(place + width);
                Vector512.FusedMultiplyAdd((Vector512.Load(x2 + i) - mean2) * scatter2, factor, addend).Store(place + (2 * width));
                Vector512.FusedMultiplyAdd((Vector512.Load(x3 + i) - mean3) * scatter3, factor, addend).Store(place + (3 * width));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddSquare(Vector512<float> distance, Vector512<float> sum) => Vector512.FusedMultiplyAdd(distance, distance, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mean(Vector512<float> sum, int width) => Vector512.Create(Lanes.Sum(sum) / width);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Reciprocal(Vector512<float> squares, int width) =>
        Vector512.Create(1f / MathF.Sqrt((Lanes.Sum(squares) / width) + AdaptiveLayerNorm.Epsilon));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Remember(float* statistics, int row, Vector512<float> mean, Vector512<float> reciprocal)
    {
        if (statistics != null)
        {
            statistics[2 * row] = mean.ToScalar();
            statistics[(2 * row) + 1] = reciprocal.ToScalar();
        }
    }
}
