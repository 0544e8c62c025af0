using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Adaptive layer norm against float64.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class AdaptiveLayerNormTests(string deviceName)
{
    private static readonly int[][] Shapes = [[1, 1, 24], [2, 17, 36], [1, 113, 72], [3, 147, 96], [2, 33, 64], [2, 5, 4]];

    [Test]
    public void Adaptive_layer_norm([ValueSource(nameof(Shapes))] int[] lengths)
    {
        (int batch, int width) = (lengths[0], lengths[2]);
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => AdaptiveLayerNorm.Apply(tape, given[0], given[1], shiftChunk: 3, scaleChunk: 1),
            Reference = given => References.AdaptiveLayerNorm(given[0], given[1], batch, width, 3, 1),
        }.With(new Shape(lengths), 1.5, 0.7).With(new Shape(batch, 5 * width)).Verify();
    }

    // A mean a hundred times the deviation: the variance must not come from a difference of squares.
    [Test]
    public void Layer_norm_of_rows_far_from_zero()
    {
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => AdaptiveLayerNorm.Apply(tape, given[0], given[1], shiftChunk: 0, scaleChunk: 1),
            Reference = given => References.AdaptiveLayerNorm(given[0], given[1], 2, 72, 0, 1),
            Tolerance = 1e-5,
            GradientTolerance = 2e-5,
        }.With(new Shape(2, 9, 72), 1, 100).With(new Shape(2, 144)).Verify();
    }
}
