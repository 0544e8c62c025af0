using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Tests.Model;

/// <summary>What a small model has beside the usual.</summary>
public enum TinyVariant
{
    Plain,
    SwiGluAndLora,
    Aligned,
}

/// <summary>A small model, and training steps of it with random images.</summary>
internal static class TinyModel
{
    internal const int Batch = 3;

    internal static readonly ModelConfiguration Configuration = new()
    {
        ContextSize = 16,
        PatchSize = 2,
        InChannels = 3,
        NumClasses = 5,
        HiddenSize = 48,
        NumHeads = 2,
        EncoderDepth = 1,
        MiddleDepth = 2,
        DecoderDepth = 1,
    };

    /// <summary>The same with the other MLP and the other modulation that there are: SwiGLU, of two thirds of the width, and two layers of rank 6.</summary>
    internal static readonly ModelConfiguration SwiGluAndLora = Configuration with { UseSwiglu = true, UseSwigluLarge = false, AdalnType = "lora", AdalnLoraDim = 6 };

    /// <summary>A model in which nothing is zero: fresh ones ignore their blocks, as the gates start at zero.</summary>
    internal static SprintTransformer Build(Device device, ModelConfiguration? configuration = null, Precision precision = Precision.Fp32)
    {
        var model = new SprintTransformer(device, configuration ?? Configuration, seed: 3, precision);
        for (int i = 0; i < model.Parameters.All.Count; i++)
        {
            if (device.Executes)
            {
                Tensor value = model.Parameters.All[i].Value;
                float[] values = value.ToArray();
                var random = new Random(i);
                for (int k = 0; k < values.Length; k++)
                    values[k] += (float)(0.1 * (random.NextDouble() - 0.5));
                value.CopyFrom<float>(values);
            }

            model.Parameters.All[i].UpdateShadow();
        }

        return model;
    }

    internal static float[] Images(ModelConfiguration configuration, int batch = Batch)
    {
        var random = new Random(8);
        var images = new float[batch * configuration.InChannels * configuration.ContextSize * configuration.ContextSize];
        for (int i = 0; i < images.Length; i++)
            images[i] = (float)((2 * random.NextDouble()) - 1);
        return images;
    }

    /// <summary>The same model with its hidden states aligned with features, 20 a token.</summary>
    internal static ModelConfiguration Aligned { get; } = Configuration with { RepresentationAlign = true, RepresentationDepth = 3, DimProjection = 20, ProjectorHiddenDim = 28 };

    /// <summary>A model by its name.</summary>
    internal static ModelConfiguration Of(TinyVariant variant) => variant switch
    {
        TinyVariant.SwiGluAndLora => SwiGluAndLora,
        TinyVariant.Aligned => Aligned,
        _ => Configuration,
    };

    /// <summary>Features for a model that is aligned with some, nothing for others.</summary>
    internal static float[] Features(ModelConfiguration configuration, int batch = Batch)
    {
        var random = new Random(9);
        var features = new float[configuration.RepresentationAlign ? batch * configuration.Tokens * configuration.DimProjection : 0];
        for (int i = 0; i < features.Length; i++)
            features[i] = (float)((2 * random.NextDouble()) - 1);
        return features;
    }

    internal static DropPattern Pattern(ModelConfiguration configuration, DropKind kind) => kind switch
    {
        DropKind.Structured => DropPattern.Structured(configuration.GridSide, configuration.GridSide, 0.75),
        DropKind.Random => DropPattern.Random(configuration.GridSide, configuration.GridSide, 0.6),
        _ => DropPattern.None(configuration.GridSide, configuration.GridSide),
    };

    /// <summary>Everything of one training step but reading the data.</summary>
    internal sealed class Step : IDisposable
    {
        private static readonly LossConfiguration Loss = new();
        private static readonly int[] Classes = [.. Enumerable.Range(0, Batch)];
        private readonly AdamW optimizer;
        private readonly StepSampler sampler;
        private readonly DropPattern pattern;
        private readonly float[] images;
        private readonly float[] features;
        private readonly Tape tape = new();
        private long step;

        internal Step(Device device, DropKind kind, ModelConfiguration? configuration = null, Precision precision = Precision.Fp32)
        {
            configuration ??= Configuration;
            Model = Build(device, configuration, precision);
            optimizer = new AdamW(device, Model.Parameters.All);
            sampler = new StepSampler(device, configuration, seed: 9, precision);
            pattern = Pattern(configuration, kind);
            images = Images(configuration);
            features = Features(configuration);
        }

        internal SprintTransformer Model { get; }

        internal void Run()
        {
            ForwardAndBackward();
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(1e-3, ++step));
        }

        internal float ForwardAndBackward()
        {
            using StepInputs inputs = sampler.Draw(images, Classes, pattern, Loss, step, microBatch: 0, features);
            using StepLoss loss = inputs.Loss(tape, Model, FlowPath.Linear);
            using LossWeights weights = LossWeights.Of(Model, Loss);
            loss.Backward(tape, weights);
            Span<float> value = stackalloc float[1];
            loss.Denoising.CopyTo(value);
            return value[0];
        }

        public void Dispose()
        {
            tape.Dispose();
            optimizer.Dispose();
            Model.Dispose();
        }
    }
}
