using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Pictures;
using Sprint.Model.Sampling;

namespace Sprint.Model.Training;

/// <summary>Draws samples of a model, class by class, and puts them in a picture.</summary>
public static class SampleDrawer
{
    /// <summary>Draws samples.</summary>
    /// <param name="model">The model.</param>
    /// <param name="labels">A class for each sample.</param>
    /// <param name="settings">Sampler and guidance.</param>
    /// <param name="path">The path that the model was trained on.</param>
    /// <param name="seed">Determines the noise: sample i of a class gets the same whatever the others are.</param>
    /// <param name="observer">Sees each step, or null.</param>
    /// <param name="cancellation">Ends sampling between two steps.</param>
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
        var guided = new GuidedModel(model, labels)
        {
            Guidance = settings.Guidance,
            Scale = settings.Scale,
            Low = settings.GuidanceLow,
            High = settings.GuidanceHigh,
        };
        var state = new double[guided.StateLength];
        int image = state.Length / Math.Max(labels.Length, 1);
        ulong[] counters = Counters(labels);
        Fill(RandomPurpose.Latents, 0, state);
        Sampler.Run(guided, state, settings.Sampler, settings.Steps, path, (step, values) => Fill(RandomPurpose.Diffusion, step, values), observer, cancellation);
        return [.. state.Select(value => (float)value)];

        void Fill(RandomPurpose purpose, int step, Span<double> values)
        {
            for (int sample = 0; sample * image < values.Length; sample++)
            {
                var random = new HostRandom(new RandomStream((ulong)seed, purpose.Stream((ulong)step), counters[sample]));
                foreach (ref double value in values.Slice(sample * image, image))
                {
                    value = random.Normal();
                }
            }
        }
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
}
