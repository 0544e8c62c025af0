using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Pictures;
using Sprint.Model.Sampling;

namespace Sprint.Model.Training;

/// <summary>Draws samples of a model, class by class, and puts them in a picture.</summary>
public static class SampleDrawer
{
    /// <summary>Samples that go through the model at once; more are drawn one chunk after another.</summary>
    public const int ChunkSize = 64;

    /// <summary>In how many chunks samples are drawn; an observer sees every step of each.</summary>
    /// <param name="samples">How many samples.</param>
    public static int Chunks(int samples) => (int)(((long)samples + ChunkSize - 1) / ChunkSize);

    /// <summary>Draws samples.</summary>
    /// <param name="model">The model.</param>
    /// <param name="labels">A class for each sample.</param>
    /// <param name="settings">Sampler and guidance.</param>
    /// <param name="path">The path that the model was trained on.</param>
    /// <param name="seed">Determines the noise: sample i of a class gets the same whatever the others are.</param>
    /// <param name="observer">Sees each step of each chunk, or null.</param>
    /// <param name="cancellation">Ends sampling between two steps.</param>
    /// <exception cref="SprintException">A label is no class of the model, or the samples are more than one array holds.</exception>
    /// <returns>(samples, channels, side, side), in [-1, 1] for pixels.</returns>
    public static float[] Draw(
        SprintTransformer model,
        ReadOnlySpan<int> labels,
        SamplesConfiguration settings,
        FlowPath path,
        long seed,
        ISamplerObserver? observer = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        ModelConfiguration network = model.Configuration;
        int image = network.InChannels * network.ContextSize * network.ContextSize;
        if (labels.Length * (long)image > Array.MaxLength)
        {
            throw new SprintException(
                $"{labels.Length} samples of {network.InChannels} x {network.ContextSize} x {network.ContextSize} are more than one array holds: draw fewer");
        }

        // The noise is a function of a sample's class and place alone, so chunks change no bit.
        ulong[] counters = Counters(labels);
        var images = new float[labels.Length * image];
        for (int first = 0; first < labels.Length; first += ChunkSize)
        {
            int count = Math.Min(ChunkSize, labels.Length - first);
            var guided = new GuidedModel(model, labels.Slice(first, count))
            {
                Guidance = settings.Guidance,
                Scale = settings.Scale,
                Low = settings.GuidanceLow,
                High = settings.GuidanceHigh,
            };
            var noise = new SampleNoise((ulong)seed, counters.AsMemory(first, count), image);
            var state = new double[guided.StateLength];
            noise.Fill(RandomPurpose.Latents, 0, state);
            Sampler.Run(
                guided, state, settings.Sampler, settings.Steps, path, (step, values) => noise.Fill(RandomPurpose.Diffusion, step, values), observer, cancellation);
            Span<float> samples = images.AsSpan(first * image, state.Length);
            for (int i = 0; i < state.Length; i++)
            {
                samples[i] = (float)state[i];
            }
        }

        return images;
    }

    /// <summary>Where each sample's random numbers begin: a function of its class and of how many of the class come before it.</summary>
    private static ulong[] Counters(ReadOnlySpan<int> labels)
    {
        var drawn = new Dictionary<int, ulong>();
        var counters = new ulong[labels.Length];
        for (int sample = 0; sample < labels.Length; sample++)
        {
            ulong before = drawn.GetValueOrDefault(labels[sample]);
            drawn[labels[sample]] = before + 1;
            counters[sample] = ((ulong)labels[sample] << 44) | (before << 28);
        }

        return counters;
    }

    /// <summary>The labels of a grid with a row for each class.</summary>
    /// <param name="classes">Rows.</param>
    /// <param name="perClass">Samples in a row.</param>
    public static int[] GridLabels(int classes, int perClass) =>
        [.. Enumerable.Range(0, classes * perClass).Select(index => index / perClass)];

    /// <summary>Draws a row for each class and saves the picture.</summary>
    /// <param name="model">The model.</param>
    /// <param name="configuration">Sampler, guidance and size of the grid.</param>
    /// <param name="classNames">Names for the rows, as many as there are or fewer.</param>
    /// <param name="file">The PNG file.</param>
    /// <param name="title">A line above the grid.</param>
    /// <param name="cancellation">Ends sampling between two steps.</param>
    public static void SaveGrid(
        SprintTransformer model,
        TrainingConfiguration configuration,
        IReadOnlyList<string> classNames,
        string file,
        string title,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(configuration);
        SamplesConfiguration settings = configuration.Samples;
        int classes = Math.Min(settings.Classes, model.Configuration.NumClasses);
        float[] images = Draw(
            model, GridLabels(classes, settings.PerClass), settings, configuration.Loss.PathType, configuration.Seed, null, cancellation);
        int side = model.Configuration.ContextSize;
        SampleGrid.SavePng(file, images, model.Configuration.InChannels, side, side, new SampleGridOptions
        {
            Columns = settings.PerClass,
            RowLabels = [.. classNames.Take(classes)],
            Title = title,
        });
    }

    private sealed class SampleNoise(ulong seed, ReadOnlyMemory<ulong> counters, int image)
    {
        internal void Fill(RandomPurpose purpose, int step, Span<double> values)
        {
            for (int sample = 0; sample < counters.Length; sample++)
            {
                var random = new HostRandom(new RandomStream(seed, purpose.Stream((ulong)step), counters.Span[sample]));
                foreach (ref double value in values.Slice(sample * image, image))
                {
                    value = random.Normal();
                }
            }
        }
    }
}
