using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="AdaptiveLayerNorm"/> on the CPU: a row stays in the first-level cache for its two sums and its result. Sums over
/// tokens go to one partial row per segment of <see cref="CpuSegments.Rows"/> tokens, then over segments in order.
/// </summary>
internal sealed unsafe class CpuAdaptiveLayerNorm(CpuDevice device) : IAdaptiveLayerNormKernels
{
    public void Forward(Tensor input, Tensor modulation, int shiftChunk, int scaleChunk, Tensor output, Tensor statistics)
    {
        var segments = new CpuSegments(input.Shape);
        var job = new ForwardJob(
            segments,
            (float*)input.Address,
            (float*)modulation.Address,
            modulation.Shape[1],
            shiftChunk * segments.Width,
            scaleChunk * segments.Width,
            (float*)output.Address,
            statistics.IsEmpty ? null : (float*)statistics.Address);
        device.Pool.Run(ref job, segments.Count);
    }

    public void Backward(
        Tensor gradient,
        Tensor input,
        Tensor modulation,
        int shiftChunk,
        int scaleChunk,
        Tensor statistics,
        Tensor inputGradient,
        bool accumulate,
        Tensor modulationGradient)
    {
        var segments = new CpuSegments(input.Shape);
        using Tensor partials = device.Workspace(new Shape(segments.Count, 2, segments.Width));
        var job = new BackwardJob(
            segments,
            (float*)gradient.Address,
            (float*)input.Address,
            (float*)modulation.Address,
            modulation.Shape[1],
            scaleChunk * segments.Width,
            (float*)statistics.Address,
            inputGradient.IsEmpty ? null : (float*)inputGradient.Address,
            accumulate,
            (float*)partials.Address);
        device.Pool.Run(ref job, segments.Count);
        if (!modulationGradient.IsEmpty)
        {
            segments.SumPartials(device, partials, 0, modulationGradient, shiftChunk);
            segments.SumPartials(device, partials, 1, modulationGradient, scaleChunk);
        }
    }

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
            for (long row = first; row < end; row++)
            {
                float* x = input + (row * width);
                float* y = output + (row * width);
                (float mean, float reciprocal) = Statistics(x, width);
                Vector512<float> means = Vector512.Create(mean);
                Vector512<float> reciprocals = Vector512.Create(reciprocal);
                for (int i = 0; i < width; i += Lanes.Count)
                {
                    int left = width - i;
                    Vector512<float> normalised = (Lanes.Load(x + i, left) - means) * reciprocals;
                    Vector512<float> result = Vector512.FusedMultiplyAdd(
                        normalised, Vector512<float>.One + Lanes.Load(scales + i, left), Lanes.Load(shifts + i, left));
                    Lanes.Store(result, y + i, left);
                }

                if (statistics != null)
                {
                    statistics[2 * row] = mean;
                    statistics[(2 * row) + 1] = reciprocal;
                }
            }
        }

        /// <summary>Mean, then the mean square distance from it: no cancellation.</summary>
        private static (float Mean, float Reciprocal) Statistics(float* x, int width)
        {
            Vector512<float> sum = default;
            for (int i = 0; i < width; i += Lanes.Count)
            {
                sum += Lanes.Load(x + i, width - i);
            }

            float mean = Lanes.Sum(sum) / width;
            Vector512<float> means = Vector512.Create(mean);
            Vector512<float> squares = default;
            for (int i = 0; i < width; i += Lanes.Count)
            {
                Vector512<float> distance = Lanes.Clip(Lanes.Load(x + i, width - i) - means, width - i);
                squares = Vector512.FusedMultiplyAdd(distance, distance, squares);
            }

            return (mean, 1f / MathF.Sqrt((Lanes.Sum(squares) / width) + AdaptiveLayerNorm.Epsilon));
        }
    }

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
            float* scaleSum = shiftSum + width;
            new Span<float>(shiftSum, 2 * width).Clear();
            for (long row = first; row < end; row++)
            {
                float* dy = gradient + (row * width);
                float* x = input + (row * width);
                Vector512<float> means = Vector512.Create(statistics[2 * row]);
                Vector512<float> reciprocals = Vector512.Create(statistics[(2 * row) + 1]);
                Vector512<float> sum = default;
                Vector512<float> product = default;
                for (int i = 0; i < width; i += Lanes.Count)
                {
                    int left = width - i;
                    Vector512<float> upstream = Lanes.Load(dy + i, left);
                    Vector512<float> normalised = (Lanes.Load(x + i, left) - means) * reciprocals;
                    Vector512<float> scaled = upstream * (Vector512<float>.One + Lanes.Load(scales + i, left));
                    sum += scaled;
                    product = Vector512.FusedMultiplyAdd(scaled, normalised, product);
                    Lanes.Store(Lanes.Load(shiftSum + i, left) + upstream, shiftSum + i, left);
                    Lanes.Store(Vector512.FusedMultiplyAdd(upstream, normalised, Lanes.Load(scaleSum + i, left)), scaleSum + i, left);
                }

                if (inputGradient != null)
                {
                    Input(row, dy, x, scales, means, reciprocals, Lanes.Sum(sum) / width, Lanes.Sum(product) / width);
                }
            }
        }

        /// <summary><c>dx = r (g - mean(g) - xhat mean(g xhat))</c>, g the gradient times 1 + scale.</summary>
        private void Input(
            long row, float* dy, float* x, float* scales, Vector512<float> means, Vector512<float> reciprocals, float sum, float product)
        {
            int width = segments.Width;
            float* dx = inputGradient + (row * width);
            Vector512<float> sums = Vector512.Create(sum);
            Vector512<float> products = Vector512.Create(product);
            for (int i = 0; i < width; i += Lanes.Count)
            {
                int left = width - i;
                Vector512<float> normalised = (Lanes.Load(x + i, left) - means) * reciprocals;
                Vector512<float> scaled = Lanes.Load(dy + i, left) * (Vector512<float>.One + Lanes.Load(scales + i, left));
                Vector512<float> result = reciprocals * (scaled - sums - (normalised * products));
                Lanes.Contribute(result, dx + i, left, accumulate);
            }
        }
    }
}
