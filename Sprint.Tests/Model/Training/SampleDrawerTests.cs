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
}
