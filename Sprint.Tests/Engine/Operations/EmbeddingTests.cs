using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Patches, times and labels on their way in.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class EmbeddingTests(string deviceName)
{
    [TestCase(1, 1, 4, 4, 2)]
    [TestCase(2, 3, 6, 10, 2)]
    [TestCase(3, 4, 8, 12, 4)]
    [TestCase(2, 1, 9, 3, 3)]
    [TestCase(2, 5, 7, 3, 1)]
    public void Patches_and_back(int batch, int channels, int height, int width, int patch)
    {
        int[] places = Places(batch, channels, height, width, patch);
        var image = new Shape(batch, channels, height, width);
        var tokens = new Shape(batch, height / patch * (width / patch), channels * patch * patch);
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => Patchify.Apply(tape, given[0], patch),
            Reference = given => [.. places.Select(place => given[0][place])],
            Tolerance = 0,
        }.With(image).Verify();
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => Patchify.Invert(tape, given[0], patch, height, width),
            Reference = given =>
            {
                var pixels = new double[given[0].Length];
                for (int i = 0; i < pixels.Length; i++)
                    pixels[places[i]] = given[0][i];
                return pixels;
            },
            Tolerance = 0,
        }.With(tokens).Verify();
    }

    [Test]
    public void Patches_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor image = device.Allocate(new Shape(2, 3, 6, 8));
        using Tensor tokens = device.Allocate(new Shape(2, 12, 13));
        Assert.That(
            () => Patchify.Apply(null, image, 4), Throws.ArgumentException.With.Message.EqualTo("patchify: patch 4 does not divide an image of 6x8"));
        Assert.That(
            () => Patchify.Invert(null, tokens, 2, 6, 8), Throws.ArgumentException.With.Message.EqualTo("patchify: tokens of 13 features are no patches of side 2"));
        Assert.That(
            () => Patchify.Invert(null, tokens, 2, 6, 6),
            Throws.ArgumentException.With.Message.EqualTo("patchify: dimension 1 of the tokens must be 9, not 12 (shape [2, 12, 13])"));
        Assert.That(() => Patchify.Apply(null, tokens, 2), Throws.ArgumentException.With.Message.Contains("must have 4 dimensions"));
    }

    [TestCase(1, 256)]
    [TestCase(17, 32)]
    [TestCase(3, 2)]
    public void Times(int batch, int features)
    {
        using Device device = TestDevice.Open(deviceName);
        float[] times = [.. Enumerable.Range(0, batch).Select(i => i / (float)batch)];
        using Tensor tensor = device.From(new Shape(batch), times);
        ElementType element = TestDevice.Element(deviceName);
        using Tensor embedding = TimestepEmbedding.Apply(tensor, features, element);
        double[] expected =
        [
            .. times.SelectMany(time => Enumerable.Range(0, features).Select(i =>
            {
                double angle = time * Math.Exp(-Math.Log(10000) * (i % (features / 2)) / (features / 2));
                return i < features / 2 ? Math.Cos(angle) : Math.Sin(angle);
            })),
        ];
        Comparer.AssertClose("embedding", embedding.ToArray(), expected, 5e-7 + (element == ElementType.BFloat16 ? BrainFloat.UnitRoundoff : 0));
    }

    [Test]
    public void Times_that_do_not_fit_are_named()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor times = device.Allocate(new Shape(2));
        using Tensor square = device.Allocate(new Shape(2, 2));
        Assert.That(
            () => TimestepEmbedding.Apply(times, 7),
            Throws.ArgumentException.With.Message.EqualTo("timestep embedding: the number of features must be positive and even, not 7"));
        Assert.That(() => TimestepEmbedding.Apply(square), Throws.ArgumentException.With.Message.Contains("must have 1 dimensions, not [2, 2]"));
    }

    // The label 3 comes three times, its gradients add up; 1 and 4 not at all, theirs is zero.
    [TestCase(24)]
    [TestCase(36)]
    [TestCase(1)]
    public void Labels(int width)
    {
        int[] labels = [3, 0, 3, 5, 2, 3];
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using Tensor tensor = device.From(new Shape(labels.Length), labels);
                return LabelEmbedding.Apply(tape, given[0], tensor);
            },
            Reference = given => References.Rows(given[0], labels, [], width),
            Tolerance = 0,
        }.With(new Shape(6, width)).Verify();
    }

    [TestCase(-1)]
    [TestCase(6)]
    public void A_label_beyond_the_table_is_refused(int label)
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor table = device.Allocate(new Shape(6, 8));
        using Tensor labels = device.From(new Shape(1), (int[])[label]);
        Assert.That(
            () => LabelEmbedding.Apply(null, table, labels), Throws.ArgumentException.With.Message.EqualTo($"label embedding: label {label} is not one of 6 rows"));
        Assert.That(() => LabelEmbedding.Apply(null, table, table), Throws.ArgumentException.With.Message.Contains("must hold Int32"));
    }

    /// <summary>For each feature of each token, over (c, p1, p2), the pixel it comes from.</summary>
    private static int[] Places(int batch, int channels, int height, int width, int patch)
    {
        var places = new List<int>();
        for (int b = 0; b < batch; b++)
        {
            for (int token = 0; token < height / patch * (width / patch); token++)
            {
                (int h, int w) = (token / (width / patch), token % (width / patch));
                for (int feature = 0; feature < channels * patch * patch; feature++)
                {
                    (int c, int p1, int p2) = (feature / (patch * patch), feature / patch % patch, feature % patch);
                    places.Add((((((b * channels) + c) * height) + (h * patch) + p1) * width) + (w * patch) + p2);
                }
            }
        }

        return [.. places];
    }
}
