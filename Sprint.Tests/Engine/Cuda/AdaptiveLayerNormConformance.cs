using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>The kernels of kernels/adaptive_layer_norm.cu in float32 against float64.</summary>
public abstract class AdaptiveLayerNormConformance : DeviceConformance
{
    private const float Epsilon = 1e-6f;
    private const int Batch = 2;
    private const int Chunks = 3;
    private const double Tolerance = 2e-6;

    [Test]
    public void ForwardAndBackwardAreThoseOfTheFormula([Values(1, 36, 50, 600, 1152)] int width, [Values(1, 5)] int tokens, [Values] bool accumulate)
    {
        const int ShiftChunk = 2, ScaleChunk = 0;
        int rows = Batch * tokens;
        int stride = Chunks * width;
        float[] x = Numbers(1, rows * width), modulation = Numbers(2, Batch * stride), dy = Numbers(3, rows * width);
        float[] before = Numbers(4, rows * width), modulationBefore = Numbers(5, Batch * stride);
        int threads = Blocks(width, 40 * 32) * 32;

        using CudaModule module = Load(KernelCatalog.AdaptiveLayerNorm(KernelCatalog.FloatElement));
        using CudaDeviceVariable<float> input = Upload(x);
        using CudaDeviceVariable<float> scales = Upload(modulation);
        using CudaDeviceVariable<float> gradient = Upload(dy);
        using CudaDeviceVariable<float> output = Output<float>(rows * width);
        using CudaDeviceVariable<float> statistics = Output<float>(rows * 2);
        using CudaDeviceVariable<float> inputGradient = Output<float>(rows * width);
        using CudaDeviceVariable<float> modulationGradient = Output<float>(Batch * stride);
        using CudaDeviceVariable<float> partial = Output<float>(Batch * 2 * 2 * width);
        if (accumulate)
        {
            inputGradient.CopyToDevice(before);
        }

        modulationGradient.CopyToDevice(modulationBefore);
        int rowsPerBlock = Math.Max(1, 64 / threads);
        module.GetKernel("adaptive_layer_norm_forward").Launch(
            Stream,
            Blocks(rows, rowsPerBlock),
            (threads, rowsPerBlock),
            new KernelArguments { input, scales, output, statistics, (long)rows, tokens, width, (long)stride, ShiftChunk * width, ScaleChunk * width, Epsilon });
        module.GetKernel("adaptive_layer_norm_backward").Launch(
            Stream,
            (2, Batch),
            Blocks(width, 8 * 32) * 32,
            new KernelArguments { gradient, input, scales, statistics, inputGradient, partial, tokens, width, (long)stride, ScaleChunk * width, accumulate ? 1 : 0 });
        module.GetKernel("adaptive_layer_norm_backward_modulation").Launch(
            Stream,
            (Blocks(width, 64), Batch, 2),
            64,
            new KernelArguments { partial, modulationGradient, 2, width, (long)stride, ShiftChunk * width, ScaleChunk * width });

        double[] y = new double[x.Length], dx = new double[x.Length], expectedStatistics = new double[rows * 2];
        double[] dModulation = [.. modulationBefore.Select(static value => (double)value)];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> own = x.AsSpan(row * width, width);
            double mean = 0, variance = 0, sum = 0, product = 0;
            foreach (float value in own)
            {
                mean += value / (double)width;
            }

            foreach (float value in own)
            {
                variance += (value - mean) * (value - mean) / width;
            }

            double rstd = 1 / Math.Sqrt(variance + Epsilon);
            (expectedStatistics[row * 2], expectedStatistics[(row * 2) + 1]) = (mean, rstd);
            int shift = (row / tokens * stride) + (ShiftChunk * width), scale = (row / tokens * stride) + (ScaleChunk * width);
            double Normalized(int column) => (x[(row * width) + column] - mean) * rstd;
            double Upstream(int column) => dy[(row * width) + column] * (1.0 + modulation[scale + column]);
            for (int column = 0; column < width; column++)
            {
                y[(row * width) + column] = (Normalized(column) * (1.0 + modulation[scale + column])) + modulation[shift + column];
                sum += Upstream(column) / width;
                product += Upstream(column) * Normalized(column) / width;
                dModulation[shift + column] += dy[(row * width) + column];
                dModulation[scale + column] += dy[(row * width) + column] * Normalized(column);
            }

            for (int column = 0; column < width; column++)
            {
                dx[(row * width) + column] = (accumulate ? before[(row * width) + column] : 0) + (rstd * (Upstream(column) - sum - (Normalized(column) * product)));
            }
        }

        Compare(Download(output), y, "output");
        Compare(Download(statistics), expectedStatistics, "statistics");
        Compare(Download(inputGradient), dx, "gradient of the input");
        Compare(Download(modulationGradient), dModulation, "gradient of the modulation");
        Download(partial);
    }

    // A row of one element has variance 0, so that rstd is 1000 and rounding counts relative to it.
    private static void Compare(float[] actual, double[] expected, string what)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]) / (1 + Math.Abs(expected[i]));
            if (!(error <= Tolerance))
            {
                Assert.Fail($"{what} {i}: {actual[i]} instead of {expected[i]}, relative error {error}");
            }
        }
    }
}
