using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Addition and SiLU, on lengths with and without a tail, in one and in several pieces.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class ElementwiseTests(string deviceName)
{
    private static readonly int[][] Shapes = [[1], [17], [113, 72], [147, 96], [2, 3, 4, 5], [4096], [4097]];

    [Test]
    public void Addition_of_two([ValueSource(nameof(Shapes))] int[] lengths)
    {
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => Addition.Apply(tape, given[0], given[1]),
            Reference = given => [.. given[0].Zip(given[1], (a, b) => a + b)],
            Tolerance = 1e-7,
        }.With(new Shape(lengths)).With(new Shape(lengths)).Verify();
    }

    [Test]
    public void Addition_of_a_tensor_to_itself()
    {
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => Addition.Apply(tape, given[0], given[0]),
            Reference = given => [.. given[0].Select(a => 2 * a)],
            Tolerance = 0,
        }.With(new Shape(17, 3)).Verify();
    }

    [Test]
    public void Silu_of([ValueSource(nameof(Shapes))] int[] lengths)
    {
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => Silu.Apply(tape, given[0]),
            Reference = given => Array.ConvertAll(given[0], References.Silu),
        }.With(new Shape(lengths), 3).Verify();
    }

    [Test]
    public void Shapes_that_differ_are_named()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor left = device.Allocate(new Shape(2, 3));
        using Tensor right = device.Allocate(new Shape(3, 2));
        Assert.That(
            () => Addition.Apply(null, left, right),
            Throws.ArgumentException.With.Message.EqualTo("addition: the second tensor must have shape [2, 3], not [3, 2]"));
    }
}
