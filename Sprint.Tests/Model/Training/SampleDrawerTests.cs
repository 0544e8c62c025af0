using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Sampling;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

[TestFixture]
public sealed class SampleDrawerTests
{
    [TestCase(SamplerKind.Ode)]
    [TestCase(SamplerKind.Sde)]
    public void A_sample_of_a_class_does_not_depend_on_the_others(SamplerKind sampler)
    {
        using var device = new CpuDevice(1);
        using var model = new SprintTransformer(device, TinyRun.Configuration.Model, 3);
        var settings = new SamplesConfiguration { Sampler = sampler, Steps = 3 };
        float[] many = SampleDrawer.Draw(model, [0, 0, 0, 1, 1, 1, 2, 2, 2], settings, FlowPath.Linear, 5);
        float[] few = SampleDrawer.Draw(model, [1, 2], settings, FlowPath.Linear, 5);
        Assert.That(few[..64], Is.EqualTo(many[(3 * 64)..(4 * 64)]));
        Assert.That(few[64..], Is.EqualTo(many[(6 * 64)..(7 * 64)]));
        Assert.That(many[..64], Is.Not.EqualTo(many[64..128]));
        Assert.That(SampleDrawer.Draw(model, [1, 2], settings, FlowPath.Linear, 6), Is.Not.EqualTo(few));
        Assert.That(SampleDrawer.Draw(model, [1, 2], settings, FlowPath.Linear, 5), Is.EqualTo(few));
    }

    [TestCase(SamplerKind.Ode)]
    [TestCase(SamplerKind.Sde)]
    public void Samples_have_the_same_bits_in_whichever_chunk_they_are_drawn(SamplerKind sampler)
    {
        using var device = new CpuDevice(1);
        using var model = new SprintTransformer(device, TinyRun.Configuration.Model, 3);
        var settings = new SamplesConfiguration { Sampler = sampler, Steps = 3 };
        var seen = new Counter();
        float[] many = SampleDrawer.Draw(model, new int[130], settings, FlowPath.Linear, 5, seen);
        float[] shifted = SampleDrawer.Draw(model, [.. Enumerable.Repeat(1, 30), .. new int[130]], settings, FlowPath.Linear, 5);
        Assert.That(many, Has.Length.EqualTo(130 * 64));
        Assert.That(shifted[(30 * 64)..], Is.EqualTo(many));
        Assert.That(many.Chunk(64).Select(image => image[0]).Distinct().Count(), Is.GreaterThan(120), "no noise comes twice");
        Assert.That(seen.Steps, Is.EqualTo(3 * SampleDrawer.Chunks(130)));
        Assert.That(seen.Longest, Is.EqualTo(SampleDrawer.ChunkSize * 64));
    }

    [TestCase(1, 1)]
    [TestCase(64, 1)]
    [TestCase(65, 2)]
    [TestCase(int.MaxValue, 1 << 25)]
    public void Chunks_hold_at_most_sixty_four_samples(int samples, int chunks) => Assert.That(SampleDrawer.Chunks(samples), Is.EqualTo(chunks));

    [Test]
    public void More_samples_than_an_array_holds_are_refused()
    {
        using var device = new DryRunDevice();
        using var model = new SprintTransformer(device, TinyRun.Configuration.Model with { ContextSize = 2048, PatchSize = 128 }, 3);
        Assert.That(
            () => SampleDrawer.Draw(model, new int[1024], new SamplesConfiguration(), FlowPath.Linear, 5),
            new SprintFault("1024 samples of 1 x 2048 x 2048 are more than one array holds: draw fewer"));
    }

    private sealed class Counter : ISamplerObserver
    {
        internal int Steps { get; private set; }

        internal int Longest { get; private set; }

        public void Step(int step, double time, ReadOnlySpan<double> state)
        {
            Steps++;
            Longest = Math.Max(Longest, state.Length);
        }
    }
}
