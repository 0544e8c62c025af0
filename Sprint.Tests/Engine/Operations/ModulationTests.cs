using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>The gated residual, alone and behind adaptive layer norm, whose modulation it shares, against float64.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class ModulationTests(string deviceName)
{
    private static readonly int[][] Shapes = [[1, 1, 24], [2, 17, 36], [1, 113, 72], [3, 147, 96], [2, 33, 64], [2, 5, 4]];

    [Test]
    public void Gated_residual([ValueSource(nameof(Shapes))] int[] lengths)
    {
        (int batch, int width) = (lengths[0], lengths[2]);
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => GatedResidual.Apply(tape, given[0], given[1], given[2], gateChunk: 2),
            Reference = given => References.GatedResidual(given[0], given[1], given[2], batch, width, 2),
        }.With(new Shape(lengths)).With(new Shape(lengths)).With(new Shape(batch, 3 * width)).Verify();
    }

    [Test]
    public void Gated_residual_of_a_stream_with_itself()
    {
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => GatedResidual.Apply(tape, given[0], given[0], given[1], gateChunk: 0),
            Reference = given => References.GatedResidual(given[0], given[0], given[1], 2, 24, 0),
        }.With(new Shape(2, 17, 24)).With(new Shape(2, 24)).Verify();
    }

    [Test]
    public void Layer_norm_before_a_residual_stream_that_goes_on()
    {
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) =>
            {
                using Tensor normalised = AdaptiveLayerNorm.Apply(tape, given[0], given[1], shiftChunk: 0, scaleChunk: 1);
                return GatedResidual.Apply(tape, given[0], normalised, given[1], gateChunk: 2);
            },
            Reference = given => References.GatedResidual(
                given[0], References.AdaptiveLayerNorm(given[0], given[1], 2, 36, 0, 1), given[1], 2, 36, 2),
        }.With(new Shape(2, 37, 36)).With(new Shape(2, 108)).Verify();
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor x = device.Allocate(new Shape(2, 5, 24));
        using Tensor flat = device.Allocate(new Shape(10, 24));
        using Tensor branch = device.Allocate(new Shape(2, 6, 24));
        using Tensor modulation = device.Allocate(new Shape(2, 48));
        using Tensor others = device.Allocate(new Shape(3, 48));
        using Tensor ragged = device.Allocate(new Shape(2, 50));
        Assert.That(
            () => AdaptiveLayerNorm.Apply(null, flat, modulation, 0, 1),
            Throws.ArgumentException.With.Message.EqualTo("adaptive layer norm: the input must have 3 dimensions, not [10, 24]"));
        Assert.That(
            () => AdaptiveLayerNorm.Apply(null, x, others, 0, 1),
            Throws.ArgumentException.With.Message.EqualTo("adaptive layer norm: dimension 0 of the modulation must be 2, not 3 (shape [3, 48])"));
        Assert.That(
            () => AdaptiveLayerNorm.Apply(null, x, modulation, 0, 2),
            Throws.ArgumentException.With.Message.EqualTo("adaptive layer norm: modulation rows of 48 elements have no chunk 2 of 24"));
        Assert.That(
            () => GatedResidual.Apply(null, x, x, ragged, 0),
            Throws.ArgumentException.With.Message.EqualTo("gated residual: modulation rows of 50 elements have no chunk 0 of 24"));
        Assert.That(
            () => GatedResidual.Apply(null, x, branch, modulation, 0),
            Throws.ArgumentException.With.Message.EqualTo("gated residual: the branch must have shape [2, 5, 24], not [2, 6, 24]"));
    }
}
