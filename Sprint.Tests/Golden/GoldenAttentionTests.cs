using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using AttentionOperation = Sprint.Engine.Operations.Attention;

namespace Sprint.Tests.Golden;

/// <summary>
/// Attention's parts against the reference. The norm and the rotation are not operations of their own here: they are seen
/// through attention, with queries or keys chosen so that what remains is linear in them.
/// </summary>
[TestFixture]
public sealed class GoldenAttentionTests
{
    [Test]
    public void Softmax_attention()
    {
        using var unit = new GoldenUnit("sdpa");
        using var tape = new Tape();
        const int Batch = 2, Heads = 3, Tokens = 17, Size = 16;
        float[] packed = Pack([unit["q"], unit["k"], unit["v"]], Batch, Heads, Tokens, Size);
        Tensor qkv = unit.Keep([Batch, Tokens, 3 * Heads * Size], packed);
        using Tensor ones = Filled(unit.Device, new Shape(Tokens, Size / 2), 1);
        using Tensor zeros = Filled(unit.Device, new Shape(Tokens, Size / 2), 0);
        using Tensor output = AttentionOperation.Apply(tape, qkv, new AttentionArguments(Heads, default, default, ones, zeros, default));
        Comparer.AssertClose("o", output.ToArray(), Pack([unit["o"]], Batch, Heads, Tokens, Size), GoldenUnit.OutputTolerance);
        using Tensor gradient = unit.Device.From(output.Shape, Pack([unit["do"]], Batch, Heads, Tokens, Size));
        tape.Backward(output, gradient);
        float[] expected = Pack([unit["grad.q"], unit["grad.k"], unit["grad.v"]], Batch, Heads, Tokens, Size);
        Comparer.AssertClose("grad", Tape.GradientOf(qkv).ToArray(), expected, GoldenUnit.GradientTolerance);
    }

    [TestCase("rope16", 16)]
    [TestCase("rope36", 36)]
    public void Rotary_tables(string name, int headSize)
    {
        using var unit = new GoldenUnit(name);
        using var table = new RopeTable(unit.Device, 8, 8, headSize);

        // The reference stores the value of a pair twice.
        Comparer.AssertClose("cos", Twice(table.Cosines.ToArray()), unit["cos"], GoldenUnit.OutputTolerance);
        Comparer.AssertClose("sin", Twice(table.Sines.ToArray()), unit["sin"], GoldenUnit.OutputTolerance);
    }

    // With one-hot values the output is the softmax itself. Scores are small, so it is nearly linear in them, and what it
    // must be is computed in float64 from the reference's rotated vectors.
    [TestCase("rope16", "x", "y", 16, 64)]
    [TestCase("rope36", "x", "y", 36, 64)]
    public void Turned_queries_and_keys(string name, string input, string turned, int headSize, int tokens)
    {
        using var unit = new GoldenUnit(name);
        using var table = new RopeTable(unit.Device, 8, 8, headSize);
        CheckScores(unit, unit[input], unit[turned], 4, tokens, headSize, table.Cosines, table.Sines, default);
    }

    [TestCase("rmsnorm", 6, 5)]
    [TestCase("rmsnorm_small", 2, 4)]
    public void Normed_queries_and_keys(string name, int slices, int tokens)
    {
        using var unit = new GoldenUnit(name);
        using Tensor ones = Filled(unit.Device, new Shape(tokens, 8), 1);
        using Tensor zeros = Filled(unit.Device, new Shape(tokens, 8), 0);
        CheckScores(unit, unit["x"], unit["y"], slices, tokens, 16, ones, zeros, unit.Input("weight"));
    }

    /// <summary>Attention of slices of tokens, each its own sample of one head: q = k = x, v picks channels of the softmax.</summary>
    private static void CheckScores(
        GoldenUnit unit, float[] x, float[] prepared, int samples, int tokens, int headSize, Tensor cosines, Tensor sines, Tensor norm)
    {
        var values = new float[x.Length];
        for (int row = 0; row < samples * tokens; row++)
            values[(row * headSize) + (row % tokens % headSize)] = 1;
        float[] packed = Pack([x, x, values], samples, 1, tokens, headSize);
        Tensor qkv = unit.Keep([samples, tokens, 3 * headSize], packed);
        using Tensor output = AttentionOperation.Apply(null, qkv, new AttentionArguments(1, norm, norm, cosines, sines, default));

        var expected = new double[x.Length];
        for (int row = 0; row < samples * tokens; row++)
        {
            int first = row / tokens * tokens;
            double[] weights = [.. Enumerable.Range(first, tokens).Select(key => Math.Exp(Dot(prepared, row, key, headSize) / Math.Sqrt(headSize)))];
            for (int key = 0; key < tokens; key++)
                expected[(row * headSize) + (key % headSize)] += weights[key] / weights.Sum();
        }

        Comparer.AssertClose("softmax", output.ToArray(), expected, GoldenUnit.OutputTolerance);
    }

    private static double Dot(float[] rows, int left, int right, int width)
    {
        double sum = 0;
        for (int i = 0; i < width; i++)
            sum += (double)rows[(left * width) + i] * rows[(right * width) + i];
        return sum;
    }

    /// <summary>Parts of (batch, heads, tokens, size) side by side in rows: (batch, tokens, parts * heads * size).</summary>
    private static float[] Pack(float[][] parts, int batch, int heads, int tokens, int size)
    {
        var packed = new float[parts.Sum(part => part.Length)];
        int index = 0;
        for (int sample = 0; sample < batch; sample++)
        {
            for (int token = 0; token < tokens; token++)
            {
                foreach (float[] part in parts)
                {
                    for (int head = 0; head < heads; head++)
                    {
                        part.AsSpan(((((sample * heads) + head) * tokens) + token) * size, size).CopyTo(packed.AsSpan(index));
                        index += size;
                    }
                }
            }
        }

        return packed;
    }

    private static float[] Twice(float[] values) => [.. values.SelectMany(value => Enumerable.Repeat(value, 2))];

    private static Tensor Filled(CpuDevice device, Shape shape, float value)
    {
        Tensor tensor = device.Allocate(shape);
        tensor.CopyFrom<float>(Enumerable.Repeat(value, (int)shape.Count).ToArray());
        return tensor;
    }
}
