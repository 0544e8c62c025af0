using NUnit.Framework;
using Sprint.Engine;

namespace Sprint.Tests.Engine;

/// <summary>
/// An operation with inputs to differentiate and a float64 reference, and what must hold of every operation: values and
/// gradients as the reference's, also where a gradient is added to one that is there already; the same bits in a second run and
/// for any number of threads or order of warps; nothing read that was not written; nothing left allocated.
/// </summary>
internal sealed class OperationTest
{
    private readonly List<(Shape Shape, float[] Values)> inputs = [];
    private readonly Random random;

    internal OperationTest(int seed = 1) => random = new Random(seed);

    /// <summary>The device to run on, as <see cref="TestDevice"/> names it.</summary>
    internal string DeviceName { get; init; } = TestDevice.Cpu;

    /// <summary>The operation; what needs no gradient it makes itself, on the device it is given.</summary>
    internal required Func<Device, Tape?, IReadOnlyList<Tensor>, Tensor> Operation { get; init; }

    internal required ReferenceFunction Reference { get; init; }

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
        inputs.Add((shape, values));
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
        Comparer.AssertClose("output", single.Output, Reference([.. inputs.Select(input => Doubles(input.Values))]), Tolerance);
        CheckGradients();
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

    /// <summary>The operation twice on the same inputs: each gradient must be twice that of one.</summary>
    private void CheckAccumulation(Pass single)
    {
        Pass twice = Run(variant: 2, times: 2);
        for (int i = 0; i < inputs.Count; i++)
        {
            float[] expected = Array.ConvertAll(single.Gradients[i], value => 2 * value);
            Comparer.AssertClose($"added gradient of input {i}", twice.Gradients[i], expected, 2e-6, GradientFloor);
        }
    }

    private Tensor[] Tensors(Device device) => [.. inputs.Select(input => device.From(input.Shape, input.Values))];

    private Pass Run(int variant, int times = 1)
    {
        using Device device = TestDevice.Open(DeviceName, variant);
        Tensor[] tensors = Tensors(device);
        Array.ForEach(tensors, Tape.Watch);
        using var tape = new Tape();
        float[] values = [];
        for (int time = 0; time < times; time++)
        {
            using Tensor output = Operation(device, tape, tensors);
            values = output.ToArray();
            using Tensor upstream = device.From(output.Shape, Randoms(new Random(7), output.Shape));
            tape.Backward(output, upstream);
        }

        float[][] gradients = [.. tensors.Select(tensor => Tape.GradientOf(tensor).ToArray())];
        Array.ForEach(tensors, tensor => tensor.Dispose());
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after forward and backward");
        Assert.That(device.Account.LiveBytesOf(MemoryCategory.Workspace), Is.Zero, "workspace held after forward and backward");
        return new Pass(values, gradients);
    }

    private sealed record Pass(float[] Output, float[][] Gradients);
}
