using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Parameters with a bfloat16 shadow: who writes it, and that nothing else changes.</summary>
[TestFixture("plain")]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class ShadowTests(string deviceName)
{
    /// <summary>One element, tails of each kind, and more than one piece of work.</summary>
    private static readonly int[] Counts = [1, 17, 147 * 24, 20003];

    [Test]
    public void Values_and_averages_are_those_without_shadows_and_shadows_are_the_values_rounded([Values(1, 2, 3)] int variant)
    {
        using Device device = Open(variant);
        Run wide = Train(device, ElementType.Float32), mixed = Train(device, ElementType.BFloat16);
        Comparer.AssertSameBits("values", mixed.Values, wide.Values);
        Comparer.AssertSameBits("averages", mixed.Averages, wide.Averages);
        Comparer.AssertSameBits("norms", mixed.Norms, wide.Norms);
        Comparer.AssertSameBits("shadows", mixed.Operands, Array.ConvertAll(wide.Values, BrainFloat.Round));
        Comparer.AssertSameBits("operands", wide.Operands, wide.Values);
        Assert.That(mixed.Operands, Is.Not.EqualTo(mixed.Values));
        Assert.That(device.Account.LiveBytes, Is.Zero);
    }

    [Test]
    public void A_shadow_is_rounded_anew_when_asked_and_when_averages_are_swapped()
    {
        using Device device = Open(2);
        using Parameter parameter = Filled(device, [1.001f, -3.02f, 0.5f]);
        Assert.That(parameter.Operand.ToArray(), Is.EqualTo((float[])[1, -3.015625f, 0.5f]));
        using var optimizer = new AdamW(device, [parameter]);
        parameter.Gradient.CopyFrom<float>([1, 1, 1]);
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(0.5, 1, AverageDecay: 0.5));
        float[] updated = parameter.Shadow.ToArray();
        optimizer.SwapAverages();
        Comparer.AssertSameBits("shadow of the average", parameter.Shadow.ToArray(), Array.ConvertAll(parameter.Value.ToArray(), BrainFloat.Round));
        Assert.That(parameter.Shadow.ToArray(), Is.Not.EqualTo(updated));
        optimizer.SwapAverages();
        Comparer.AssertSameBits("shadow swapped back", parameter.Shadow.ToArray(), updated);
    }

    // 1 + 2^-9 twice: in bfloat16 each addition would be lost.
    [Test]
    public void Gradients_of_a_shadow_are_gathered_in_float32()
    {
        using Device device = Open(1);
        using var weight = new Parameter(device, "w", new Shape(1, 2), trainable: true, ElementType.BFloat16);
        weight.Value.CopyFrom<float>([1, 1]);
        weight.UpdateShadow();
        using Tensor x = TestDevice.From(device, ElementType.BFloat16, new Shape(1, 2), [1, 0.001953125f]);
        using var tape = new Tape();
        foreach (float upstream in (float[])[1, 0.001953125f, 0.001953125f])
        {
            using Tensor y = Linear.Apply(tape, x, weight.Operand, outputType: ElementType.Float32);
            using Tensor gradient = device.From(new Shape(1, 1), (float[])[upstream]);
            tape.Backward(y, gradient);
        }

        Assert.That(weight.Gradient.ElementType, Is.EqualTo(ElementType.Float32));
        Assert.That(weight.Gradient.ToArray(), Is.EqualTo((float[])[1.00390625f, 0.00196075439453125f]));
        Assert.That((weight.Trainable, weight.HasGradient), Is.EqualTo((true, true)));
        weight.ForgetGradient();
        Assert.That(weight.HasGradient, Is.False);
    }

    // What narrows float32 keeps its gradient, which three readers add to, in float32.
    [Test]
    public void The_gradient_of_a_narrowed_tensor_is_gathered_in_float32()
    {
        using Device device = Open(1);
        using Tensor x = device.From(new Shape(1, 1), (float[])[1.003f]);
        Tape.Watch(x);
        using var tape = new Tape();
        using Tensor narrow = Narrowing.Apply(tape, x, ElementType.BFloat16);
        Assert.That(narrow.ToArray(), Is.EqualTo((float[])[1]));
        using Tensor one = TestDevice.From(device, ElementType.BFloat16, new Shape(1, 1), [1]), small = TestDevice.From(device, ElementType.BFloat16, new Shape(1, 1), [0.001953125f]);
        Tensor[] results = [Linear.Apply(tape, narrow, one), Linear.Apply(tape, narrow, small), Linear.Apply(tape, narrow, small)];
        using Tensor sum = Addition.Apply(tape, results[0], results[1]);
        using Tensor all = Addition.Apply(tape, sum, results[2]);
        tape.Backward(all, one);
        Assert.That(Tape.GradientOf(x).ToArray(), Is.EqualTo((float[])[1.00390625f]));
        Array.ForEach(results, result => result.Dispose());
    }

    // Each reader hands on a bfloat16 gradient; of their sum bfloat16 would lose the small ones.
    [TestCase(1)]
    [TestCase(17)]
    [TestCase(4099)]
    public void Gradients_that_are_handed_on_to_a_narrowed_tensor_are_added_in_float32(int count)
    {
        using Device device = Open(2);
        float[] upstream = Array.ConvertAll(OperationTest.Randoms(new Random(count), new Shape(count)), BrainFloat.Round);
        using Tensor x = device.From(new Shape(count), new float[count]), other = TestDevice.From(device, ElementType.BFloat16, new Shape(count), new float[count]);
        using Tensor narrow = Narrowing.Apply(null, x, ElementType.BFloat16);
        Tape.Watch(narrow);
        using var tape = new Tape();
        float[] expected = new float[count];
        foreach (float scale in (float[])[1, 0.001953125f, 0.001953125f])
        {
            float[] scaled = Array.ConvertAll(upstream, value => value * scale);
            using Tensor sum = Addition.Apply(tape, other, narrow);
            using Tensor gradient = TestDevice.From(device, ElementType.BFloat16, new Shape(count), scaled);
            tape.Backward(sum, gradient);
            expected = [.. expected.Zip(scaled, static (a, b) => a + b)];
        }

        Comparer.AssertSameBits("the gradient", Tape.GradientOf(narrow).ToArray(), expected);
        Assert.That(expected, Is.Not.EqualTo(Array.ConvertAll(expected, BrainFloat.Round)));
    }

    [TestCase(1)]
    [TestCase(17)]
    [TestCase(4099)]
    public void Narrowing_rounds_to_nearest_with_ties_to_even(int count)
    {
        using Device device = Open(2);
        float[] special = [0f, -0f, 1.00390625f, 1.01171875f, float.MaxValue, 1e-40f, float.NegativeInfinity];
        float[] values = [.. OperationTest.Randoms(new Random(count), new Shape(count)).Select((value, i) => i % 3 == 0 ? special[i / 3 % special.Length] : value)];
        using Tensor wide = device.From(new Shape(count), values);
        using Tensor narrow = Narrowing.Apply(null, wide, ElementType.BFloat16);
        Comparer.AssertSameBits("narrowed", narrow.ToArray(), Array.ConvertAll(values, BrainFloat.Round));
        using Tensor same = Narrowing.Apply(null, wide, ElementType.Float32);
        Assert.That(same, Is.EqualTo(wide));
    }

    private Device Open(int variant) => deviceName == "plain" ? CpuDevice.WithPlainBFloat16(variant) : TestDevice.Open(deviceName, variant);

    private static Parameter Filled(Device device, float[] values)
    {
        var parameter = new Parameter(device, "p", new Shape(values.Length), trainable: true, ElementType.BFloat16);
        parameter.Value.CopyFrom<float>(values);
        parameter.UpdateShadow();
        return parameter;
    }

    private static Run Train(Device device, ElementType operands)
    {
        Parameter[] parameters = [.. Counts.Select((count, i) => new Parameter(device, $"p{i}", new Shape(count), i != 1, operands))];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Value.CopyFrom<float>(OperationTest.Randoms(new Random(i), parameters[i].Value.Shape));
            parameters[i].UpdateShadow();
        }

        using var optimizer = new AdamW(device, parameters);
        var norms = new float[2];
        for (int step = 1; step <= norms.Length; step++)
        {
            foreach (AdamWState state in optimizer.States)
                state.Parameter.Gradient.CopyFrom<float>(OperationTest.Randoms(new Random(step), state.FirstMoment.Shape));
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(0.01, step, WeightDecay: 0.1, AverageDecay: 0.9));
            norms[step - 1] = optimizer.Norm.ToArray()[0];
        }

        var run = new Run(
            [.. parameters.SelectMany(parameter => parameter.Value.ToArray())],
            [.. optimizer.States.SelectMany(state => state.Average.ToArray())],
            [.. parameters.SelectMany(parameter => parameter.Operand.ToArray())],
            norms);
        Array.ForEach(parameters, parameter => parameter.Dispose());
        return run;
    }

    private sealed record Run(float[] Values, float[] Averages, float[] Operands, float[] Norms);
}
