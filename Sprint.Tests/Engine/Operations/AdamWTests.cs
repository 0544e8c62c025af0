using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>AdamW over several parameters against float64: clipping, weight decay, the moving average, what is left alone.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class AdamWTests(string deviceName)
{
    /// <summary>One element, tails, and more than one piece of work.</summary>
    private static readonly int[] Counts = [1, 17, 147 * 24, 20000];

    [TestCase(1, 0, 0.9999)]
    [TestCase(1, 0.1, 0.99)]
    [TestCase(1e9, 0.1, 0)]
    [TestCase(double.PositiveInfinity, 0, 0.5)]
    public void Updates_follow_the_formula(double maximumNorm, double weightDecay, double averageDecay)
    {
        Run actual = Train(variant: 2, steps: 3, maximumNorm, weightDecay, averageDecay);
        (double[] values, double[] averages, double[] norms) = Reference(3, maximumNorm, weightDecay, averageDecay);
        Comparer.AssertClose("norms", actual.Norms, norms, 1e-6);
        Comparer.AssertClose("values", actual.Values, values, 5e-7);
        Comparer.AssertClose("averages", actual.Averages, averages, 5e-7);
    }

    [Test]
    public void The_bits_do_not_depend_on_threads_or_schedule([Values(1, 2, 3)] int variant)
    {
        Run expected = Train(variant: 1, steps: 2, 1, 0.1, 0.9);
        Run actual = Train(variant, steps: 2, 1, 0.1, 0.9);
        Comparer.AssertSameBits("values", actual.Values, expected.Values);
        Comparer.AssertSameBits("averages", actual.Averages, expected.Averages);
        Comparer.AssertSameBits("norms", actual.Norms, expected.Norms);
    }

    [Test]
    public void A_parameter_that_no_backward_pass_reached_has_a_zero_gradient()
    {
        using Device device = TestDevice.Open(deviceName);
        using Parameter reached = Filled(device, "reached", 3, 2);
        using Parameter alone = Filled(device, "alone", 5, 2);
        using var optimizer = new AdamW(device, [reached, alone]);
        reached.Gradient.CopyFrom<float>([3, 0, -4]);
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.1, 1, MaximumNorm: 1));
        Assert.That(optimizer.Norm.ToArray(), Is.EqualTo((float[])[5]));
        Assert.That(alone.Value.ToArray(), Is.All.EqualTo(2f));
        Assert.That(reached.Value.ToArray(), Is.EqualTo((float[])[1.9f, 2, 2.1f]).Within(1e-6));
        Assert.That(alone.Gradient.ToArray(), Is.All.Zero);
    }

    [Test]
    public void A_zero_gradient_moves_nothing_but_by_weight_decay([Values(0, 0.5)] double weightDecay)
    {
        using Device device = TestDevice.Open(deviceName);
        using Parameter parameter = Filled(device, "p", 4, 2);
        using var optimizer = new AdamW(device, [parameter]);
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.1, 1, WeightDecay: weightDecay, AverageDecay: 0.5));
        Assert.That(optimizer.Norm.ToArray(), Is.EqualTo((float[])[0]));
        Assert.That(parameter.Value.ToArray(), Is.All.EqualTo(2 * (1 - (0.1 * weightDecay))).Within(1e-6));
        Assert.That(optimizer.States[0].Average.ToArray(), Is.All.EqualTo(1 + (1 - (0.1 * weightDecay))).Within(1e-6));
    }

    [Test]
    public void A_frozen_parameter_is_left_alone()
    {
        using Device device = TestDevice.Open(deviceName);
        using var frozen = new Parameter(device, "mask_token", new Shape(3), trainable: false);
        frozen.Value.CopyFrom<float>([1, 2, 3]);
        using Parameter learned = Filled(device, "w", 3, 1);
        using var optimizer = new AdamW(device, [frozen, learned]);
        Assert.That(optimizer.States.Select(state => state.Parameter.Name), Is.EqualTo((string[])["w"]));
        Assert.That(optimizer.Elements, Is.EqualTo(3));
        learned.Gradient.CopyFrom<float>([1, 1, 1]);
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.1, 1, WeightDecay: 0.5));
        Assert.That(frozen.Value.ToArray(), Is.EqualTo((float[])[1, 2, 3]));
        Assert.That(() => frozen.Gradient, Throws.InvalidOperationException.With.Message.EqualTo("parameter mask_token is frozen and has no gradient"));
    }

    [Test]
    public void Gradients_are_forgotten_after_an_update_and_add_up_before()
    {
        using Device device = TestDevice.Open(deviceName);
        using Parameter parameter = Filled(device, "p", 3, 1);
        using var optimizer = new AdamW(device, [parameter]);
        using var tape = new Tape();
        for (int update = 1; update <= 2; update++)
        {
            for (int part = 0; part < 3; part++)
            {
                using Tensor y = Addition.Apply(tape, parameter.Value, parameter.Value);
                using Tensor one = device.From(new Shape(3), (float[])[1, 1, 1]);
                tape.Backward(y, one);
            }

            Assert.That(parameter.Gradient.ToArray(), Is.All.EqualTo(6f));
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(0.1, update));
            Assert.That(parameter.HasGradient, Is.False);
        }
    }

    [Test]
    public void An_update_without_the_norm_of_its_gradients_is_refused()
    {
        using Device device = TestDevice.Open(deviceName);
        using Parameter parameter = Filled(device, "p", 3, 1);
        using var optimizer = new AdamW(device, [parameter]);
        Assert.That(() => optimizer.Update(new AdamWSettings(0.1, 1)), Throws.InvalidOperationException.With.Message.Contains("MeasureNorm"));
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.1, 1));
        Assert.That(() => optimizer.Update(new AdamWSettings(0.1, 2)), Throws.InvalidOperationException);
        Assert.That(parameter.Value.ToArray(), Is.All.EqualTo(1f));
    }

    [Test]
    public void Averages_are_swapped_with_values_and_back_and_moments_reset()
    {
        using Device device = TestDevice.Open(deviceName);
        using Parameter parameter = Filled(device, "p", 3, 1);
        using var optimizer = new AdamW(device, [parameter]);
        parameter.Gradient.CopyFrom<float>([1, 1, 1]);
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.5, 1, AverageDecay: 0.5));
        (float[] values, float[] averages) = (parameter.Value.ToArray(), optimizer.States[0].Average.ToArray());
        Assert.That(values, Is.Not.EqualTo(averages));
        optimizer.SwapAverages();
        Assert.That((parameter.Value.ToArray(), optimizer.States[0].Average.ToArray()), Is.EqualTo((averages, values)));
        optimizer.SwapAverages();
        Assert.That((parameter.Value.ToArray(), optimizer.States[0].Average.ToArray()), Is.EqualTo((values, averages)));
        optimizer.ResetMoments();
        Assert.That(optimizer.States[0].FirstMoment.ToArray().Concat(optimizer.States[0].SecondMoment.ToArray()), Is.All.Zero);
    }

    /// <summary>The optimizer knows gradients by their address: a handle that someone holds must not move them.</summary>
    [Test]
    public void A_gradient_that_someone_holds_stays_where_it_is()
    {
        using Device device = TestDevice.Open(deviceName);
        using Parameter parameter = Filled(device, "p", 3, 1);
        using var optimizer = new AdamW(device, [parameter]);
        using Tensor held = parameter.Gradient.Retain();
        using var tape = new Tape();
        using Tensor y = Addition.Apply(tape, parameter.Value, parameter.Value);
        using Tensor upstream = device.From(new Shape(3), (float[])[3, 0, 4]);
        tape.Backward(y, upstream);
        Assert.That(held.ToArray(), Is.EqualTo((float[])[6, 0, 8]));
        Assert.That(parameter.Gradient.Address, Is.EqualTo(held.Address));
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.1, 1));
        Assert.That(optimizer.Norm.ToArray(), Is.EqualTo((float[])[10]));
    }

    private static Parameter Filled(Device device, string name, int count, float value)
    {
        var parameter = new Parameter(device, name, new Shape(count));
        parameter.Value.CopyFrom<float>(Enumerable.Repeat(value, count).ToArray());
        return parameter;
    }

    private static float[] Initial(int parameter) => OperationTest.Randoms(new Random(parameter), new Shape(Counts[parameter]));

    private static float[] Gradient(int parameter, int step) =>
        OperationTest.Randoms(new Random((100 * step) + parameter), new Shape(Counts[parameter]), 0.3);

    private Run Train(int variant, int steps, double maximumNorm, double weightDecay, double averageDecay)
    {
        using Device device = TestDevice.Open(deviceName, variant);
        Parameter[] parameters = [.. Counts.Select((count, i) => new Parameter(device, $"p{i}", new Shape(count)))];
        for (int i = 0; i < parameters.Length; i++)
            parameters[i].Value.CopyFrom<float>(Initial(i));
        using var optimizer = new AdamW(device, parameters);
        var norms = new float[steps];
        for (int step = 1; step <= steps; step++)
        {
            for (int i = 0; i < parameters.Length; i++)
                parameters[i].Gradient.CopyFrom<float>(Gradient(i, step));
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(0.01, step, WeightDecay: weightDecay, MaximumNorm: maximumNorm, AverageDecay: averageDecay));
            norms[step - 1] = optimizer.Norm.ToArray()[0];
        }

        var run = new Run(
            [.. parameters.SelectMany(parameter => parameter.Value.ToArray())], [.. optimizer.States.SelectMany(state => state.Average.ToArray())], norms);
        Array.ForEach(parameters, parameter => parameter.Dispose());
        return run;
    }

    private static (double[] Values, double[] Averages, double[] Norms) Reference(
        int steps, double maximumNorm, double weightDecay, double averageDecay)
    {
        double[] values = [.. Enumerable.Range(0, Counts.Length).SelectMany(Initial).Select(value => (double)value)];
        double[] averages = [.. values];
        (double[] first, double[] second, double[] norms) = (new double[values.Length], new double[values.Length], new double[steps]);
        for (int step = 1; step <= steps; step++)
        {
            double[] gradient = [.. Enumerable.Range(0, Counts.Length).SelectMany(i => Gradient(i, step)).Select(value => (double)value)];
            norms[step - 1] = Math.Sqrt(gradient.Sum(value => value * value));
            double clip = Math.Min(1, maximumNorm / (norms[step - 1] + 1e-6));
            for (int i = 0; i < values.Length; i++)
            {
                double g = gradient[i] * clip;
                first[i] = (0.9 * first[i]) + (0.1 * g);
                second[i] = (0.999 * second[i]) + (0.001 * g * g);
                double corrected = first[i] / (1 - Math.Pow(0.9, step)), root = Math.Sqrt(second[i] / (1 - Math.Pow(0.999, step)));
                values[i] = (values[i] * (1 - (0.01 * weightDecay))) - (0.01 * corrected / (root + 1e-8));
                averages[i] = (averageDecay * averages[i]) + ((1 - averageDecay) * values[i]);
            }
        }

        return (values, averages, norms);
    }

    private sealed record Run(float[] Values, float[] Averages, float[] Norms);
}
