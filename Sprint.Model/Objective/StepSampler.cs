using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Model.Objective;

/// <summary>
/// Draws noise, times, dropped labels, kept tokens and dropped paths of a training step. All of it is a function of the seed,
/// the step and the image's place in the step's whole batch: a resumed run draws what an uninterrupted one does, every device
/// draws the same ids, and a batch split into micro-batches is the same batch.
/// </summary>
public sealed class StepSampler
{
    private readonly Device device;
    private readonly ModelConfiguration model;
    private readonly ulong seed;
    private readonly Precision precision;
    private float[] times = [];
    private int[] labels = [];
    private int[] pathDrops = [];
    private ushort[] narrowed = [];

    /// <summary>Creates a sampler.</summary>
    /// <param name="device">Where the tensors go.</param>
    /// <param name="model">The model that will read them.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="precision">In what the model computes: features are stored as its activations are.</param>
    public StepSampler(Device device, ModelConfiguration model, ulong seed, Precision precision = Precision.Fp32)
    {
        this.precision = precision;
        this.device = device;
        this.model = model;
        this.seed = seed;
    }

    /// <summary>Draws the inputs of one micro-batch.</summary>
    /// <param name="images">x_0, batch times the size of an image.</param>
    /// <param name="classes">The label of each image.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="settings">How times are drawn.</param>
    /// <param name="step">The step of the run.</param>
    /// <param name="microBatch">Which part of an accumulated batch, whose parts are all of this size.</param>
    /// <param name="features">
    /// Another network's features (batch, N, F), for a model that aligns its hidden states with them; where nothing is computed they need not be given.
    /// </param>
    /// <returns>Tensors that the caller disposes.</returns>
    public StepInputs Draw(
        ReadOnlySpan<float> images,
        ReadOnlySpan<int> classes,
        DropPattern pattern,
        LossConfiguration settings,
        long step,
        int microBatch,
        ReadOnlySpan<float> features = default)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(settings);
        int batch = classes.Length;
        Resize(batch);
        long first = (long)microBatch * batch;
        DrawTimes(settings, step, first);
        DrawLabelsAndPaths(classes, step, first);
        var shape = new Shape(batch, model.InChannels, model.ContextSize, model.ContextSize);
        var inputs = default(StepInputs);
        try
        {
            inputs = inputs with { KeptIds = Select(pattern, batch, step, first) };
            inputs = inputs with { Data = device.From(shape, images) };
            inputs = inputs with { Noise = RandomNumbers.Normal(device, shape, Stream(RandomPurpose.Noise, step), first * model.InChannels * model.ContextSize * model.ContextSize) };
            inputs = inputs with { Times = device.From(new Shape(batch), times) };
            inputs = inputs with { Labels = device.From(new Shape(batch), labels) };
            inputs = inputs with { PathDrop = model.CfgMaskProb > 0 ? device.From(new Shape(batch), pathDrops) : default };
            return inputs with { Features = Upload(features, batch) };
        }
        catch
        {
            // Where memory is short the part that was had is given back.
            inputs.Dispose();
            throw;
        }
    }

    private Tensor Select(DropPattern pattern, int batch, long step, long first)
    {
        if (pattern.Kind == DropKind.None)
        {
            return default;
        }

        using Tensor uniforms = RandomNumbers.Uniform(
            device, TokenDrop.UniformsShape(pattern, batch), Stream(RandomPurpose.TokenDrop, step), first * pattern.Tokens);
        return TokenDrop.Select(uniforms, pattern);
    }

    /// <summary>Features, stored as the activations are with which they are compared.</summary>
    private Tensor Upload(ReadOnlySpan<float> features, int batch)
    {
        if (!model.RepresentationAlign)
        {
            return default;
        }

        using Tensor tensor = device.Allocate(new Shape(batch, model.Tokens, model.DimProjection), precision.ElementType());
        if (!device.Executes)
        {
            return tensor.Retain();
        }

        if (features.Length != tensor.Count)
        {
            throw new ArgumentException($"the model aligns hidden states with features {tensor.Shape}, {tensor.Count} numbers, but {features.Length} are given", nameof(features));
        }

        if (tensor.ElementType == ElementType.Float32)
        {
            tensor.CopyFrom(features);
        }
        else
        {
            Array.Resize(ref narrowed, features.Length);
            BrainFloat.Narrow(features, narrowed);
            tensor.CopyFrom<ushort>(narrowed);
        }

        return tensor.Retain();
    }

    /// <summary>The time that lognormal weighting makes of a standard normal number. Source: SPRINT.md section 4.</summary>
    internal static float Time(float normal, FlowPath path) =>
        path == FlowPath.Linear ? 1f / (1f + MathF.Exp(-normal)) : 2f / MathF.PI * MathF.Atan(MathF.Exp(normal));

    private void Resize(int batch)
    {
        if (times.Length != batch)
        {
            times = new float[batch];
            labels = new int[batch];
            pathDrops = new int[batch];
        }
    }

    private RandomStream Stream(RandomPurpose purpose, long step, long firstBlock = 0) =>
        new(seed, purpose.Stream((ulong)step), (ulong)firstBlock);

    private void DrawTimes(LossConfiguration settings, long step, long first)
    {
        RandomStream stream = Stream(RandomPurpose.Times, step, first);
        for (int i = 0; i < times.Length; i++)
        {
            (uint word0, uint word1, _, _) = Philox.Block(stream.Seed, stream.Stream, stream.Counter + (ulong)i);
            times[i] = settings.Weighting == TimeWeighting.Uniform
                ? Philox.Uniform(word0)
                : Time(Philox.Normal(word0, word1).Normal0, settings.PathType);
        }
    }

    private void DrawLabelsAndPaths(ReadOnlySpan<int> classes, long step, long first)
    {
        RandomStream labelStream = Stream(RandomPurpose.LabelDrop, step, first);
        RandomStream pathStream = Stream(RandomPurpose.PathDrop, step, first);
        for (int i = 0; i < classes.Length; i++)
        {
            uint labelWord = Philox.Block(labelStream.Seed, labelStream.Stream, labelStream.Counter + (ulong)i).Word0;
            uint pathWord = Philox.Block(pathStream.Seed, pathStream.Stream, pathStream.Counter + (ulong)i).Word0;
            labels[i] = Philox.Uniform(labelWord) < model.ClassDropoutProb ? model.NullClass : classes[i];
            pathDrops[i] = Philox.Uniform(pathWord) < model.CfgMaskProb ? 1 : 0;
        }
    }
}
