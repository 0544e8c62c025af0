using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>A batch in parts is the same batch: same noise, times, kept tokens; sums differ by float32 roundings alone.</summary>
[TestFixture]
public sealed class AccumulationTests
{
    // About a hundred roundings of the largest entry.
    private const double Tolerance = 1e-5;

    [Test]
    public void Accumulated_gradients_are_those_of_the_whole_batch([Values(2, 3, 6)] int parts, [Values] DropKind kind)
    {
        (float loss, float[][] whole) = Gradients(1, kind);
        (float sum, float[][] accumulated) = Gradients(parts, kind);
        Assert.That(!(Math.Abs(sum - loss) <= Tolerance * loss), Is.False, $"loss {sum} for {loss}");
        for (int parameter = 0; parameter < whole.Length; parameter++)
        {
            float largest = whole[parameter].Max(Math.Abs);
            double error = whole[parameter].Zip(accumulated[parameter], (a, b) => Math.Abs((double)a - b)).Max();
            Assert.That(!(error <= Tolerance * Math.Max(largest, 1e-3)), Is.False, $"parameter {parameter}: off by {error}, largest {largest}");
        }
    }

    [Test]
    public void A_run_in_micro_batches_has_the_losses_of_one_without()
    {
        double[] whole = Losses(1);
        double[] parts = Losses(3);
        Assert.That(parts, Has.Length.EqualTo(12));
        for (int step = 0; step < whole.Length; step++)
        {
            // Adam's first updates are +-lr whatever the gradient's size, so roundings of gradients near zero reach the parameters.
            Assert.That(!(Math.Abs(parts[step] - whole[step]) <= 1e-4 * whole[step]), Is.False, $"step {step + 1}: {parts[step]} for {whole[step]}");
        }
    }

    private static (float Loss, float[][] Gradients) Gradients(int parts, DropKind kind)
    {
        const int Batch = 6;
        ModelConfiguration configuration = TinyModel.Configuration with { CfgMaskProb = 0.4, ClassDropoutProb = 0.3 };
        using var device = new CpuDevice(2) { PoisonsMemory = true };
        using var model = TinyModel.Build(device, configuration);
        using var optimizer = new AdamW(device, model.Parameters.All);
        using var step = new TrainingStep(model, optimizer, new LossConfiguration(), seed: 9);
        float[] images = TinyModel.Images(configuration, Batch);
        int[] labels = [0, 1, 2, 3, 4, 0];
        int size = Batch / parts;
        int image = images.Length / Batch;
        float loss = 0;
        for (int part = 0; part < parts; part++)
        {
            loss += (float)step.Accumulate(
                images.AsSpan(part * size * image, size * image), labels.AsSpan(part * size, size), TinyModel.Pattern(configuration, kind), 3, part, parts).Denoising / parts;
        }

        return (loss, [.. optimizer.States.Select(state => state.Parameter.Gradient.ToArray())]);
    }

    private static double[] Losses(int parts)
    {
        using TemporaryFolder folder = new();
        TrainingConfiguration configuration = TinyRun.Configuration with
        {
            Stages = [.. TinyRun.Configuration.Stages.Select(stage => stage with { BatchSize = 6, GradientAccumulationSteps = parts })],
        };
        TinyRun.Run(folder["run"], configuration: configuration);
        using var log = new MetricsLog(Path.Combine(folder["run"], "metrics.jsonl"), 12);
        return [.. log.Losses.Select(entry => entry.Loss.Denoising)];
    }
}
