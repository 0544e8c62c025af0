using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Gathering kept tokens and putting rows back.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class TokenDropTests(string deviceName)
{
    private static readonly int[][] Shapes = [[1, 1, 1, 24], [2, 17, 5, 36], [1, 147, 113, 72], [3, 64, 16, 96]];

    [Test]
    public void Gather([ValueSource(nameof(Shapes))] int[] lengths)
    {
        (int batch, int tokens, int kept, int width) = (lengths[0], lengths[1], lengths[2], lengths[3]);
        int[] ids = KeptIds(batch, tokens, kept);
        int[] rows = [.. ids.Select((id, i) => (i / kept * tokens) + id)];
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using Tensor idTensor = device.From(new Shape(batch, kept), ids);
                return TokenDrop.Gather(tape, given[0], idTensor);
            },
            Reference = given => References.Rows(given[0], rows, [], width),
            Tolerance = 0,
        }.With(new Shape(batch, tokens, width)).Verify();
    }

    [Test]
    public void Scatter([ValueSource(nameof(Shapes))] int[] lengths, [Values] bool dropsPaths)
    {
        (int batch, int tokens, int kept, int width) = (lengths[0], lengths[1], lengths[2], lengths[3]);
        int[] ids = KeptIds(batch, tokens, kept);
        int[] pathDrop = [.. Enumerable.Range(0, batch).Select(sample => sample == 1 ? 1 : 0)];
        int[] rows = RowsOf(ids, batch, tokens, kept, dropsPaths ? pathDrop : null);
        new OperationTest
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using Tensor idTensor = device.From(new Shape(batch, kept), ids);
                using Tensor pathTensor = dropsPaths ? device.From(new Shape(batch), pathDrop) : default;
                using Tensor rowTensor = TokenDrop.Locate(device, batch, tokens, idTensor, pathTensor);
                return TokenDrop.Scatter(tape, given[0], rowTensor, given[1]);
            },
            Reference = given => References.Rows(given[0], rows, given[1], width),
            Tolerance = 0,
        }.With(new Shape(batch, kept, width)).With(new Shape(width)).Verify();
    }

    [Test]
    public void Rows_are_located_by_sample()
    {
        using Device device = TestDevice.Open(deviceName);
        using Tensor ids = device.From(new Shape(2, 2), (int[])[3, 0, 1, 2]);
        using Tensor drop = device.From(new Shape(2), (int[])[1, 0]);
        Assert.That(Located(device, ids, default), Is.EqualTo((int[])[1, -1, -1, 0, -1, 2, 3, -1]));
        Assert.That(Located(device, ids, drop), Is.EqualTo((int[])[-1, -1, -1, -1, -1, 2, 3, -1]));
        Assert.That(Located(device, default, drop), Is.EqualTo((int[])[-1, -1, -1, -1, 4, 5, 6, 7]));
        Assert.That(Located(device, default, default), Is.EqualTo((int[])[0, 1, 2, 3, 4, 5, 6, 7]));
    }

    [TestCase(DropKind.Structured, 0.75)]
    [TestCase(DropKind.Structured, 0.875)]
    [TestCase(DropKind.Random, 0.3)]
    public void A_draw_is_the_same_on_every_device_and_for_any_number_of_threads(DropKind kind, double ratio)
    {
        DropPattern pattern = kind == DropKind.Random ? DropPattern.Random(20, 20, ratio) : DropPattern.Structured(20, 20, ratio);
        int[] expected = Drawn(TestDevice.Cpu, 1);
        foreach (int variant in (int[])[1, 2, 3])
            Assert.That(Drawn(deviceName, variant), Is.EqualTo(expected));
        for (int sample = 0; sample < 5; sample++)
        {
            int[] ids = expected[(sample * pattern.KeptTokens)..((sample + 1) * pattern.KeptTokens)];
            Assert.That(ids, Is.Unique.And.All.InRange(0, 399));
        }

        int[] Drawn(string name, int variant)
        {
            using Device device = TestDevice.Open(name, variant);
            using Tensor uniforms = RandomNumbers.Uniform(device, TokenDrop.UniformsShape(pattern, 5), new RandomStream(1, 2));
            return Ids(uniforms, pattern);
        }
    }

    // Uniforms are multiples of 2^-24, so equal ones do occur.
    [TestCase(DropKind.Structured, new int[] { 1, 4 })]
    [TestCase(DropKind.Random, new int[] { 3, 0 })]
    public void Of_equal_uniforms_the_first_comes_first(DropKind kind, int[] expected)
    {
        using Device device = TestDevice.Open(deviceName);
        DropPattern pattern = kind == DropKind.Random ? DropPattern.Random(2, 4, 0.75) : DropPattern.Structured(2, 4, 0.75);

        // Structured: two groups of four; random: one list of eight.
        float[] uniforms = kind == DropKind.Random ? [0.5f, 0.5f, 0.75f, 0.25f, 0.5f, 1, 1, 1] : [0.25f, 0.5f, 0.5f, 0.5f, 0, 0.125f, 0.5f, 0.25f];
        expected = kind == DropKind.Random ? expected : [1, 6];
        using Tensor tensor = device.From(TokenDrop.UniformsShape(pattern, 1), uniforms);
        Assert.That(Ids(tensor, pattern), Is.EqualTo(expected));
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor x = device.Allocate(new Shape(2, 16, 24));
        using Tensor ids = device.Allocate(new Shape(3, 4), ElementType.Int32);
        using Tensor floats = device.Allocate(new Shape(2, 4));
        using Tensor rows = device.Allocate(new Shape(2, 16), ElementType.Int32);
        using Tensor fill = device.Allocate(new Shape(23));
        Assert.That(
            () => TokenDrop.Gather(null, x, ids), Throws.ArgumentException.With.Message.EqualTo("token drop: dimension 0 of the ids must be 2, not 3 (shape [3, 4])"));
        Assert.That(
            () => TokenDrop.Gather(null, x, floats), Throws.ArgumentException.With.Message.EqualTo("token drop: the ids must hold Int32 on cpu, not Float32[2, 4] on cpu"));
        Assert.That(
            () => TokenDrop.Scatter(null, x, rows, fill),
            Throws.ArgumentException.With.Message.EqualTo("token drop: a fill of shape [23] does not fit rows of 24 elements"));
        Assert.That(
            () => TokenDrop.Locate(device, 2, 16, ids, default), Throws.ArgumentException.With.Message.Contains("must be 2, not 3"));
        Assert.That(
            () => TokenDrop.Select(floats, DropPattern.Structured(4, 4, 0.75)),
            Throws.ArgumentException.With.Message.EqualTo("token drop: uniforms of shape [2, 4] do not fit [2, 4, 4]"));
        Assert.That(
            () => TokenDrop.Select(floats, DropPattern.None(4, 4)), Throws.ArgumentException.With.Message.Contains("keeps every token"));
    }

    internal static int[] KeptIds(int batch, int tokens, int kept)
    {
        var random = new Random(tokens);
        return [.. Enumerable.Range(0, batch).SelectMany(_ => Enumerable.Range(0, tokens).OrderBy(_ => random.Next()).Take(kept))];
    }

    internal static int[] RowsOf(int[] ids, int batch, int tokens, int kept, int[]? pathDrop)
    {
        var rows = new int[batch * tokens];
        Array.Fill(rows, -1);
        for (int i = 0; i < ids.Length; i++)
        {
            if (pathDrop?[i / kept] != 1)
                rows[(i / kept * tokens) + ids[i]] = i;
        }

        return rows;
    }

    private static int[] Ids(Tensor uniforms, DropPattern pattern)
    {
        using Tensor ids = TokenDrop.Select(uniforms, pattern);
        var values = new int[ids.Count];
        ids.CopyTo<int>(values);
        return values;
    }

    private static int[] Located(Device device, Tensor ids, Tensor pathDrop)
    {
        using Tensor rows = TokenDrop.Locate(device, 2, 4, ids, pathDrop);
        var values = new int[8];
        rows.CopyTo<int>(values);
        return values;
    }
}
