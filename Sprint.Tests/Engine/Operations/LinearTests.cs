using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>The linear layer against float64.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class LinearTests(string deviceName)
{
    private static readonly int[][] Shapes =
    [
        // rows, inputs, outputs
        [1, 24, 36], [17, 36, 24], [113, 64, 72], [147, 96, 64], [147, 1, 1], [3, 5, 7], [33, 72, 288],
    ];

    [Test]
    public void Values_and_gradients_with_bias([ValueSource(nameof(Shapes))] int[] shape, [Values] Activation activation) =>
        Test(new Shape(shape[0], shape[1]), shape[2], activation, bias: true).Verify();

    [Test]
    public void Values_and_gradients_without_bias([Values] Activation activation) => Test(new Shape(17, 36), 40, activation, bias: false).Verify();

    [Test]
    public void All_leading_dimensions_are_rows() => Test(new Shape(2, 3, 5, 24), 36, Activation.Gelu, bias: true).Verify();

    [Test]
    public void Lengths_that_do_not_fit_are_named_with_their_values()
    {
        using Device device = TestDevice.Open(deviceName, 1);
        using Tensor x = device.Allocate(new Shape(2, 24));
        using Tensor weight = device.Allocate(new Shape(36, 25));
        using Tensor bias = device.Allocate(new Shape(35));
        using Tensor flat = device.Allocate(new Shape(24));
        Assert.That(
            () => Linear.Apply(null, x, weight), Throws.ArgumentException.With.Message.EqualTo("linear: dimension 1 of the input must be 25, not 24 (shape [2, 24])"));
        Assert.That(
            () => Linear.Apply(null, x, flat), Throws.ArgumentException.With.Message.EqualTo("linear: the weight must have 2 dimensions, not [24]"));
        using Tensor wide = device.Allocate(new Shape(2, 25));
        Assert.That(
            () => Linear.Apply(null, wide, weight, bias), Throws.ArgumentException.With.Message.EqualTo("linear: the bias must have shape [36], not [35]"));
    }

    private OperationTest Test(Shape shape, int outputs, Activation activation, bool bias)
    {
        int inputs = shape.RowLength;
        OperationTest test = new()
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => Linear.Apply(tape, given[0], given[1], bias ? given[2] : default, activation),
            Reference = given => References.Linear(given[0], given[1], bias ? given[2] : null, inputs, activation),
        };
        test.With(shape).With(new Shape(outputs, inputs), 1 / Math.Sqrt(inputs));
        return bias ? test.With(new Shape(outputs)) : test;
    }
}
