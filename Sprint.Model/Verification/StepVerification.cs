using Sprint.Engine;
using Sprint.Engine.Measurement;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Model.Verification;

/// <summary>Training steps that were run again.</summary>
/// <param name="Name">What was compared.</param>
/// <param name="Passes">Whether every bit was the same.</param>
/// <param name="Detail">What differs, or how many numbers were compared.</param>
public sealed record RerunCheck(string Name, bool Passes, string Detail);

/// <summary>How long training steps take.</summary>
/// <param name="Model">The model in words.</param>
/// <param name="Precision">In what it computes.</param>
/// <param name="DropRatio">The ratio of dropped tokens.</param>
/// <param name="Batch">Images of a step.</param>
/// <param name="IsReplayed">Whether the step was replayed as a CUDA graph.</param>
/// <param name="Seconds">The median time of a step.</param>
/// <param name="Flops">Floating-point operations of a step.</param>
public sealed record StepTiming(string Model, Precision Precision, double DropRatio, int Batch, bool IsReplayed, double Seconds, long Flops)
{
    /// <summary>Images a second.</summary>
    public double ImagesPerSecond => Batch / Seconds;
}

/// <summary>Whole training steps on a device: whether they repeat bit by bit, and how long they take.</summary>
public static class StepVerification
{
    private const int ComparedSteps = 5;
    private const int WarmSteps = 4;
    private const int TimedSteps = 9;

    // Heads of 72 channels as in XL/2, in a model that an emulated device takes seconds for.
    private static readonly ModelConfiguration Small = new()
    {
        ContextSize = 16,
        HiddenSize = 144,
        NumHeads = 2,
        MiddleDepth = 1,
        TrainMaskToken = true,
        CfgMaskProb = 0.3,
        RepresentationAlign = true,
        RepresentationDepth = 3,
        DimProjection = 96,
        ProjectorHiddenDim = 80,
    };

    private static readonly ModelConfiguration Base = new()
    {
        ContextSize = 32,
        InChannels = 4,
        NumClasses = 1000,
        HiddenSize = 768,
        NumHeads = 12,
        EncoderDepth = 2,
        MiddleDepth = 8,
        DecoderDepth = 2,
    };

    /// <summary>Runs the same steps several times: a race that matters gives other bits, sooner or later.</summary>
    /// <param name="device">The device.</param>
    public static IReadOnlyList<RerunCheck> Reruns(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var checks = new List<RerunCheck>();
        foreach (Precision precision in Enum.GetValues<Precision>().Where(precision => device.Computes(precision.ElementType())))
        {
            foreach (double ratio in new[] { 0.75, 0 })
            {
                string what = $"{ComparedSteps} steps in {precision.Name()}, {(ratio == 0 ? "all tokens" : "three of four tokens dropped")}";
                float[] first = Train(device, precision, ratio, captures: false);
                checks.Add(Compare($"{what}: launched, then launched again", first, Train(device, precision, ratio, captures: false)));
                checks.Add(Compare($"{what}: launched, then replayed as a graph", first, Train(device, precision, ratio, captures: true)));
            }
        }

        return checks;
    }

    /// <summary>Times steps of SPRINT B/2 on latents of 32 x 32.</summary>
    /// <param name="device">A device whose times mean something.</param>
    /// <param name="batch">Images of a step.</param>
    public static IReadOnlyList<StepTiming> Times(Device device, int batch)
    {
        ArgumentNullException.ThrowIfNull(device);
        var timings = new List<StepTiming>();
        foreach (Precision precision in Enum.GetValues<Precision>().Reverse().Where(precision => device.Computes(precision.ElementType())))
        {
            foreach ((double ratio, bool captures) in new[] { (0.75, true), (0.75, false), (0, true) })
            {
                using var run = new Steps(device, Base, precision, ratio, batch, captures);
                for (int i = 0; i < WarmSteps; i++)
                {
                    run.Take();
                }

                long before = device.Account.Total().Flops;
                double seconds = MedianTime.Of(device, TimedSteps, run.Take);
                timings.Add(new StepTiming(
                    "SPRINT B/2, 32 x 32 latents", precision, ratio, batch, captures && run.Captures > 0, seconds, (device.Account.Total().Flops - before) / TimedSteps));
            }

            device.Trim();
        }

        return timings;
    }

    private static RerunCheck Compare(string name, float[] first, float[] second)
    {
        for (int i = 0; i < first.Length; i++)
        {
            if (BitConverter.SingleToUInt32Bits(first[i]) != BitConverter.SingleToUInt32Bits(second[i]))
            {
                return new RerunCheck(name, false, $"number {i} of {first.Length} was {first[i]:R} and is {second[i]:R}");
            }
        }

        return new RerunCheck(name, first.All(float.IsFinite), $"{first.Length} parameters, moments and averages");
    }

    private static float[] Train(Device device, Precision precision, double ratio, bool captures)
    {
        using var run = new Steps(device, Small, precision, ratio, batch: 4, captures);
        for (int i = 0; i < ComparedSteps; i++)
        {
            run.Take();
        }

        return run.State();
    }

    private sealed class Steps : IDisposable
    {
        private readonly SprintTransformer model;
        private readonly AdamW optimizer;
        private readonly TrainingStep step;
        private readonly DropPattern pattern;
        private readonly float[] images;
        private readonly int[] labels;
        private readonly float[] features;
        private int steps;

        internal Steps(Device device, ModelConfiguration configuration, Precision precision, double ratio, int batch, bool captures)
        {
            model = new SprintTransformer(device, configuration, seed: 1, precision);
            try
            {
                optimizer = new AdamW(device, model.Parameters.All);
                step = new TrainingStep(model, optimizer, new LossConfiguration(), seed: 2) { Captures = captures };
            }
            catch
            {
                Dispose();
                throw;
            }

            pattern = ratio == 0 ? DropPattern.None(configuration.GridSide, configuration.GridSide) : DropPattern.Structured(configuration.GridSide, configuration.GridSide, ratio);
            images = [.. Enumerable.Range(0, batch * configuration.InChannels * configuration.ContextSize * configuration.ContextSize).Select(static i => MathF.Sin(i / 7f))];
            int numbers = configuration.RepresentationAlign ? batch * configuration.Tokens * configuration.DimProjection : 0;
            features = [.. Enumerable.Range(0, numbers).Select(static i => MathF.Cos(i / 3f))];
            labels = [.. Enumerable.Range(0, batch).Select(i => i % configuration.NumClasses)];
        }

        internal int Captures => step.CaptureCount;

        internal void Take()
        {
            step.Take(images, labels, pattern, steps, 1, new AdamWSettings(1e-3, steps + 1), features);
            steps++;
        }

        internal float[] State() =>
            [.. optimizer.States.SelectMany(static state => new[] { state.Parameter.Value, state.FirstMoment, state.SecondMoment, state.Average }).SelectMany(static tensor => tensor.ToArray())];

        public void Dispose()
        {
            step?.Dispose();
            optimizer?.Dispose();
            model.Dispose();
        }
    }
}
