namespace Sprint.Engine.Cpu;

/// <summary>
/// Cuts (batch, tokens, width) into segments of at most <see cref="Rows"/> tokens of one sample: the pieces of work of row-wise
/// operations, and the unit of their partial sums over tokens. The cut depends on the shape alone, so sums are the same bits
/// for any number of threads.
/// </summary>
internal readonly unsafe struct CpuSegments
{
    /// <summary>The most tokens in a segment.</summary>
    internal const int Rows = 32;

    private readonly int tokens;
    private readonly int perSample;

    internal CpuSegments(Shape shape)
    {
        Batch = shape[0];
        tokens = shape[1];
        Width = shape[2];
        perSample = (tokens + Rows - 1) / Rows;
    }

    internal int Batch { get; }

    internal int Width { get; }

    internal int Count => Batch * perSample;

    internal (int Sample, long First, long End) Range(int index)
    {
        int sample = index / perSample;
        int first = index % perSample * Rows;
        long start = (long)sample * tokens;
        return (sample, start + first, start + Math.Min(first + Rows, tokens));
    }

    /// <summary>Adds the segments' partial rows, in order, to one chunk of each sample's row.</summary>
    /// <param name="device">Where.</param>
    /// <param name="partials">(segments, kinds, width).</param>
    /// <param name="kind">Which of the kinds of partial sums.</param>
    /// <param name="destination">(batch, chunks * width), added to.</param>
    /// <param name="chunk">Which chunk of the destination.</param>
    internal void SumPartials(CpuDevice device, Tensor partials, int kind, Tensor destination, int chunk)
    {
        int kinds = partials.Shape[1];
        var job = new SumJob(
            perSample,
            Width,
            (float*)partials.Address + ((long)kind * Width),
            (long)kinds * Width,
            (float*)destination.Address + ((long)chunk * Width),
            destination.Shape[1]);
        device.Pool.Run(ref job, Batch);
    }

    private readonly struct SumJob(int perSample, int width, float* partials, long stride, float* destination, int row) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            float* sum = destination + ((long)index * row);
            for (int segment = 0; segment < perSample; segment++)
            {
                float* partial = partials + ((((long)index * perSample) + segment) * stride);
                for (int i = 0; i < width; i += Lanes.Count)
                {
                    Lanes.Contribute(Lanes.Load(partial + i, width - i), sum + i, width - i, accumulate: true);
                }
            }
        }
    }
}
