using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Autograd;

/// <summary>The gradient check must fail where it should: the tests of operations rest on it.</summary>
[TestFixture]
public sealed class GradientCheckTests
{
    private CpuDevice device = null!;
    private Tensor x;

    [SetUp]
    public void Create()
    {
        device = new CpuDevice(threads: 1);
        x = device.From(new Shape(10, 20), OperationTest.Randoms(new Random(3), new Shape(10, 20)));
    }

    [TearDown]
    public void Free()
    {
        x.Dispose();
        Assert.That(device.Account.LiveBytes, Is.Zero);
        device.Dispose();
    }

    [Test]
    public void A_right_gradient_passes()
    {
        GradientCheckResult result = GradientCheck.Run((tape, inputs) => Silu.Apply(tape, inputs[0]), [x], SiluOf);
        Assert.That(result.Passes, result.ToString());
        Assert.That(result.Worst, Has.Count.EqualTo(1));
        Assert.That(result.Worst[0].Tolerance, Is.InRange(1e-6, 1e-4));
    }

    [Test]
    public void A_right_gradient_passes_without_a_reference()
    {
        GradientCheckResult result = GradientCheck.Run((tape, inputs) => Silu.Apply(tape, inputs[0]), [x]);
        Assert.That(result.Passes, result.ToString());
    }

    [Test]
    public void One_wrong_element_fails_with_its_place_and_numbers([Values(0, 137, 199)] int index)
    {
        GradientCheckResult result = GradientCheck.Run(
            Bent(gradient => gradient[index] += 0.001f), [x], SiluOf, new GradientCheckSettings { Elements = 200 });
        GradientDifference worst = result.Worst[0];
        Assert.That(result.Passes, Is.False);
        Assert.That(worst.Index, Is.EqualTo(index));
        Assert.That(worst.Error, Is.EqualTo(0.001).Within(1e-5));
        Assert.That(worst.Actual - worst.Expected, Is.EqualTo(0.001).Within(1e-5));
        Assert.That(result.ToString(), Does.Contain($"element {index}").And.Contain("FAILS"));
    }

    [Test]
    public void An_element_that_is_not_moved_alone_fails_along_the_direction()
    {
        var settings = new GradientCheckSettings { Elements = 2 };
        int failures = Enumerable.Range(0, 200).Count(index =>
            !GradientCheck.Run(Bent(gradient => gradient[index] += 0.1f), [x], SiluOf, settings).Passes);

        // A direction may have next to nothing along one element; it has not along many.
        Assert.That(failures, Is.GreaterThan(190));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void A_gradient_that_is_not_finite_fails(float value)
    {
        DifferentiableOperation operation = Bent(gradient => gradient[5] = value);
        Assert.That(GradientCheck.Run(operation, [x], SiluOf).Passes, Is.False);
        Assert.That(GradientCheck.Run(operation, [x]).Passes, Is.False);
    }

    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void A_reference_that_is_not_finite_fails(double value) => Assert.That(
        GradientCheck.Run((tape, inputs) => Silu.Apply(tape, inputs[0]), [x], inputs => [.. SiluOf(inputs).Select(y => y * value)]).Passes,
        Is.False);

    [Test]
    public void A_wrong_factor_fails_without_a_reference() => Assert.That(
        GradientCheck.Run(Bent(gradient => Scale(gradient, 1.01f)), [x]).Passes, Is.False);

    [Test]
    public void An_input_whose_gradient_is_forgotten_fails()
    {
        using Tensor y = device.From(x.Shape, OperationTest.Randoms(new Random(4), x.Shape));
        GradientCheckResult result = GradientCheck.Run(
            (tape, inputs) => Silu.Apply(tape, inputs[0]), [x, y], inputs => [.. SiluOf(inputs).Zip(inputs[1], (a, b) => a + b)]);
        Assert.That(result.Worst[0].Passes, Is.True);
        Assert.That(result.Worst[1].Passes, Is.False);
        Assert.That(result.Worst[1].Actual, Is.Zero);
    }

    [Test]
    public void Inputs_are_left_as_they_were()
    {
        float[] before = x.ToArray();
        _ = GradientCheck.Run((tape, inputs) => Silu.Apply(tape, inputs[0]), [x]);
        Comparer.AssertSameBits("x", x.ToArray(), before);
        Assert.That(x.RequiresGradient, Is.False);
        Assert.That(Tape.GradientOf(x).IsEmpty);
    }

    [Test]
    public void A_parameter_can_be_checked_and_keeps_no_gradient()
    {
        using var weight = new Parameter(device, "w", new Shape(7, 20));
        weight.Value.CopyFrom<float>(OperationTest.Randoms(new Random(5), weight.Value.Shape, 0.3));
        weight.Gradient.CopyFrom<float>(Enumerable.Repeat(1000f, 140).ToArray());
        Tensor input = x;
        GradientCheckResult result = GradientCheck.Run((tape, inputs) => Linear.Apply(tape, input, inputs[0]), [weight.Value]);
        Assert.That(result.Passes, result.ToString());
        Assert.That(weight.HasGradient, Is.False);
        Assert.That(weight.Trainable);
    }

    [Test]
    public void Inputs_that_cannot_be_checked_are_refused()
    {
        using Tensor ids = device.From(new Shape(2), (int[])[1, 2]);
        Assert.That(() => GradientCheck.Run((tape, inputs) => inputs[0].Retain(), [ids]), Throws.ArgumentException.With.Message.Contains("Int32"));
        Assert.That(() => GradientCheck.Run((tape, inputs) => x.Retain(), []), Throws.ArgumentException.With.Message.Contains("no input"));
        Assert.That(
            () => GradientCheck.Run((tape, inputs) => Silu.Apply(tape, inputs[0]), [x], _ => [1, 2]),
            Throws.ArgumentException.With.Message.Contains("2 numbers, the operation 200"));
    }

    private static double[] SiluOf(IReadOnlyList<double[]> inputs) => Array.ConvertAll(inputs[0], value => value / (1 + Math.Exp(-value)));

    private static void Scale(float[] gradient, float factor)
    {
        for (int i = 0; i < gradient.Length; i++)
            gradient[i] *= factor;
    }

    /// <summary>SiLU with a backward pass that is changed afterwards.</summary>
    private static DifferentiableOperation Bent(Action<float[]> change) => (tape, inputs) =>
    {
        Tensor output = Silu.Apply(null, inputs[0]);
        if (Tape.Records(tape, inputs[0]))
        {
            BentNode node = tape.Record<BentNode>(output);
            node.Input = inputs[0].Retain();
            node.Slot = Tape.Slot(inputs[0]);
            node.Change = change;
        }

        return output;
    };

    private sealed class BentNode : TapeNode
    {
        internal Tensor Input { get; set; }

        internal GradientSlot Slot { get; set; }

        internal Action<float[]> Change { get; set; } = null!;

        protected internal override void Backward(Tensor gradient)
        {
            float[] values = Input.ToArray();
            float[] upstream = gradient.ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                double sigmoid = 1 / (1 + Math.Exp(-values[i]));
                values[i] = (float)(upstream[i] * sigmoid * (1 + (values[i] * (1 - sigmoid))));
            }

            Change(values);
            Slot.Buffer(out _).CopyFrom<float>(values);
        }

        protected internal override void Release()
        {
            Input.Dispose();
            Tape.Release(Slot);
        }
    }
}
