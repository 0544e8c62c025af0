using NUnit.Framework;
using Sprint.Tests.Engine.Cpu;
using Sprint.Tests.Golden;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Attention and its parts against the reference numbers in Golden/units.safetensors.</summary>
[TestFixture]
public sealed unsafe class CpuAttentionGoldenTests
{
    private static readonly GoldenFile Golden = GoldenFile.Open("units.safetensors");

    [Test]
    public void Softmax_attention_gives_the_reference_output_and_gradients()
    {
        int[] shape = Golden.Shape("sdpa.q");
        int batch = shape[0], heads = shape[1], tokens = shape[2], headSize = shape[3], sample = heads * tokens * headSize;
        using GuardedFloats qkv = new(3 * sample), ones = new(tokens * headSize / 2), zeros = new(tokens * headSize / 2);
        ones.Span.Fill(1);
        zeros.Span.Clear();
        for (int index = 0; index < batch; index++)
        {
            string[] inputs = ["sdpa.q", "sdpa.k", "sdpa.v"], gradients = ["sdpa.grad.q", "sdpa.grad.k", "sdpa.grad.v"];
            for (int part = 0; part < 3; part++)
                Scatter(Golden.Floats(inputs[part]).AsSpan(index * sample, sample), qkv.Span, heads, tokens, headSize, 3 * heads, part * heads);
            using RawAttention attention = new(tokens, heads, headSize, qkv, ones, zeros);
            Scatter(Golden.Floats("sdpa.do").AsSpan(index * sample, sample), attention.OutputGradient.Span, heads, tokens, headSize, heads, 0);
            attention.Forward();
            attention.Backward();

            float[] expected = new float[3 * sample];
            Scatter(Golden.Floats("sdpa.o").AsSpan(index * sample, sample), expected, heads, tokens, headSize, heads, 0);
            AssertClose("output", attention.Output.Span, expected.AsSpan(0, sample));
            for (int part = 0; part < 3; part++)
                Scatter(Golden.Floats(gradients[part]).AsSpan(index * sample, sample), expected, heads, tokens, headSize, 3 * heads, part * heads);
            AssertClose("gradient", attention.QkvGradient.Span, expected);
        }
    }

    [TestCase("rope16")]
    [TestCase("rope36")]
    public void Rotation_gives_the_reference_rows_and_gradients(string name)
    {
        int[] shape = Golden.Shape(name + ".x");
        int tokens = shape[2], headSize = shape[3];
        float[] x = Golden.Floats(name + ".x"), y = Golden.Floats(name + ".y");
        float[] dy = Golden.Floats(name + ".dy"), dx = Golden.Floats(name + ".grad.x");
        using GuardedFloats cos = EveryOther(Golden.Floats(name + ".cos")), sin = EveryOther(Golden.Floats(name + ".sin"));
        using GuardedFloats weight = new(headSize);
        for (int start = 0; start < x.Length; start += tokens * headSize)
        {
            int length = tokens * headSize;
            RotaryRows rows = new(tokens, headSize, weight: null, cos, sin);
            AssertClose("rows", rows.Forward(x.AsSpan(start, length)), y.AsSpan(start, length));
            AssertClose("gradient", rows.Backward(dy.AsSpan(start, length), x.AsSpan(start, length), weight.Span), dx.AsSpan(start, length));
        }
    }

    [TestCase("rmsnorm")]
    [TestCase("rmsnorm_small")]
    public void Norm_gives_the_reference_rows_and_gradients(string name)
    {
        int headSize = Golden.Shape(name + ".x")[^1];
        float[] x = Golden.Floats(name + ".x");
        int tokens = x.Length / headSize;
        using GuardedFloats ones = new(tokens * headSize / 2), zeros = new(tokens * headSize / 2), weightGradient = new(headSize);
        ones.Span.Fill(1);
        zeros.Span.Clear();
        using GuardedFloats weight = new(Golden.Floats(name + ".weight"));
        RotaryRows rows = new(tokens, headSize, weight, ones, zeros);
        AssertClose("rows", rows.Forward(x), Golden.Floats(name + ".y"));
        AssertClose("gradient", rows.Backward(Golden.Floats(name + ".dy"), x, weightGradient.Span), Golden.Floats(name + ".grad.x"));
        AssertClose("weight gradient", weightGradient.Span, Golden.Floats(name + ".grad.weight"));
    }

    // From [heads, tokens, headSize] to rows of slots, head by head.
    private static void Scatter(ReadOnlySpan<float> source, Span<float> target, int heads, int tokens, int headSize, int slots, int firstSlot)
    {
        for (int index = 0; index < source.Length; index++)
        {
            int head = index / (tokens * headSize), token = index / headSize % tokens;
            target[(token * slots + firstSlot + head) * headSize + index % headSize] = source[index];
        }
    }

    // The reference repeats each angle for the two channels of its pair.
    private static GuardedFloats EveryOther(float[] values) => new([.. values.Where((_, index) => index % 2 == 0)]);

    private static void AssertClose(string name, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected) =>
        CpuAttentionTests.AssertClose(
            name, [.. actual.ToArray().Select(value => (double)value)], [.. expected.ToArray().Select(value => (double)value)], tolerance: 1.5e-6);
}
