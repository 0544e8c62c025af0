using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

[TestFixture]
public sealed class NotFiniteTests
{
    private const int ImagesOfFiveSteps = (4 * 6) + 4;

    [Test]
    public void Training_stops_at_the_step_whose_loss_is_no_number_and_keeps_the_last_good_checkpoint()
    {
        using TemporaryFolder folder = new();
        TrainingConfiguration configuration = TinyRun.Configuration with { Checkpoints = new CheckpointsConfiguration { Every = 1 } };

        // The first 28 pictures are an epoch of 20 and 8 more: the last picture of the epoch comes in step 4, from 1.
        int broken = new EpochShuffler((ulong)configuration.Seed, 20).SampleAt(new DataPosition(0, 19));
        using var device = new CpuDevice(1);
        using (var dataset = new PatternDataset { Broken = broken })
        using (Trainer trainer = TinyRun.Open(folder["run"], device, dataset, configuration: configuration))
        {
            Assert.That(
                () => trainer.Run(),
                Throws.TypeOf<NotFiniteLossException>().With.Property(nameof(NotFiniteLossException.Step)).EqualTo(3)
                    .And.Message.Contains("the loss became NaN at step 4").And.Message.Contains("resume from the last checkpoint"));
        }

        TinyRun.Run(folder["good"], stopAfter: 3, configuration: configuration);
        Assert.That(TinyRun.Checkpoint(folder["run"]), Is.EqualTo(TinyRun.Checkpoint(folder["good"])));
        Assert.That(TinyRun.Metrics(folder["run"]), Has.Length.EqualTo(3));

        RunState state = TinyRun.Run(folder["run"]);
        Assert.That(state.Step, Is.EqualTo(12), "with data that are right again the run goes on to its end");
        Assert.That(state.Images, Is.EqualTo(ImagesOfFiveSteps + (7 * 4)));
    }

    [Test]
    public void A_loss_or_a_gradient_that_is_no_number_touches_no_parameter_and_leaves_no_gradient()
    {
        using var device = new CpuDevice(1);
        using var model = new SprintTransformer(device, TinyRun.Configuration.Model);
        using var optimizer = new AdamW(device, model.Parameters.All);
        using var step = new TrainingStep(model, optimizer, new LossConfiguration(), 1);
        float[] before = Values(model);
        DropPattern dense = DropPattern.None(4, 4);
        float[] good = new float[2 * 64];
        float[] bad = [.. Enumerable.Repeat(float.PositiveInfinity, 2 * 64)];

        step.Accumulate(good, [0, 1], dense, 5, 0, 2);
        Assert.That(() => step.Accumulate(bad, [0, 1], dense, 5, 1, 2), Throws.TypeOf<NotFiniteLossException>().With.Message.Contains("the loss became").And.Message.Contains("at step 6"));
        Assert.That(model.Parameters.All.Any(parameter => parameter.HasGradient), Is.False);

        step.Accumulate(good, [0, 1], dense, 6);
        model.Parameters.All.First(parameter => parameter.Trainable).Gradient.CopyFrom<float>(
            [.. Enumerable.Repeat(float.NaN, (int)model.Parameters.All.First(parameter => parameter.Trainable).Value.Count)]);
        Assert.That(
            () => step.Update(new StageConfiguration().Update(0, 0, 0), 6),
            Throws.TypeOf<NotFiniteLossException>().With.Message.Contains("the gradient norm became NaN at step 7"));
        Assert.That(model.Parameters.All.Any(parameter => parameter.HasGradient), Is.False);
        Assert.That(Values(model), Is.EqualTo(before));
    }

    [Test]
    public void A_failure_of_any_kind_leaves_no_gradient_and_nothing_recorded()
    {
        using var device = new CpuDevice(1);
        using var model = new SprintTransformer(device, TinyRun.Configuration.Model);
        using var optimizer = new AdamW(device, model.Parameters.All);
        using var step = new TrainingStep(model, optimizer, new LossConfiguration(), 1);
        DropPattern dense = DropPattern.None(4, 4);
        float[] image = TinyModel.Images(TinyRun.Configuration.Model, 2);
        LossValues loss = step.Accumulate(image, [0, 1], dense, 0);
        optimizer.MeasureNorm();
        float norm = optimizer.Norm.ToArray()[0];
        step.Forget();

        step.Accumulate(new float[2 * 64], [0, 1], dense, 0, 0, 2);
        Assert.That(() => step.Accumulate(new float[2 * 64], [0, 99], dense, 0, 1, 2), Throws.Exception);
        Assert.That(model.Parameters.All.Any(parameter => parameter.HasGradient), Is.False);
        Assert.That(step.Accumulate(image, [0, 1], dense, 0), Is.EqualTo(loss));
        optimizer.MeasureNorm();
        Assert.That(optimizer.Norm.ToArray()[0], Is.EqualTo(norm));
    }

    private static float[] Values(SprintTransformer model) => [.. model.Parameters.All.SelectMany(parameter => parameter.Value.ToArray())];
}
