using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Verification;
using Sprint.Tests.Engine;

namespace Sprint.Tests.Golden;

/// <summary>The rule of low precision: what is compared how, and that it finds what is wrong. <see cref="GoldenFolderTests"/> runs the folders.</summary>
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class GoldenPrecisionTests(string deviceName)
{
    // What conditions the model, and what goes in, is float32: an error of bfloat16 there would be a wrong turn.
    [TestCase("act.t_emb")]
    [TestCase("act.y_emb")]
    [TestCase("act.c")]
    [TestCase("act.tokens_in")]
    public void What_stays_float32_is_compared_as_in_float32(string tensor)
    {
        using Device device = TestDevice.Open(deviceName);
        TensorComparison comparison = Run(device, "forward_masked").Single().Comparisons.Single(comparison => comparison.Name == tensor);
        Assert.That(comparison.Tolerance, Is.EqualTo(GoldenTolerances.Output));
        Assert.That(comparison.Passes, comparison.ToString());
    }

    // A layer norm that is 3% too large: eight times what one rounding changes.
    [Test]
    public void A_planted_error_fails()
    {
        using Device device = TestDevice.Open(deviceName);
        device.Register<IAdaptiveLayerNormKernels>(new Scaled(device.Kernels<IAdaptiveLayerNormKernels>(), 1.03f));
        GoldenCase result = Run(device, "forward_masked").Single();
        Assert.That(result.Passes, Is.False);
        Assert.That(result.Comparisons.Where(comparison => !comparison.Passes).Select(comparison => comparison.Name), Does.Contain("act.encoder.0").And.Contain("output"));
    }

    [Test]
    public void A_wrong_number_beside_a_failing_plain_implementation_does_not_pass()
    {
        var own = new TensorComparison("x", 1, 1e-5, "largest difference", 0);
        Assert.That(own.Beside(own with { Error = double.NaN }).Passes, Is.False);
        Assert.That(own.Beside(own with { Error = double.PositiveInfinity }).Passes, Is.False);
        Assert.That((own with { Error = double.NaN }).Beside(own).Passes, Is.False);
        Assert.That(own.Beside(own with { Error = 0.49 }).Passes, Is.False);
        Assert.That(own.Beside(own with { Error = 0.51 }).Passes, Is.True);
        var failed = new GoldenCase("case", []) { Failure = "no memory" };
        Assert.That(new GoldenCase("case", [own with { Error = 0 }]).Beside(failed).Passes, Is.False);
    }

    [Test]
    public void A_sum_that_the_plain_implementation_hits_by_chance_may_be_off_by_three_roundings()
    {
        var own = TensorComparison.OfLargest("x", [2.02f, 0], [2, 0], 5e-5);
        TensorComparison lucky = own with { Error = 0 };
        Assert.That(own.Beside(lucky).Passes, Is.False);
        Assert.That(own.OfSums([]).Beside(lucky).Passes, Is.True);
        Assert.That((own with { Error = 0.0118 }).OfSums([]).Beside(lucky).Passes, Is.False);
    }

    [Test]
    public void A_step_of_a_sampler_is_measured_by_the_whole_trajectory_of_the_plain_implementation()
    {
        TensorComparison step = new("x", 0.019, 1e-5, "largest difference", 0) { Trajectory = "v" };
        GoldenCase own = new("case", [step, step, step with { Trajectory = null }]);
        GoldenCase plain = new("case", [step with { Error = 0.001 }, step with { Error = 0.01 }, step with { Error = 0.001, Trajectory = null }]);
        Assert.That(own.Beside(plain).Comparisons.Select(comparison => comparison.Passes), Is.EqualTo((bool[])[true, true, false]));
        GoldenCase broken = new("case", [step with { Error = double.NaN }, .. plain.Comparisons.Skip(1)]);
        Assert.That(own.Beside(broken).Comparisons.Select(comparison => comparison.Passes), Is.EqualTo((bool[])[false, false, false]));
    }

    [Test]
    public void Against_zeros_an_error_is_measured_by_the_other_gradients()
    {
        Assert.That(TensorComparison.OfLargest("x", [1e-6f], [0], 5e-5).Passes, Is.False);
        Assert.That(TensorComparison.OfLargest("x", [1e-6f], [0], 5e-5, scale: 0.1).Passes, Is.True);
        Assert.That(TensorComparison.OfLargest("x", [1e-5f], [0], 5e-5, scale: 0.1).Passes, Is.False);
        Assert.That(TensorComparison.OfLargest("x", [float.NaN], [0], 5e-5, scale: 0.1).Passes, Is.False);
        Assert.That(TensorComparison.OfLargest("x", [1e-5f], [1e-6f], 5e-5, scale: 1).Passes, Is.False);
    }

    private static IReadOnlyList<GoldenCase> Run(Device device, string file)
    {
        var verifier = new GoldenVerifier(device, GoldenFile.PathOf("tiny"), Precision.Bf16);
        return verifier.Run(Path.Combine(GoldenFile.PathOf("tiny"), file + ".safetensors"));
    }

    private sealed class Scaled(IAdaptiveLayerNormKernels inner, float factor) : IAdaptiveLayerNormKernels
    {
        public void Forward(Tensor input, Tensor modulation, int shiftChunk, int scaleChunk, Tensor output, Tensor statistics)
        {
            inner.Forward(input, modulation, shiftChunk, scaleChunk, output, statistics);
            output.CopyFrom<ushort>(Array.ConvertAll(output.ToArray(), value => BrainFloat.Narrow(factor * value)));
        }

        public void Backward(
            Tensor gradient,
            Tensor input,
            Tensor modulation,
            int shiftChunk,
            int scaleChunk,
            Tensor statistics,
            Tensor inputGradient,
            bool accumulate,
            Tensor modulationGradient) =>
            inner.Backward(gradient, input, modulation, shiftChunk, scaleChunk, statistics, inputGradient, accumulate, modulationGradient);
    }
}
