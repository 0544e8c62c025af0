using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>The objective: what the model sees, what it should predict, and the loss.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class FlowMatchingTests(string deviceName)
{
    [Test]
    public void Data_and_noise_are_mixed([Values] FlowPath path, [Values(1, 3)] int variant)
    {
        using Device device = TestDevice.Open(deviceName, variant);
        var shape = new Shape(5, 3, 7, 9);
        var random = new Random(1);
        float[] data = TestDevice.Stored(deviceName, OperationTest.Randoms(random, shape)), noise = TestDevice.Stored(deviceName, OperationTest.Randoms(random, shape));
        float[] times = [0, 0.25f, 0.5f, 0.9f, 1];
        (float[] mixed, float[] velocity) = Interpolate(device);
        using var plainDevice = CpuDevice.WithPlainBFloat16(1);
        (float[]? plainMixed, float[]? plainVelocity) = TestDevice.Element(deviceName) == ElementType.BFloat16 ? Interpolate(plainDevice) : default;

        var expected = new double[data.Length];
        var expectedVelocity = new double[data.Length];
        for (int i = 0; i < data.Length; i++)
        {
            double t = times[i / (3 * 7 * 9)], angle = Math.PI / 2 * t;
            expected[i] = path == FlowPath.Linear ? ((1 - t) * data[i]) + (t * noise[i]) : (Math.Cos(angle) * data[i]) + (Math.Sin(angle) * noise[i]);
            expectedVelocity[i] = path == FlowPath.Linear
                ? noise[i] - data[i]
                : Math.PI / 2 * ((Math.Cos(angle) * noise[i]) - (Math.Sin(angle) * data[i]));
        }

        LowPrecision.AssertClose("mixed", mixed, plainMixed, expected, LowPrecision.Outputs, 3e-7);
        LowPrecision.AssertClose("velocity", velocity, plainVelocity, expectedVelocity, LowPrecision.Outputs, 3e-7);

        (float[] Mixed, float[] Velocity) Interpolate(Device on)
        {
            using Tensor dataTensor = TestDevice.From(on, TestDevice.Element(deviceName), shape, data);
            using Tensor noiseTensor = TestDevice.From(on, TestDevice.Element(deviceName), shape, noise);
            using Tensor timeTensor = on.From(new Shape(5), times);
            using Tensor mixture = FlowMatching.Interpolate(dataTensor, noiseTensor, timeTensor, path, out Tensor target);
            using (target)
                return (mixture.ToArray(), target.ToArray());
        }
    }

    // The velocity is the derivative of the mixture by time.
    [Test]
    public void The_coefficients_derivatives_are_those_of_the_coefficients([Values] FlowPath path, [Values(0.1, 0.5, 0.93)] double time)
    {
        const double Step = 1e-5;
        FlowCoefficients at = FlowCoefficients.At(path, time);
        (FlowCoefficients low, FlowCoefficients high) = (FlowCoefficients.At(path, time - Step), FlowCoefficients.At(path, time + Step));
        Assert.That(at.AlphaDerivative, Is.EqualTo((high.Alpha - low.Alpha) / (2 * Step)).Within(1e-8));
        Assert.That(at.SigmaDerivative, Is.EqualTo((high.Sigma - low.Sigma) / (2 * Step)).Within(1e-8));
    }

    [TestCase(1)]
    [TestCase(147)]
    [TestCase(4097)]
    [TestCase(40000)]
    public void The_loss_is_the_mean_squared_error(int count)
    {
        float[] target = TestDevice.Stored(deviceName, OperationTest.Randoms(new Random(2), new Shape(count)));
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using Tensor goal = TestDevice.From(device, given[0].ElementType, new Shape(count), target);
                return FlowMatching.Loss(tape, given[0], goal);
            },
            Reference = given => [given[0].Select((value, i) => (value - target[i]) * (value - target[i])).Average()],
            GradientFloor = 1.0 / count,
        }.With(new Shape(count)).Verify();
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor data = device.Allocate(new Shape(2, 3, 4, 4));
        using Tensor noise = device.Allocate(new Shape(2, 3, 4, 5));
        using Tensor times = device.Allocate(new Shape(3));
        Assert.That(
            () => FlowMatching.Interpolate(data, noise, times, FlowPath.Linear, out _),
            Throws.ArgumentException.With.Message.EqualTo("flow matching: the noise must have shape [2, 3, 4, 4], not [2, 3, 4, 5]"));
        Assert.That(
            () => FlowMatching.Interpolate(data, data, times, FlowPath.Linear, out _),
            Throws.ArgumentException.With.Message.EqualTo("flow matching: the times must have shape [2], not [3]"));
        Assert.That(
            () => FlowMatching.Loss(null, data, noise),
            Throws.ArgumentException.With.Message.EqualTo("flow matching: the target must have shape [2, 3, 4, 4], not [2, 3, 4, 5]"));
    }
}
