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
        int firstRow = down[0].First;
        int rows = down[^1].First + down[^1].Weights.Length - firstRow;
        float[] narrowed = new float[rows * size * channels];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<byte> line = source.Slice((int)((long)(firstRow + row) * width * stride), width * stride);
            for (int x = 0; x < size; x++)
            {
                Window window = across[x];
                for (int channel = 0; channel < channels; channel++)
                {
                    float sum = 0;
                    for (int tap = 0; tap < window.Weights.Length; tap++)
                        sum += window.Weights[tap] * line[((window.First + tap) * stride) + channel];
                    narrowed[(((row * size) + x) * channels) + channel] = sum;
                }
            }
        }

        byte[] result = new byte[channels * size * size];
        for (int y = 0; y < size; y++)
        {
            Window window = down[y];
            for (int x = 0; x < size * channels; x++)
            {
                float sum = 0;
                for (int tap = 0; tap < window.Weights.Length; tap++)
                    sum += window.Weights[tap] * narrowed[((window.First - firstRow + tap) * size * channels) + x];
                result[(x % channels * size * size) + (y * size) + (x / channels)] = (byte)Math.Clamp(MathF.Round(sum), 0, 255);
            }
        }

        return result;
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
