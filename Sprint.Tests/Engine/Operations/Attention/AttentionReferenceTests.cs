using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>The reference's own backward pass against central differences of its forward pass.</summary>
[TestFixture]
public sealed class AttentionReferenceTests
{
    private const int Tokens = 5, HeadSize = 8;

    [Test]
    public void Gradients_agree_with_central_differences([Values] bool norm)
    {
        Random random = new(3);
        double[] queries = Values(random, Tokens * HeadSize), keys = Values(random, Tokens * HeadSize);
        double[] values = Values(random, Tokens * HeadSize), outputGradient = Values(random, Tokens * HeadSize);
        double[] angles = Values(random, Tokens * HeadSize / 2);
        AttentionReference reference = new()
        {
            Tokens = Tokens,
            HeadSize = HeadSize,
            QueryWeight = norm ? Values(random, HeadSize) : null,
            KeyWeight = norm ? Values(random, HeadSize) : null,
            Cos = [.. angles.Select(Math.Cos)],
            Sin = [.. angles.Select(Math.Sin)],
        };
        double Loss()
        {
            reference.Forward(queries, keys, values);
            return reference.Output.Zip(outputGradient, (output, gradient) => output * gradient).Sum();
        }

        _ = Loss();
        reference.Backward(queries, keys, values, outputGradient);
        AssertGradient("queries", queries, reference.QueriesGradient, Loss);
        AssertGradient("keys", keys, reference.KeysGradient, Loss);
        AssertGradient("values", values, reference.ValuesGradient, Loss);
        if (!norm)
            return;
        AssertGradient("query weight", reference.QueryWeight!, reference.QueryWeightGradient, Loss);
        AssertGradient("key weight", reference.KeyWeight!, reference.KeyWeightGradient, Loss);
    }

    private static void AssertGradient(string name, double[] parameter, double[] gradient, Func<double> loss)
    {
        const double Step = 1e-5;
        double[] differences = new double[parameter.Length];
        for (int index = 0; index < parameter.Length; index++)
        {
            double value = parameter[index];
            parameter[index] = value + Step;
            double above = loss();
            parameter[index] = value - Step;
            differences[index] = (above - loss()) / (2 * Step);
            parameter[index] = value;
        }

        CpuAttentionTests.AssertClose(name, gradient, differences, tolerance: 1e-8);
    }

    private static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextDouble() - 1)];
}
