using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cpu;
using Sprint.Engine.Operations;
using AttentionOperation = Sprint.Engine.Operations.Attention;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Attention as an operation: batches, heads, norms and token ids against float64.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class AttentionTests(string deviceName)
{
    // batch, tokens, heads, head size
    private static readonly int[][] Shapes = [[1, 1, 2, 36], [2, 17, 3, 24], [1, 113, 1, 64], [1, 147, 1, 72], [3, 16, 2, 12]];

    [Test]
    public void With_norms_and_token_ids([ValueSource(nameof(Shapes))] int[] lengths) => Verify(lengths, norms: true, ids: true);

    [Test]
    public void With_norms([ValueSource(nameof(Shapes))] int[] lengths) => Verify(lengths, norms: true, ids: false);

    [Test]
    public void Without_norms([ValueSource(nameof(Shapes))] int[] lengths, [Values] bool ids) => Verify(lengths, norms: false, ids);

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new CpuDevice(threads: 1);
        using var rope = new RopeTable(device, 4, 4, 24);
        using Tensor qkv = device.Allocate(new Shape(2, 17, 3 * 2 * 24));
        using Tensor norm = device.Allocate(new Shape(23));
        using Tensor ids = device.Allocate(new Shape(2, 16), ElementType.Int32);
        using Tensor flat = device.Allocate(new Shape(17, 144));
        var right = new AttentionArguments(2, default, default, rope.Cosines, rope.Sines, default);
        Complains(flat, right, "attention: qkv must have 3 dimensions, not [17, 144]");
        Complains(qkv, right with { Heads = 5 }, "attention: rows of 144 elements are not q, k and v of 5 heads");
        Complains(qkv, right with { Heads = 8 }, "attention: the head size must be a multiple of 4 up to 256, not 6");
        Complains(qkv, right with { KeyNormWeight = norm }, "attention: the norm weight of k must have shape [24], not [23]");
        Complains(qkv, right with { Heads = 4 }, "attention: dimension 1 of the table of cosines must be 6, not 12 (shape [16, 12])");
        Complains(qkv, right, "attention: 17 tokens without ids need as many rows in the rotary table, not 16");
        Complains(qkv, right with { TokenIds = ids }, "attention: the token ids must have shape [2, 17], not [2, 16]");

        static void Complains(Tensor qkv, AttentionArguments arguments, string message) =>
            Assert.That(() => AttentionOperation.Apply(null, qkv, arguments), Throws.ArgumentException.With.Message.EqualTo(message));
    }

    private void Verify(int[] lengths, bool norms, bool ids)
    {
        (int batch, int tokens, int heads, int size) = (lengths[0], lengths[1], lengths[2], lengths[3]);
        const int Side = 13;
        int[] places = ids ? TokenDropTests.KeptIds(batch, Side * Side, tokens) : [.. Enumerable.Range(0, batch * tokens).Select(i => i % tokens)];
        using var tables = new CpuDevice(threads: 1);
        using var table = new RopeTable(tables, Side, Side, size);
        (float[] cosines, float[] sines) = (table.Cosines.ToArray(), table.Sines.ToArray());
        OperationTest test = new()
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                using var rope = new RopeTable(device, Side, Side, size);
                using Tensor idTensor = ids ? device.From(new Shape(batch, tokens), places) : default;
                return AttentionOperation.Apply(
                    tape, given[0], new AttentionArguments(heads, norms ? given[1] : default, norms ? given[2] : default, rope.Cosines, rope.Sines, idTensor));
            },
            Reference = given => Reference(given),

            // A lone token's scores have no gradient: what is left are the roundings of what cancels.
            GradientTolerance = 2e-5,
        };
        test.With(new Shape(batch, tokens, 3 * heads * size));
        if (norms)
            test.WithWide(new Shape(size), 0.5, 1).WithWide(new Shape(size), 0.5, 1);
        test.Verify();

        double[] Reference(IReadOnlyList<double[]> given)
        {
            var output = new double[batch * tokens * heads * size];
            for (int index = 0; index < batch * heads; index++)
            {
                (int sample, int head) = (index / heads, index % heads);
                var reference = new AttentionReference
                {
                    Tokens = tokens,
                    HeadSize = size,
                    QueryWeight = norms ? given[1] : null,
                    KeyWeight = norms ? given[2] : null,
                    Cos = Turned(cosines, sample),
                    Sin = Turned(sines, sample),
                };
                reference.Forward(Part(given[0], sample, head), Part(given[0], sample, heads + head), Part(given[0], sample, (2 * heads) + head));
                for (int i = 0; i < reference.Output.Length; i++)
                    output[((((sample * tokens) + (i / size)) * heads) + head) * size + (i % size)] = reference.Output[i];
            }

            return output;
        }

        double[] Part(double[] qkv, int sample, int slot)
        {
            var part = new double[tokens * size];
            for (int i = 0; i < part.Length; i++)
                part[i] = qkv[((((sample * tokens) + (i / size)) * 3 * heads) + slot) * size + (i % size)];
            return part;
        }

        double[] Turned(float[] values, int sample)
        {
            var turned = new double[tokens * size / 2];
            for (int i = 0; i < turned.Length; i++)
                turned[i] = values[(places[(sample * tokens) + (i / (size / 2))] * (size / 2)) + (i % (size / 2))];
            return turned;
        }
    }
}
