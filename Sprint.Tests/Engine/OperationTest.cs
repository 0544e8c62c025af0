using NUnit.Framework;
using Sprint.Engine;

namespace Sprint.Tests.Engine;

/// <summary>
/// An operation with inputs to differentiate and a float64 reference, and what must hold of every operation: values and
/// gradients as the reference's, also where a gradient is added to one that is there already; the same bits in a second run and
/// for any number of threads or order of warps; nothing read that was not written; nothing left allocated. In bfloat16 the error may be twice that of
/// the plain implementation (<see cref="CpuDevice.WithPlainBFloat16"/>) on the same inputs, thrice for gradients, and is that of float32 where that is 0.
/// </summary>
internal sealed class OperationTest
{
    private const int CheckedElements = 24;
    private readonly List<(Shape Shape, float[] Values, bool IsWide)> inputs = [];
    private readonly Random random;

    internal OperationTest(int seed = 1) => random = new Random(seed);

    /// <summary>The device to run on, as <see cref="TestDevice"/> names it.</summary>
    internal string DeviceName { get; init; } = TestDevice.Cpu;

    /// <summary>The operation; what needs no gradient it makes itself, on the device it is given.</summary>
    internal required Func<Device, Tape?, IReadOnlyList<Tensor>, Tensor> Operation { get; init; }

    internal required ReferenceFunction Reference { get; init; }

    /// <summary>How the inputs are stored that are not float32 in any case.</summary>
    private ElementType Element => TestDevice.Element(DeviceName);

    /// <summary>Largest error of the output, relative to its largest number.</summary>
    internal double Tolerance { get; init; } = 2e-6;

    /// <summary>Largest error of a gradient, relative to its input's largest.</summary>
    internal double GradientTolerance { get; init; } = 1e-5;

    /// <summary>The largest gradient of an input counts as at least this.</summary>
    internal double GradientFloor { get; init; } = 0.1;

    /// <summary>An input of random numbers around a centre.</summary>
    internal OperationTest With(Shape shape, double magnitude = 1, double centre = 0) => With(shape, Randoms(random, shape, magnitude, centre));

    internal OperationTest With(Shape shape, float[] values)
    {
        inputs.Add((shape, TestDevice.Stored(DeviceName, values), false));
        return this;
    }

    /// <summary>An input that is float32 whatever the others are.</summary>
    internal OperationTest WithWide(Shape shape, double magnitude = 1, double centre = 0)
    {
        inputs.Add((shape, Randoms(random, shape, magnitude, centre), true));
        return this;
    }

    internal static float[] Randoms(Random random, Shape shape, double magnitude = 1, double centre = 0)
    {
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(centre + (magnitude * ((2 * random.NextDouble()) - 1) * 1.7));
        return values;
    }

    /// <summary>Checks everything that must hold.</summary>
    internal void Verify()
    {
        Pass single = Run(variant: 1);
        if (Element == ElementType.BFloat16)
        {
            CheckBesidePlain(single);
        }
        else
        {
            Comparer.AssertClose("output", single.Output, Reference([.. inputs.Select(input => Doubles(input.Values))]), Tolerance);
            CheckGradients();
        }

        CheckAccumulation(single);
        foreach (int variant in (int[])[1, 2, 3])
        {
            Pass again = Run(variant);
            Comparer.AssertSameBits($"output with {TestDevice.Describe(DeviceName, variant)}", again.Output, single.Output);
            for (int i = 0; i < inputs.Count; i++)
                Comparer.AssertSameBits($"gradient of input {i} with {TestDevice.Describe(DeviceName, variant)}", again.Gradients[i], single.Gradients[i]);
        }
    }

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, value => (double)value);

    private void CheckGradients()
    {
        using Device device = TestDevice.Open(DeviceName, 2);
        Tensor[] tensors = Tensors(device);
        GradientCheckResult result = GradientCheck.Run(
            (tape, given) => Operation(device, tape, given),
            tensors,
            Reference,
            new GradientCheckSettings { Tolerance = GradientTolerance, Floor = GradientFloor, Elements = 16 });
        Assert.That(result.Passes, result.ToString());
        Array.ForEach(tensors, tensor => tensor.Dispose());
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after the check");
    }

    private void CheckBesidePlain(Pass actual)
    {
        using var plainDevice = CpuDevice.WithPlainBFloat16(2);
        Pass plain = Run(plainDevice, times: 1);
        double[][] given = [.. inputs.Select(input => Doubles(input.Values))];
        LowPrecision.AssertClose("output", actual.Output, plain.Output, Reference(given), LowPrecision.Outputs, Tolerance);
        double[] upstream = Doubles(actual.Upstream);
        for (int input = 0; input < given.Length; input++)
        {
            int[] places = [.. Enumerable.Range(0, Math.Min(CheckedElements, given[input].Length)).Select(_ => random.Next(given[input].Length)).Distinct()];
            double[] exact = [.. places.Select(place => Derivative(given, input, place, upstream))];
            LowPrecision.AssertClose(
                $"gradient of input {input}",
                [.. places.Select(place => actual.Gradients[input][place])],
                [.. places.Select(place => plain.Gradients[input][place])],
                exact,
                LowPrecision.Gradients,
                GradientTolerance,
                GradientFloor);
        }
    }

    /// <summary>Of the output weighed with the upstream gradient, by central differences.</summary>
    private double Derivative(double[][] given, int input, int place, double[] upstream)
    {
        const double Step = 1e-5;
        double value = given[input][place];
        given[input][place] = value + Step;
        double above = Reference(given).Zip(upstream, static (y, dy) => y * dy).Sum();
        given[input][place] = value - Step;
        double below = Reference(given).Zip(upstream, static (y, dy) => y * dy).Sum();
        given[input][place] = value;
        return (above - below) / (2 * Step);
    }

    /// <summary>The operation twice on the same inputs: each gradient must be twice that of one.</summary>
    private void CheckAccumulation(Pass single)
    {
        Pass twice = Run(variant: 2, times: 2);
        for (int i = 0; i < inputs.Count; i++)
        {
            float[] expected = Array.ConvertAll(single.Gradients[i], value => 2 * value);

            // In bfloat16 the first gradient is rounded before the second is added, and the sum again.
            double tolerance = Element == ElementType.BFloat16 ? 2 * BrainFloat.UnitRoundoff : 2e-6;
            Comparer.AssertClose($"added gradient of input {i}", twice.Gradients[i], expected, tolerance, GradientFloor);
        }
    }

    private Tensor[] Tensors(Device device) =>
        [.. inputs.Select(input => TestDevice.From(device, input.IsWide ? ElementType.Float32 : Element, input.Shape, input.Values))];

    private Pass Run(int variant, int times = 1)
    {
        using Device device = TestDevice.Open(DeviceName, variant);
        return Run(device, times);
    }

    private Pass Run(Device device, int times)
    {
        Tensor[] tensors = Tensors(device);
        Array.ForEach(tensors, Tape.Watch);
        using var tape = new Tape();
        (float[] values, float[] gradient) = ([], []);
        for (int time = 0; time < times; time++)
        {
            using Tensor output = Operation(device, tape, tensors);
            values = output.ToArray();
            using Tensor upstream = TestDevice.From(device, output.ElementType, output.Shape, Randoms(new Random(7), output.Shape));
            gradient = upstream.ToArray();
            tape.Backward(output, upstream);
        }

        float[][] gradients = [.. tensors.Select(tensor => Tape.GradientOf(tensor).ToArray())];
        Array.ForEach(tensors, tensor => tensor.Dispose());
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after forward and backward");
        Assert.That(device.Account.LiveBytesOf(MemoryCategory.Workspace), Is.Zero, "workspace held after forward and backward");
        return new Pass(values, gradient, gradients);
    }

    private sealed record Pass(float[] Output, float[] Upstream, float[][] Gradients);
}
