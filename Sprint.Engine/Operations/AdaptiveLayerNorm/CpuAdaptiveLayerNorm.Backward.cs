using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <content>The backward pass.</content>
internal sealed unsafe partial class CpuAdaptiveLayerNorm
{
    private readonly struct BackwardJob(
        CpuSegments segments,
        float* gradient,
        float* input,
        float* modulation,
        int modulationRow,
        int scale,
        float* statistics,
        float* inputGradient,
        bool accumulate,
        float* partials)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            int width = segments.Width;
            (int sample, long first, long end) = segments.Range(index);
            float* scales = modulation + ((long)sample * modulationRow) + scale;
            float* shiftSum = partials + (2L * index * width);
            new Span<float>(shiftSum, 2 * width).Clear();
            long row = first;
            for (; width % Lanes.Count == 0 && row + 4 <= end; row += 4)
            {
                Run<TileNumber4>(row, scales, shiftSum);
            }

            for (; row < end; row++)
            {
                Run<TileNumber1>(row, scales, shiftSum);
            }
        }

        private void Run<TRows>(long row, float* scales, float* sums)
            where TRows : struct, ITileNumber
        {
            int width = segments.Width;
            var block = new GradientRows(gradient + (row * width), input + (row * width), width, scales, statistics + (2 * row));
            float* dx = inputGradient == null ? null : inputGradient + (row * width);
            block.Sum<TRows>(sums, sums + width, dx, out GradientMeans means);
            if (dx != null)
            {
                block.Input<TRows>(means, dx, accumulate);
            }
        }
    }

    /// <summary>For four rows: the means of g and of g times the normalised row, in all lanes; g is the gradient times 1 + scale.</summary>
    private struct GradientMeans
    {
        internal Vector512<float> Sum0, Sum1, Sum2, Sum3;
        internal Vector512<float> Product0, Product1, Product2, Product3;
    }

    /// <summary>Four rows of a width that is a multiple of the vector's, or one row of any width.</summary>
    private readonly struct GradientRows(float* gradient, float* input, int width, float* scales, float* statistics)
    {
        /// <summary>
        /// Adds to the sums for shift and scale, row after row, and takes the means along each row. <paramref name="dx"/> is only fetched.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal void Sum<TRows>(float* shiftSum, float* scaleSum, float* dx, out GradientMeans means)
            where TRows : struct, ITileNumber
        {
            bool four = TRows.Value == 4;
            int length = width;
            float* dy = gradient;
            float* x = input;
            float* scale = scales;
            float* dy1 = dy + length;
            float* x1 = x + length;
            float* dy2 = dy1 + length;
            float* x2 = x1 + length;
            float* dy3 = dy2 + length;
            float* x3 = x2 + length;
            (Vector512<float> mean0, Vector512<float> r0) = Moments(0);
            (Vector512<float> mean1, Vector512<float> r1) = four ? Moments(1) : default;
            (Vector512<float> mean2, Vector512<float> r2) = four ? Moments(2) : default;
            (Vector512<float> mean3, Vector512<float> r3) = four ? Moments(3) : default;
            Vector512<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            Vector512<float> product0 = default, product1 = default, product2 = default, product3 = default;
            for (int i = 0; i < length; i += Lanes.Count)
            {
                int left = four ? Lanes.Count : length - i;
                Vector512<float> factor = Vector512<float>.One + Lanes.Load(scale + i, left);
                Vector512<float> shifts = Lanes.Load(shiftSum + i, left);
                Vector512<float> products = Lanes.Load(scaleSum + i, left);
                Add(Lanes.Load(dy + i, left), (Lanes.Load(x + i, left) - mean0) * r0, factor, ref shifts, ref products, ref sum0, ref product0);
                if (four)
                {
                    // The next four rows, and where the second pass over these will write.
                    VectorMemory.PrefetchRows(dy3 + length + i, length);
                    VectorMemory.PrefetchRows(x3 + length + i, length);
                    if (dx != null)
                    {
                        VectorMemory.PrefetchRows(dx + i, length);
                    }

                    Add(Vector512.Load(dy1 + i), (Vector512.Load(x1 + i) - mean1) * r1, factor, ref shifts, ref products, ref sum1, ref product1);
                    Add(Vector512.Load(dy2 + i), (Vector512.Load(x2 + i) - mean2) * r2, factor, ref shifts, ref products, ref sum2, ref product2);
                    Add(Vector512.Load(dy3 + i), (Vector512.Load(x3 + i) - mean3) * r3, factor, ref shifts, ref products, ref sum3, ref product3);
                }

                Lanes.Store(shifts, shiftSum + i, left);
                Lanes.Store(products, scaleSum + i, left);
            }

            means.Sum0 = Mean(sum0, length);
            means.Sum1 = Mean(sum1, length);
            means.Sum2 = Mean(sum2, length);
            means.Sum3 = Mean(sum3, length);
            means.Product0 = Mean(product0, length);
            means.Product1 = Mean(product1, length);
            means.Product2 = Mean(product2, length);
            means.Product3 = Mean(product3, length);
        }

        /// <summary><c>dx = r (g - mean(g) - xhat mean(g xhat))</c>.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal void Input<TRows>(in GradientMeans means, float* dx, bool accumulate)
            where TRows : struct, ITileNumber
        {
            bool four = TRows.Value == 4;
            int length = width;
            float* dy = gradient;
            float* x = input;
            float* scale = scales;
            float* dy1 = dy + length;
            float* x1 = x + length;
            float* dx1 = dx + length;
            float* dy2 = dy1 + length;
            float* x2 = x1 + length;
            float* dx2 = dx1 + length;
            float* dy3 = dy2 + length;
            float* x3 = x2 + length;
            float* dx3 = dx2 + length;
            (Vector512<float> mean0, Vector512<float> r0) = Moments(0);
            (Vector512<float> mean1, Vector512<float> r1) = four ? Moments(1) : default;
            (Vector512<float> mean2, Vector512<float> r2) = four ? Moments(2) : default;
            (Vector512<float> mean3, Vector512<float> r3) = four ? Moments(3) : default;
            GradientMeans m = means;
            for (int i = 0; i < length; i += Lanes.Count)
            {
                int left = four ? Lanes.Count : length - i;
                Vector512<float> factor = Vector512<float>.One + Lanes.Load(scale + i, left);
                Vector512<float> result = Row(Lanes.Load(dy + i, left) * factor, Lanes.Load(x + i, left), mean0, r0, m.Sum0, m.Product0);
                Lanes.Contribute(result, dx + i, left, accumulate);
                if (four)
                {
                    result = Row(Vector512.Load(dy1 + i) * factor, Vector512.Load(x1 + i), mean1, r1, m.Sum1, m.Product1);
                    Lanes.Contribute(result, dx1 + i, Lanes.Count, accumulate);
                    result = Row(Vector512.Load(dy2 + i) * factor, Vector512.Load(x2 + i), mean2, r2, m.Sum2, m.Product2);
                    Lanes.Contribute(result, dx2 + i, Lanes.Count, accumulate);
                    result = Row(Vector512.Load(dy3 + i) * factor, Vector512.Load(x3 + i), mean3, r3, m.Sum3, m.Product3);
                    Lanes.Contribute(result, dx3 + i, Lanes.Count, accumulate);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private (Vector512<float> Mean, Vector512<float> Reciprocal) Moments(int row) =>
            (Vector512.Create(statistics[2 * row]), Vector512.Create(statistics[(2 * row) + 1]));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add(
            Vector512<float> upstream,
            Vector512<float> normalised,
            Vector512<float> factor,
            ref Vector512<float> shifts,
            ref Vector512<float> products,
            ref Vector512<float> sum,
            ref Vector512<float> product)
        {
            Vector512<float> scaled = upstream * factor;
            sum += scaled;
            product = Vector512.FusedMultiplyAdd(scaled, normalised, product);
            shifts += upstream;
            products = Vector512.FusedMultiplyAdd(upstream, normalised, products);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Row(
            Vector512<float> scaled, Vector512<float> x, Vector512<float> mean, Vector512<float> reciprocal, Vector512<float> sum, Vector512<float> product)
        {
            Vector512<float> normalised = (x - mean) * reciprocal;
            return reciprocal * (scaled - sum - (normalised * product));
        }
    }
}
