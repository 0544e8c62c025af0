using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>What a linear layer does beside its product where its device can: the gated residual behind it, the derivative of the activation before it.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class FusedLinearTests(string deviceName)
{
    private static readonly int[][] Shapes = [[1, 1, 24, 36], [2, 17, 36, 24], [1, 113, 64, 72], [3, 33, 5, 7]];

    [Test]
    public void Gated_linear_branch([ValueSource(nameof(Shapes))] int[] lengths, [Values] bool bias)
    {
        (int batch, int tokens, int inputs, int width) = (lengths[0], lengths[1], lengths[2], lengths[3]);
        OperationTest test = new()
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => GatedLinear.Apply(tape, given[0], given[1], given[2], bias ? given[4] : default, given[3], gateChunk: 1),
            Reference = given => References.GatedResidual(given[0], References.Linear(given[1], given[2], bias ? given[4] : null, inputs), given[3], batch, width, 1),
        };
        test.With(new Shape(batch, tokens, width)).With(new Shape(batch, tokens, inputs)).With(new Shape(width, inputs), 1 / Math.Sqrt(inputs)).With(new Shape(batch, 2 * width));
        (bias ? test.With(new Shape(width)) : test).Verify();
    }

    [Test]
    public void Two_layers_with_an_activation_between([Values(Activation.Gelu, Activation.Silu)] Activation activation, [Values(1, 17, 113)] int rows) => new OperationTest
    {
        DeviceName = deviceName,
        Operation = (_, tape, given) =>
        {
            using Tensor hidden = Linear.Apply(tape, given[0], given[1], given[2], activation);
            return Linear.Apply(tape, hidden, given[3]);
        },
        Reference = given => References.Linear(References.Linear(given[0], given[1], given[2], 24, activation), given[3], null, 40),
    }.With(new Shape(rows, 24)).With(new Shape(40, 24), 0.2).With(new Shape(40)).With(new Shape(36, 40), 0.2).Verify();

    /// <summary>The derivative must not be applied by one of two readers, nor twice.</summary>
    [Test]
    public void An_activation_that_two_operations_read([Values] bool otherFirst) => new OperationTest
    {
        DeviceName = deviceName,
        Operation = (_, tape, given) =>
        {
            using Tensor hidden = Linear.Apply(tape, given[0], given[1], default, Activation.Gelu);
            using Tensor first = otherFirst ? Silu.Apply(tape, hidden) : Linear.Apply(tape, hidden, given[2]);
            using Tensor second = otherFirst ? Linear.Apply(tape, hidden, given[2]) : Silu.Apply(tape, hidden);
            return Addition.Apply(tape, first, second);
        },
        Reference = given =>
        {
            double[] hidden = References.Linear(given[0], given[1], null, 24, Activation.Gelu);
            return [.. References.Linear(hidden, given[2], null, 36).Zip(hidden, static (sum, value) => sum + References.Silu(value))];
        },
    }.With(new Shape(17, 24)).With(new Shape(36, 24), 0.2).With(new Shape(36, 36), 0.2).Verify();

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using Device device = TestDevice.Open(deviceName, 1);
        using Tensor x = device.Allocate(new Shape(2, 5, 24)), h = device.Allocate(new Shape(2, 5, 8)), weight = device.Allocate(new Shape(24, 9)), fitting = device.Allocate(new Shape(24, 8));
        using Tensor modulation = device.Allocate(new Shape(2, 24)), longer = device.Allocate(new Shape(2, 6, 8));
        Assert.That(
            () => GatedLinear.Apply(null, x, h, weight, default, modulation, 0),
            Throws.ArgumentException.With.Message.EqualTo("linear: dimension 2 of the input must be 9, not 8 (shape [2, 5, 8])"));
        Assert.That(
            () => GatedLinear.Apply(null, x, longer, fitting, default, modulation, 0),
            Throws.ArgumentException.With.Message.EqualTo("gated residual: the branch must have shape [2, 5, 24], not [2, 6, 24]"));
        Assert.That(
            () => GatedLinear.Apply(null, x, h, fitting, default, modulation, 1),
            Throws.ArgumentException.With.Message.EqualTo("gated residual: modulation rows of 24 elements have no chunk 1 of 24"));
    }
}

/// <summary>That the passes over memory are saved, by the launches.</summary>
[TestFixture]
public sealed class FusedLinearLaunchTests
{
    [Test]
    public void On_CUDA_the_passes_are_saved()
    {
        List<string> launches = [];
        using CudaDevice device = new(CudaContext.Emulated(EmulationOptions.Default, launch => launches.Add(launch.Kernel)));
        using Tensor x = device.From(new Shape(1, 2, 8), new float[16]), weight = device.From(new Shape(8, 8), new float[64]), modulation = device.From(new Shape(1, 8), new float[8]);
        Tape.Watch(x);
        using var tape = new Tape();
        using Tensor hidden = Linear.Apply(tape, x, weight, default, Activation.Gelu);
        using Tensor y = GatedLinear.Apply(tape, x, hidden, weight, default, modulation, 0);
        using Tensor gradient = device.From(y.Shape, new float[16]);
        tape.Backward(y, gradient);
        device.Synchronize();
        Assert.That(launches, Is.EqualTo(new[] { "matrix_product_forward", "matrix_product_forward", "gated_residual_backward", "matrix_product_backward_input", "matrix_product_backward_input" }));
    }
}
