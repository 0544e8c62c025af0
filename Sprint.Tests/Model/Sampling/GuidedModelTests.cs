using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Tests.Model.Sampling;

/// <summary>Which evaluations guidance makes, and how it mixes them.</summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class GuidedModelTests(bool other)
{
    private const int Null = 5;
    private CpuDevice device = null!;
    private SprintTransformer model = null!;
    private double[] state = null!;

    [OneTimeSetUp]
    public void Create()
    {
        device = new CpuDevice { PoisonsMemory = true };
        model = TinyModel.Build(device, other ? TinyModel.SwiGluAndLora : TinyModel.Configuration);
        state = [.. TinyModel.Images(TinyModel.Configuration, 2).Select(value => (double)value)];
    }

    [OneTimeTearDown]
    public void Free()
    {
        model.Dispose();
        device.Dispose();
    }

    [TestCase(GuidanceKind.None, 3, 0, 1)]
    [TestCase(GuidanceKind.Cfg, 1, 0, 1)]
    [TestCase(GuidanceKind.Pdg, 1, 0, 1)]
    [TestCase(GuidanceKind.Pdg, double.NaN, 0, 1)]
    [TestCase(GuidanceKind.Cfg, 3, 0.7, 1)]
    [TestCase(GuidanceKind.Pdg, 3, 0, 0.5)]
    public void Where_guidance_does_not_act_the_conditional_model_alone_is_evaluated(GuidanceKind guidance, double scale, double low, double high)
    {
        var evaluations = new List<bool>();
        double[] velocity = Velocity(guidance, scale, low, high, evaluations);
        Assert.That(evaluations, Is.EqualTo((bool[])[true]));
        Assert.That(velocity, Is.EqualTo(Forward([1, 3], TokenSelection.Dense).Select(value => (double)value)));
    }

    [TestCase(GuidanceKind.Cfg, 2.5, 0, 1)]
    [TestCase(GuidanceKind.Pdg, 1.5, 0, 1)]
    [TestCase(GuidanceKind.Pdg, 0.5, 0, 1)]
    [TestCase(GuidanceKind.Cfg, 0, 0, 1)]
    [TestCase(GuidanceKind.Pdg, 1.5, 0.6, 0.6)]
    public void Guidance_mixes_the_conditional_and_the_unconditional_velocity(GuidanceKind guidance, double scale, double low, double high)
    {
        var evaluations = new List<bool>();
        double[] velocity = Velocity(guidance, scale, low, high, evaluations);
        float[] conditional = Forward([1, 3], TokenSelection.Dense);
        float[] unconditional = Forward([Null, Null], guidance == GuidanceKind.Pdg ? TokenSelection.PathDropped : TokenSelection.Dense);
        Assert.That(evaluations, Is.EqualTo((bool[])[true, false]));
        Assert.That(velocity, Is.EqualTo(conditional.Zip(unconditional, (c, u) => u + (scale * ((double)c - u)))).Within(1e-12));
    }

    [Test]
    public void The_kinds_of_guidance_differ()
    {
        double[] cfg = Velocity(GuidanceKind.Cfg, 2, 0, 1, []);
        double[] pdg = Velocity(GuidanceKind.Pdg, 2, 0, 1, []);
        Assert.That(cfg.Zip(pdg, (a, b) => Math.Abs(a - b)).Max(), Is.GreaterThan(1e-3));
    }

    [TestCase(-1)]
    [TestCase(6)]
    public void A_label_that_is_no_class_is_refused(int label) => Assert.That(
        () => new GuidedModel(model, [0, label]),
        Throws.TypeOf<SprintException>().With.Message.EqualTo($"class {label} is not one of the model's 5 classes: use 0 to 4"));

    [Test]
    public void An_evaluation_leaves_nothing_allocated()
    {
        long live = device.Account.LiveBytes;
        Velocity(GuidanceKind.Pdg, 2, 0, 1, []);
        Assert.That(device.Account.LiveBytes, Is.EqualTo(live));
    }

    private double[] Velocity(GuidanceKind guidance, double scale, double low, double high, List<bool> evaluations)
    {
        var guided = new GuidedModel(model, [1, 3])
        {
            Guidance = guidance,
            Scale = scale,
            Low = low,
            High = high,
            ModelEvaluated = (conditional, _) => evaluations.Add(conditional),
        };
        Assert.That(guided.StateLength, Is.EqualTo(state.Length));
        var velocity = new double[state.Length];
        guided.Velocity(state, 0.6, velocity);
        return velocity;
    }

    private float[] Forward(int[] labels, TokenSelection selection)
    {
        using Tensor image = device.From(new Shape(2, 3, 16, 16), Array.ConvertAll(state, value => (float)value));
        using Tensor times = device.From(new Shape(2), (float[])[0.6f, 0.6f]);
        using Tensor classes = device.From(new Shape(2), labels);
        using Tensor output = model.Forward(null, image, times, classes, selection);
        return output.ToArray();
    }
}
