using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Bench.Steps;

/// <summary>Runs training steps, or forward passes, of one model with any drop pattern.</summary>
internal sealed class StepRunner : IDisposable
{
    private readonly ModelConfiguration configuration;
    private readonly SprintTransformer model;
    private readonly AdamW optimizer;
    private readonly TrainingStep training;
    private readonly bool trains;
    private readonly float[] images;
    private readonly int[] labels;
    private readonly float[] features;
    private readonly Tensor image;
    private readonly Tensor times;
    private readonly Tensor classes;
    private readonly Action prepareNext;
    private int step;

    /// <summary>Makes model, optimizer and random data.</summary>
    /// <param name="device">Where to run.</param>
    /// <param name="configuration">The model.</param>
    /// <param name="batch">Images of a step.</param>
    /// <param name="trains">Whether steps train; else they are forward passes without a tape.</param>
    /// <param name="precision">In what the model computes.</param>
    /// <exception cref="SprintException">The model or batch cannot be had, or the device does not compute in that precision.</exception>
    public StepRunner(Device device, ModelConfiguration configuration, int batch, bool trains, Precision precision = Precision.Fp32)
    {
        configuration.Validate();
        Shape shape = new(batch, configuration.InChannels, configuration.ContextSize, configuration.ContextSize);
        CheckLength(configuration, batch);
        (Device, this.configuration, this.trains) = (device, configuration, trains);
        Random random = new(0);
        images = [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (2 * random.NextSingle()) - 1)];
        labels = [.. Enumerable.Range(0, batch).Select(_ => random.Next(configuration.NumClasses))];
        features = new float[trains && configuration.RepresentationAlign ? batch * configuration.Tokens * configuration.DimProjection : 0];
        foreach (ref float feature in features.AsSpan())
        {
            feature = (2 * random.NextSingle()) - 1;
        }

        model = new SprintTransformer(device, configuration, precision: precision);
        try
        {
            optimizer = new AdamW(device, model.Parameters.All);
            training = new TrainingStep(model, optimizer, new LossConfiguration(), seed: 0);
            image = device.From(shape, images);
            times = device.From(new Shape(batch), new float[batch]);
            classes = device.From(new Shape(batch), labels);
        }
        catch
        {
            Dispose();
            throw;
        }

        prepareNext = () => training.Prepare(images, labels, features, step + 1);
    }

    /// <summary>Where it runs.</summary>
    public Device Device { get; }

    /// <summary>Numbers that the model holds.</summary>
    public long Parameters => model.Parameters.Count;

    /// <summary>Images of a step.</summary>
    public int Batch => labels.Length;

    /// <summary>Whether steps of one pattern must follow each other, as the device keeps what it replays of one at a time.</summary>
    public bool Replays => trains && Device.IsAsynchronous;

    /// <summary>Runs a step as training does and waits for its end.</summary>
    /// <param name="pattern">Which tokens are kept.</param>
    public void Run(DropPattern pattern)
    {
        if (!Replays)
        {
            Launch(pattern);
            return;
        }

        training.Take(images, labels, pattern, step, 1, new AdamWSettings(1e-4, step + 1), features, prepareNext);
        Device.Synchronize();
        step++;
    }

    /// <summary>Runs a step operation by operation, which a device that replays steps can time, and waits for its end.</summary>
    /// <param name="pattern">Which tokens are kept.</param>
    public void Launch(DropPattern pattern)
    {
        if (trains)
        {
            training.Accumulate(images, labels, pattern, step, features: features);
            training.Update(new AdamWSettings(1e-4, step + 1), step);
        }
        else
        {
            Forward(pattern);
        }

        Device.Synchronize();
        step++;
    }

    /// <summary>Gives up what the device keeps for the pattern at hand.</summary>
    public void Release()
    {
        training.Release();
        Device.Trim();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        classes.Dispose();
        times.Dispose();
        image.Dispose();
        training?.Dispose();
        optimizer?.Dispose();
        model.Dispose();
    }

    private static void CheckLength(ModelConfiguration configuration, int batch)
    {
        long features = configuration.RepresentationAlign ? batch * (long)configuration.Tokens * configuration.DimProjection : 0;
        if (features > Array.MaxLength)
        {
            throw new SprintException(
                $"--batch {batch} with {configuration.Tokens} x {configuration.DimProjection} features of an image is {features} numbers, more than one array holds: lower --batch");
        }

        long numbers = batch * (long)configuration.InChannels * configuration.ContextSize * configuration.ContextSize;
        if (numbers > Array.MaxLength)
        {
            throw new SprintException(
                $"--batch {batch} with images of {configuration.InChannels} x {configuration.ContextSize} x {configuration.ContextSize} is {numbers} numbers, more than one array holds: lower --batch, --channels, --side or --patch");
        }
    }

    private void Forward(DropPattern pattern)
    {
        Tensor kept = default;
        if (pattern.Kind != DropKind.None)
        {
            using Tensor uniforms = RandomNumbers.Uniform(Device, TokenDrop.UniformsShape(pattern, Batch), new RandomStream(0, (ulong)step));
            kept = TokenDrop.Select(uniforms, pattern);
        }

        using (kept)
        {
            using Tensor output = model.Forward(null, image, times, classes, new TokenSelection(kept, default, false));
        }
    }
}
