using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Objective;

namespace Sprint.Tests.Model.Objective;

/// <summary>What a training step draws: a function of seed, step and place in the batch alone, with the right distributions.</summary>
[TestFixture]
public sealed class StepSamplerTests
{
    private static readonly ModelConfiguration Model = new() { ContextSize = 8, InChannels = 1, NumClasses = 5, ClassDropoutProb = 0.1, CfgMaskProb = 0.3 };
    private static readonly DropPattern Pattern = DropPattern.Structured(4, 4, 0.75);

    [Test]
    public void A_step_can_be_drawn_again_alone()
    {
        Draw expected = Drawn(batch: 6, step: 7, microBatch: 1);
        using var device = new CpuDevice(threads: 3) { PoisonsMemory = true };
        var sampler = new StepSampler(device, Model, seed: 4);
        for (int step = 5; step <= 7; step++)
        {
            Draw actual = Drawn(sampler, 6, step, 1, new LossConfiguration());
            Assert.That(actual.Equals(expected), Is.EqualTo(step == 7), $"step {step}");
        }
    }

    [Test]
    public void Steps_micro_batches_and_seeds_draw_apart()
    {
        Draw draw = Drawn(6, 7, 1);
        foreach (Draw other in (Draw[])[Drawn(6, 8, 1), Drawn(6, 7, 2), Drawn(6, 7, 1, seed: 5)])
        {
            Assert.That(other.Noise, Is.Not.EqualTo(draw.Noise));
            Assert.That(other.Times, Is.Not.EqualTo(draw.Times));
            Assert.That(other.KeptIds, Is.Not.EqualTo(draw.KeptIds));
        }
    }

    // Images of 64 and of 25 numbers: the latter begin within a block of four.
    [Test]
    public void Micro_batches_draw_the_parts_of_the_whole_batch([Values(8, 5)] int side, [Values(1, 2, 3)] int size, [Values] DropKind kind)
    {
        const int Batch = 6;
        ModelConfiguration model = Model with { ContextSize = side, PatchSize = 1, ClassDropoutProb = 0.5 };
        DropPattern pattern = kind switch
        {
            DropKind.Structured => DropPattern.Structured(side, side, side == 8 ? 0.75 : 0.8),
            DropKind.Random => DropPattern.Random(side, side, 0.6),
            _ => DropPattern.None(side, side),
        };
        using var device = new CpuDevice(threads: 1) { PoisonsMemory = true };
        var sampler = new StepSampler(device, model, seed: 4);
        Draw whole = Drawn(sampler, Batch, 0);
        Draw[] parts = [.. Enumerable.Range(0, Batch / size).Select(part => Drawn(sampler, size, part))];
        var joined = new Draw(
            [.. parts.SelectMany(part => part.Noise)], [.. parts.SelectMany(part => part.Times)], [.. parts.SelectMany(part => part.Labels)],
            [.. parts.SelectMany(part => part.KeptIds)], [.. parts.SelectMany(part => part.PathDrop)]);
        Assert.That(joined, Is.EqualTo(whole));

        Draw Drawn(StepSampler sampler, int size, int microBatch)
        {
            int[] classes = new int[size];
            using StepInputs inputs = sampler.Draw(new float[size * side * side], classes, pattern, new LossConfiguration(), 7, microBatch);
            return new Draw(
                inputs.Noise.ToArray(), inputs.Times.ToArray(), Integers(inputs.Labels), inputs.KeptIds.IsEmpty ? [] : Integers(inputs.KeptIds), Integers(inputs.PathDrop));
        }
    }

    [Test]
    public void Labels_and_paths_are_dropped_as_often_as_configured_and_independently()
    {
        const int Batch = 20000;
        Draw draw = Drawn(Batch, 1, 0);
        double labels = draw.Labels.Count(label => label == Model.NullClass) / (double)Batch;
        double paths = draw.PathDrop.Average();
        double both = draw.Labels.Zip(draw.PathDrop, (label, path) => label == Model.NullClass && path == 1 ? 1 : 0).Average();
        Assert.That(labels, Is.EqualTo(0.1).Within(4 * Math.Sqrt(0.1 * 0.9 / Batch)));
        Assert.That(paths, Is.EqualTo(0.3).Within(4 * Math.Sqrt(0.3 * 0.7 / Batch)));
        Assert.That(both, Is.EqualTo(0.03).Within(4 * Math.Sqrt(0.03 * 0.97 / Batch)));
        Assert.That(draw.Labels.Where((label, i) => label != Model.NullClass && label != i % 5), Is.Empty);
    }

    [Test]
    public void Times_have_the_distribution_asked_for([Values] TimeWeighting weighting, [Values] FlowPath path)
    {
        const int Batch = 20000;
        Draw draw = Drawn(Batch, 1, 0, settings: new LossConfiguration { Weighting = weighting, PathType = path });
        Assert.That(draw.Times, Is.All.InRange(0f, 1f));

        // Each weighting, mapped back, is uniform or normal: the fraction below one deviation tells them apart.
        bool uniform = weighting == TimeWeighting.Uniform;
        double below = draw.Times.Count(time => uniform
            ? time < 0.3
            : (path == FlowPath.Linear ? Math.Log(time / (1 - time)) : Math.Log(Math.Tan(Math.PI / 2 * time))) < -1) / (double)Batch;
        double expected = uniform ? 0.3 : 0.158655;
        Assert.That(below, Is.EqualTo(expected).Within(4 * Math.Sqrt(expected * (1 - expected) / Batch)));
    }

    [Test]
    public void Nothing_is_dropped_where_the_configuration_says_so()
    {
        using var device = new CpuDevice(threads: 1);
        var sampler = new StepSampler(device, Model with { CfgMaskProb = 0, ClassDropoutProb = 0 }, seed: 1);
        using StepInputs inputs = sampler.Draw(new float[4 * 64], [0, 1, 2, 3], DropPattern.None(4, 4), new LossConfiguration(), 0, 0);
        Assert.That(inputs.KeptIds.IsEmpty && inputs.PathDrop.IsEmpty);
        Assert.That(Integers(inputs.Labels), Is.EqualTo((int[])[0, 1, 2, 3]));
    }

    private static Draw Drawn(int batch, long step, int microBatch, ulong seed = 4, LossConfiguration? settings = null)
    {
        using var device = new CpuDevice(threads: 1) { PoisonsMemory = true };
        return Drawn(new StepSampler(device, Model, seed), batch, step, microBatch, settings ?? new LossConfiguration());
    }

    private static Draw Drawn(StepSampler sampler, int batch, long step, int microBatch, LossConfiguration settings)
    {
        int[] classes = [.. Enumerable.Range(0, batch).Select(i => i % 5)];
        using StepInputs inputs = sampler.Draw(new float[batch * 64], classes, Pattern, settings, step, microBatch);
        return new Draw(
            inputs.Noise.ToArray(), inputs.Times.ToArray(), Integers(inputs.Labels), Integers(inputs.KeptIds), Integers(inputs.PathDrop));
    }

    private static int[] Integers(Tensor tensor)
    {
        var values = new int[tensor.Count];
        tensor.CopyTo<int>(values);
        return values;
    }

    private sealed record Draw(float[] Noise, float[] Times, int[] Labels, int[] KeptIds, int[] PathDrop)
    {
        public bool Equals(Draw? other) => other is not null && Noise.SequenceEqual(other.Noise) && Times.SequenceEqual(other.Times)
            && Labels.SequenceEqual(other.Labels) && KeptIds.SequenceEqual(other.KeptIds) && PathDrop.SequenceEqual(other.PathDrop);

        public override int GetHashCode() => HashCode.Combine(Noise.Length, Times[0]);
    }
}
