using System.Numerics;
using System.Runtime.InteropServices;

namespace Sprint.Model.Data;

/// <summary>
/// Scales an image so that its short side has a given length and cuts a square from the middle. The filter is a cubic (Keys, a = -0.5),
/// widened by the scale where the image shrinks, so that every source pixel counts and nothing aliases.
/// </summary>
internal static class ImageResampler
{
    /// <summary>The weights with which source pixels make up one target pixel.</summary>
    private readonly record struct Window(int First, float[] Weights);

    /// <param name="source">Row-major, <paramref name="channels"/> bytes for each pixel with <paramref name="stride"/> bytes between pixels.</param>
    /// <param name="width">Width of the source.</param>
    /// <param name="height">Height of the source.</param>
    /// <param name="stride">Bytes from one pixel to the next.</param>
    /// <param name="channels">Channels to take of each pixel.</param>
    /// <param name="size">Side of the square result.</param>
    /// <returns>Shape (channels, size, size).</returns>
    public static byte[] ResizeAndCrop(ReadOnlySpan<byte> source, int width, int height, int stride, int channels, int size)
    {
        double scale = (double)Math.Min(width, height) / size;
        Window[] across = Windows(width, size, scale);
        Window[] down = Windows(height, size, scale);
        int left = across[0].First;
        int span = across[^1].First + across[^1].Weights.Length - left;

        // First downwards: whole rows are added up, which runs over neighbours in memory; then across, over far fewer rows.
        float[] shortened = new float[size * channels * span];
        float[] line = new float[channels * span];
        int firstTarget = 0;
        for (int row = down[0].First; row < down[^1].First + down[^1].Weights.Length; row++)
        {
            ReadOnlySpan<byte> pixels = source.Slice(checked(((row * width) + left) * stride), span * stride);
            for (int channel = 0; channel < channels; channel++)
            {
                for (int x = 0; x < span; x++)
                    line[(channel * span) + x] = pixels[(x * stride) + channel];
            }

            while (down[firstTarget].First + down[firstTarget].Weights.Length <= row)
                firstTarget++;
            for (int target = firstTarget; target < size && down[target].First <= row; target++)
                AddScaled(line, down[target].Weights[row - down[target].First], shortened.AsSpan(target * line.Length, line.Length));
        }

        byte[] result = new byte[channels * size * size];
        for (int plane = 0; plane < size * channels; plane++)
        {
            ReadOnlySpan<float> values = shortened.AsSpan(plane * span, span);
            Span<byte> target = result.AsSpan(((plane % channels * size) + (plane / channels)) * size, size);
            for (int x = 0; x < size; x++)
            {
                ReadOnlySpan<float> weights = across[x].Weights;
                ReadOnlySpan<float> taps = values.Slice(across[x].First - left, weights.Length);
                float sum = 0;
                for (int tap = 0; tap < weights.Length; tap++)
                    sum += weights[tap] * taps[tap];
                target[x] = (byte)Math.Clamp(MathF.Round(sum), 0, 255);
            }
        }

        return result;
    }

    /// <summary>sums += factor * values; each element by itself, so that the bits are the same for any vector width.</summary>
    private static void AddScaled(ReadOnlySpan<float> values, float factor, Span<float> sums)
    {
        ReadOnlySpan<Vector<float>> wideValues = MemoryMarshal.Cast<float, Vector<float>>(values);
        Span<Vector<float>> wideSums = MemoryMarshal.Cast<float, Vector<float>>(sums);
        for (int index = 0; index < wideSums.Length; index++)
            wideSums[index] += wideValues[index] * factor;
        for (int index = wideSums.Length * Vector<float>.Count; index < sums.Length; index++)
            sums[index] += values[index] * factor;
    }

    private static Window[] Windows(int length, int size, double scale)
    {
        Window[] windows = new Window[size];
        double reach = 2 * Math.Max(1, scale);
        double start = (length - (size * scale)) / 2;
        for (int target = 0; target < size; target++)
        {
            double centre = start + ((target + 0.5) * scale);
            int first = Math.Max(0, (int)Math.Floor(centre - reach + 0.5));
            int last = Math.Min(length - 1, (int)Math.Ceiling(centre + reach - 0.5));
            double[] weights = new double[last - first + 1];
            for (int tap = 0; tap < weights.Length; tap++)
                weights[tap] = Cubic((first + tap + 0.5 - centre) / Math.Max(1, scale));
            double sum = weights.Sum();
            windows[target] = new Window(first, Array.ConvertAll(weights, weight => (float)(weight / sum)));
        }

        return windows;
    }

    private static double Cubic(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? (((1.5 * x) - 2.5) * x * x) + 1 : x < 2 ? (((((-0.5 * x) + 2.5) * x) - 4) * x) + 2 : 0;
    }
}
