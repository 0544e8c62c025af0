using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>What operations compute, in float64 and as plainly as it can be written.</summary>
internal static class References
{
    internal static double[] Linear(double[] x, double[] weight, double[]? bias, int inputs, Activation activation = Activation.None)
    {
        int outputs = weight.Length / inputs, rows = x.Length / inputs;
        var y = new double[rows * outputs];
        for (int row = 0; row < rows; row++)
        {
            for (int output = 0; output < outputs; output++)
            {
                double sum = bias?[output] ?? 0;
                for (int i = 0; i < inputs; i++)
                    sum += x[(row * inputs) + i] * weight[(output * inputs) + i];
                y[(row * outputs) + output] = activation switch
                {
                    Activation.Gelu => Gelu(sum),
                    Activation.Silu => Silu(sum),
                    _ => sum,
                };
            }
        }

        return y;
    }

    internal static double[] SwiGlu(double[] x, double[] gateWeight, double[]? gateBias, double[] weight, double[]? bias, double[] outputWeight, double[]? outputBias, int inputs)
    {
        double[] gate = Linear(x, gateWeight, gateBias, inputs, Activation.Silu);
        double[] product = [.. gate.Zip(Linear(x, weight, bias, inputs), static (g, value) => g * value)];
        return Linear(product, outputWeight, outputBias, weight.Length / inputs);
    }

    internal static double Silu(double x) => x / (1 + Math.Exp(-x));

    internal static double Gelu(double x) => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    internal static double Derivative(Func<double, double> function, double x) => (function(x + 1e-5) - function(x - 1e-5)) / 2e-5;

    /// <summary>Layer norm of rows of a (batch, tokens, width), modulated by two chunks of each sample's row.</summary>
    internal static double[] AdaptiveLayerNorm(double[] x, double[] modulation, int batch, int width, int shiftChunk, int scaleChunk)
    {
        var y = new double[x.Length];
        int rows = x.Length / width, row = modulation.Length / batch;
        for (int r = 0; r < rows; r++)
        {
            ReadOnlySpan<double> values = x.AsSpan(r * width, width);
            double mean = 0, variance = 0;
            foreach (double value in values)
                mean += value / width;
            foreach (double value in values)
                variance += (value - mean) * (value - mean) / width;
            int sample = r / (rows / batch);
            for (int i = 0; i < width; i++)
            {
                double scale = modulation[(sample * row) + (scaleChunk * width) + i], shift = modulation[(sample * row) + (shiftChunk * width) + i];
                y[(r * width) + i] = ((values[i] - mean) / Math.Sqrt(variance + 1e-6) * (1 + scale)) + shift;
            }
        }

        return y;
    }

    internal static double[] GatedResidual(double[] x, double[] branch, double[] modulation, int batch, int width, int gateChunk)
    {
        var y = new double[x.Length];
        int perSample = x.Length / batch, row = modulation.Length / batch;
        for (int i = 0; i < y.Length; i++)
            y[i] = x[i] + (modulation[(i / perSample * row) + (gateChunk * width) + (i % width)] * branch[i]);
        return y;
    }

    /// <summary>Rows of (rows, width) by number; the fill where the number is -1.</summary>
    internal static double[] Rows(double[] from, int[] rows, double[] fill, int width)
    {
        var y = new double[rows.Length * width];
        for (int i = 0; i < rows.Length; i++)
            (rows[i] < 0 ? fill.AsSpan(0, width) : from.AsSpan(rows[i] * width, width)).CopyTo(y.AsSpan(i * width));
        return y;
    }

    /// <summary>The linear layer over the concatenated padded sparse path and dense path, as published.</summary>
    internal static double[] Fusion(double[] dense, double[] sparse, int[] rows, double[] maskToken, double[] weight, double[] bias, int width)
    {
        double[] full = Rows(sparse, rows, maskToken, width);
        var joined = new double[2 * dense.Length];
        for (int row = 0; row < rows.Length; row++)
        {
            full.AsSpan(row * width, width).CopyTo(joined.AsSpan(2 * row * width));
            dense.AsSpan(row * width, width).CopyTo(joined.AsSpan(((2 * row) + 1) * width));
        }

        return Linear(joined, weight, bias, 2 * width);
    }
}
