using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Minus the mean cosine of predicted and target rows, against float64.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class CosineLossTests(string deviceName)
{
    private static readonly int[][] Shapes =
    [
        // samples, tokens, kept, features
        [1, 1, 1, 1], [1, 1, 1, 24], [2, 17, 5, 36], [1, 147, 113, 72], [3, 64, 16, 96], [2, 9, 3, 7], [2, 4, 2, 1152], [5, 16, 7, 768],
    ];

    private ElementType Element => TestDevice.Element(deviceName);

    [Test]
    public void Kept_rows_are_compared_with_their_targets([ValueSource(nameof(Shapes))] int[] lengths) => Verify(lengths[0], lengths[1], lengths[2], lengths[3], keeps: true);

    [Test]
    public void All_rows_are_compared_in_place([ValueSource(nameof(Shapes))] int[] lengths) => Verify(lengths[0], lengths[2], lengths[2], lengths[3], keeps: false);

    /// <summary>The factor that norms are made of cannot be seen in the loss, and the gradient is its inverse.</summary>
    [Test]
    public void The_length_of_rows_does_not_count()
    {
        float[] prediction = TestDevice.Stored(deviceName, OperationTest.Randoms(new Random(3), new Shape(3, 5, 24)));
        float[] target = TestDevice.Stored(deviceName, OperationTest.Randoms(new Random(4), new Shape(3, 5, 24)));
        (float loss, float[] gradient) = Run([3, 5, 24], prediction, target);
        (float scaledLoss, float[] scaledGradient) = Run([3, 5, 24], Array.ConvertAll(prediction, static value => value * 1024), Array.ConvertAll(target, static value => value / 4096));
        Assert.That(scaledLoss, Is.EqualTo(loss).Within(1e-6));
        Comparer.AssertClose("gradient", Array.ConvertAll(scaledGradient, static value => value * 1024), gradient, 1e-6);
    }

    [Test]
    public void Rows_that_point_the_same_way_and_the_opposite_way_give_the_extremes()
    {
        float[] rows = TestDevice.Stored(deviceName, OperationTest.Randoms(new Random(5), new Shape(2, 37, 40)));
        (float same, float[] gradient) = Run([2, 37, 40], rows, Array.ConvertAll(rows, static value => 2 * value));
        Assert.That(same, Is.EqualTo(-1).Within(1e-6));
        Comparer.AssertClose("gradient", gradient, new double[gradient.Length], 1e-6, floor: 1);
        Assert.That(Run([2, 37, 40], rows, Array.ConvertAll(rows, static value => -value)).Loss, Is.EqualTo(1).Within(1e-6));
    }

    /// <summary>As the reference divides by max(norm, 1e-12): a row below the floor is divided by a constant, a row of zeros has cosine 0.</summary>
    [Test]
    public void A_norm_counts_as_at_least_its_floor()
    {
        const int Features = 24;
        float[] prediction = OperationTest.Randoms(new Random(6), new Shape(1, 4, Features)), target = OperationTest.Randoms(new Random(7), new Shape(1, 4, Features));
        for (int i = 0; i < Features; i++)
        {
            prediction[i] = 0;
            target[Features + i] = 0;
            prediction[(2 * Features) + i] *= 1e-15f;
        }

        (prediction, target) = (TestDevice.Stored(deviceName, prediction), TestDevice.Stored(deviceName, target));
        (float loss, float[] gradient) = Run([1, 4, Features], prediction, target);
        using var plainDevice = CpuDevice.WithPlainBFloat16(1);
        (float Loss, float[] Gradient)? plain = Element == ElementType.BFloat16 ? Run(plainDevice, [1, 4, Features], prediction, target) : null;
        double sum = 0;
        for (int row = 0; row < 4; row++)
        {
            double[] p = Row(prediction, row), z = Row(target, row);
            (double dot, double pNorm, double zNorm) = (p.Zip(z, static (a, b) => a * b).Sum(), Norm(p), Norm(z));
            (double pFloored, double zFloored) = (Math.Max(pNorm, 1e-12), Math.Max(zNorm, 1e-12));
            double cosine = dot / (pFloored * zFloored);
            sum += cosine;
            double[] expected = [.. p.Zip(z, (a, b) => -((b / (pFloored * zFloored)) - (pNorm < 1e-12 ? 0 : a * cosine / (pFloored * pFloored))) / 4)];
            LowPrecision.AssertClose(
                $"gradient of row {row}", gradient[(row * Features)..((row + 1) * Features)], plain?.Gradient[(row * Features)..((row + 1) * Features)], expected, LowPrecision.Gradients, 1e-5);
        }

        Assert.That(loss, Is.EqualTo(-sum / 4).Within(1e-6));
        Assert.That(gradient.Take(Features).Max(Math.Abs), Is.GreaterThan(1e9), "the gradient of a row of zeros is finite and large");

        static double[] Row(float[] values, int row) => [.. values.Skip(row * Features).Take(Features).Select(static value => (double)value)];
        static double Norm(double[] values) => Math.Sqrt(values.Sum(static value => value * value));
    }

    [Test]
    public void A_row_that_is_no_number_gives_a_loss_that_is_none([Values(float.NaN, float.PositiveInfinity)] float value)
    {
        float[] rows = OperationTest.Randoms(new Random(8), new Shape(1, 3, 24));
        float[] spoilt = [.. rows];
        spoilt[30] = value;
        Assert.That(Run([1, 3, 24], spoilt, rows).Loss, Is.NaN);
        Assert.That(Run([1, 3, 24], rows, spoilt).Loss, Is.NaN);
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor p = device.Allocate(new Shape(2, 3, 24)), z = device.Allocate(new Shape(2, 9, 24)), narrow = device.Allocate(new Shape(2, 3, 23));
        using Tensor ids = device.From(new Shape(2, 3), [0, 1, 2, 3, 4, 9]), few = device.Allocate(new Shape(2, 2), ElementType.Int32);
        Complains(() => CosineLoss.Apply(null, p, narrow, default), "cosine loss: dimension 2 of the target must be 24, not 23 (shape [2, 3, 23])");
        Complains(() => CosineLoss.Apply(null, p, z, default), "cosine loss: dimension 1 of the target must be 3, not 9 (shape [2, 9, 24])");
        Complains(() => CosineLoss.Apply(null, p, z, few), "cosine loss: the ids must have shape [2, 3], not [2, 2]");
        Complains(() => CosineLoss.Apply(null, p, z, p), "cosine loss: the ids must hold Int32 on cpu, not Float32[2, 3, 24] on cpu");
        Complains(() => CosineLoss.Apply(null, p, z, ids), "cosine loss: id 9 at place 5 must be from 0 to 8");

        static void Complains(Action action, string message) => Assert.That(() => action(), Throws.ArgumentException.With.Message.EqualTo(message));
    }

    private void Verify(int batch, int tokens, int kept, int features, bool keeps)
    {
        float[] target = TestDevice.Stored(deviceName, OperationTest.Randoms(new Random(2), new Shape(batch, tokens, features)));
        int[] ids = [.. Enumerable.Range(0, batch).SelectMany(sample => Enumerable.Range(0, tokens).OrderBy(token => ((token + 1) * 37 * (sample + 3)) % 151).Take(kept))];
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using Tensor targets = TestDevice.From(device, given[0].ElementType, new Shape(batch, tokens, features), target);
                using Tensor rows = keeps ? device.From(new Shape(batch, kept), ids) : default;
                return CosineLoss.Apply(tape, given[0], targets, rows);
            },
            Reference = given =>
            {
                double sum = 0;
                for (int row = 0; row < batch * kept; row++)
                {
                    int other = keeps ? (row / kept * tokens) + ids[row] : row;
                    (double dot, double p, double z) = (0, 0, 0);
                    for (int i = 0; i < features; i++)
                    {
                        (double a, double b) = (given[0][(row * features) + i], target[(other * features) + i]);
                        (dot, p, z) = (dot + (a * b), p + (a * a), z + (b * b));
                    }

                    sum += dot / Math.Sqrt(p * z);
                }

                return [-sum / (batch * kept)];
            },
            GradientFloor = 0.1 / (batch * kept),
        }.With(new Shape(batch, kept, features)).Verify();
    }

    private (float Loss, float[] Gradient) Run(int[] lengths, float[] prediction, float[] target)
    {
        using Device device = TestDevice.Open(deviceName);
        return Run(device, lengths, prediction, target);
    }

    private (float Loss, float[] Gradient) Run(Device device, int[] lengths, float[] prediction, float[] target)
    {
        using Tensor p = TestDevice.From(device, Element, new Shape(lengths), prediction), z = TestDevice.From(device, Element, new Shape(lengths), target);
        Tape.Watch(p);
        using var tape = new Tape();
        using Tensor loss = CosineLoss.Apply(tape, p, z, default);
        tape.Backward(loss);
        return (loss.ToArray()[0], Tape.GradientOf(p).ToArray());
    }
}
