using NUnit.Framework;
using Sprint.Engine.Cpu;
using Sprint.Tests.Engine.Cpu;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Attention of one head on the cpu against double precision, on ragged shapes.</summary>
[TestFixture]
public sealed class CpuAttentionTests
{
    // Tokens, heads, head size: one of everything, tails of rows, keys and channels, several blocks, the long-sequence block size.
    private static readonly int[][] Shapes =
    [
        [1, 1, 4], [1, 2, 72], [2, 3, 16], [7, 1, 32], [8, 2, 12], [9, 2, 64], [15, 1, 20], [16, 4, 32], [17, 3, 36], [24, 1, 48],
        [31, 2, 8], [33, 2, 72], [64, 2, 32], [64, 1, 64], [113, 2, 72], [147, 1, 36], [128, 1, 100], [129, 1, 256], [256, 1, 64],
        [280, 1, 16], [1024, 1, 12], [1041, 1, 8],
    ];

    private static IEnumerable<object[]> Cases =>
        from shape in Shapes
        from norm in (bool[])[true, false]
        from ids in (bool[])[true, false]
        where shape[0] < 1000 || norm != ids
        select new object[] { shape[0], shape[1], shape[2], norm, ids };

    [TestCaseSource(nameof(Cases))]
    public void Output_and_gradients_agree_with_double_precision(int tokens, int heads, int headSize, bool norm, bool ids)
    {
        using AttentionCase sample = new(tokens, heads, headSize, norm, ids);
        for (int head = 0; head < heads; head++)
        {
            sample.Forward(head);
            sample.Backward(head);

            // Long sums round more often.
            AssertAgrees(sample, head, heads, tokens, norm, tolerance: tokens > 1000 ? 4e-6 : 2e-6);
        }

        sample.AssertCanariesIntact();
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_head_writes_its_own_part_only(bool norm)
    {
        using AttentionCase sample = new(19, 3, 20, norm, useIds: true);
        sample.Forward(1);
        sample.Backward(1);
        AssertWritten(sample.Output.Span, index => index / 20 % 3 == 1);
        AssertWritten(sample.LogSumExp.Span, index => index / 19 == 1);
        AssertWritten(sample.QkvGradient.Span, index => index / 20 % 3 == 1);
        AssertWritten(sample.QueryWeightGradient.Span, _ => norm);
        AssertWritten(sample.KeyWeightGradient.Span, _ => norm);
    }

    [Test]
    public void A_second_run_gives_the_same_bits([Values(17, 80, 300)] int tokens)
    {
        using AttentionCase first = new(tokens, 1, 36, norm: true, useIds: true);
        using AttentionCase second = new(tokens, 1, 36, norm: true, useIds: true);
        foreach (AttentionCase sample in (AttentionCase[])[first, second, second])
        {
            sample.Forward(0);
            sample.Backward(0);
        }

        Assert.That(second.Output.Span.SequenceEqual(first.Output.Span), "output");
        Assert.That(second.LogSumExp.Span.SequenceEqual(first.LogSumExp.Span), "log-sum-exp");
        Assert.That(second.QkvGradient.Span.SequenceEqual(first.QkvGradient.Span), "gradient of qkv");
        Assert.That(second.QueryWeightGradient.Span.SequenceEqual(first.QueryWeightGradient.Span), "gradient of the query norm");
        Assert.That(second.KeyWeightGradient.Span.SequenceEqual(first.KeyWeightGradient.Span), "gradient of the key norm");
    }

    // Inputs without any function of the machine's mathematical library, so that the bits below hold wherever this runs. They change only
    // when the order or kind of an operation does: then run the test with DOTNET_EnableAVX512=0, DOTNET_EnableAVX2=0 and
    // DOTNET_EnableHWIntrinsic=0 too, and put the new number here if all agree.
    [TestCase(16, 32, 12165516808327797303UL)]
    [TestCase(113, 36, 14791376924854015670UL)]
    public void The_bits_are_the_same_on_every_machine(int tokens, int headSize, ulong expected)
    {
        using AttentionCase sample = new(tokens, 2, headSize, norm: true, useIds: true, turned: false);
        ulong hash = 14695981039346656037;
        for (int head = 0; head < 2; head++)
        {
            sample.Forward(head);
            sample.Backward(head);
            foreach (GuardedFloats buffer in (GuardedFloats[])[sample.QueryWeightGradient, sample.KeyWeightGradient])
                hash = Mix(hash, buffer);
        }

        foreach (GuardedFloats buffer in (GuardedFloats[])[sample.Output, sample.LogSumExp, sample.QkvGradient])
            hash = Mix(hash, buffer);
        Assert.That(hash, Is.EqualTo(expected));
    }

    // Scores in the thousands, whose exponentials overflow unless the largest is taken off first. A float32 score of 3000 is known to
    // 2e-4, and so then are the weights.
    [TestCase(17, 32)]
    [TestCase(70, 64)]
    public void Large_scores_do_not_overflow(int tokens, int headSize)
    {
        using AttentionCase sample = new(tokens, 1, headSize, norm: false, useIds: true, magnitude: 40);
        sample.Forward(0);
        sample.Backward(0);
        Assert.That(sample.Reference(0).LogSumExp.Max(), Is.GreaterThan(1000));
        AssertAgrees(sample, 0, 1, tokens, norm: false, tolerance: 2e-3);
    }

    // Equal, very negative scores: the log-sum-exp is far below anything an exponential could hold.
    [Test]
    public void Very_negative_scores_do_not_underflow()
    {
        const int Tokens = 21, HeadSize = 16;
        using GuardedFloats qkv = new(Tokens * 3 * HeadSize), ones = new(Tokens * HeadSize / 2), zeros = new(Tokens * HeadSize / 2);
        ones.Span.Fill(1);
        zeros.Span.Clear();
        for (int token = 0; token < Tokens; token++)
        {
            qkv.Span.Slice(token * 3 * HeadSize, HeadSize).Fill(20);
            qkv.Span.Slice(token * 3 * HeadSize + HeadSize, HeadSize).Fill(-20);
            qkv.Span.Slice(token * 3 * HeadSize + 2 * HeadSize, HeadSize).Fill(token);
        }

        using RawAttention attention = new(Tokens, 1, HeadSize, qkv, ones, zeros);
        attention.Forward();
        Assert.That(attention.LogSumExp.Span.ToArray(), Is.All.EqualTo(-1600 + Math.Log(Tokens)).Within(1e-3));
        Assert.That(attention.Output.Span.ToArray(), Is.All.EqualTo((Tokens - 1) / 2.0).Within(1e-5));
        attention.OutputGradient.Span.Fill(1);
        attention.Backward();

        // Every key gets the whole gradient once over all queries; the scores' gradient vanishes as all values of a row sum alike.
        for (int token = 0; token < Tokens; token++)
        {
            for (int channel = 0; channel < HeadSize; channel++)
                Assert.That(attention.QkvGradient.Span[(token * 3 + 2) * HeadSize + channel], Is.EqualTo(1).Within(2e-4));
        }
    }

    internal static void AssertClose(string name, double[] actual, double[] expected, double tolerance, double floor = 1e-3)
    {
        double scale = Math.Max(expected.Max(Math.Abs), floor), worst = 0;
        int where = 0;
        for (int index = 0; index < expected.Length; index++)
        {
            double error = Math.Abs(actual[index] - expected[index]) / scale;
            if (!(error <= worst))
                (worst, where) = (error, index);
            if (double.IsNaN(error))
                break;
        }

        if (!(worst <= tolerance))
            Assert.Fail($"{name}[{where}] is {actual[where]:R}, should be {expected[where]:R}: off by {worst:E1} of the largest, {tolerance:E1} allowed");
    }

    private static void AssertAgrees(AttentionCase sample, int head, int heads, int tokens, bool norm, double tolerance)
    {
        AttentionReference reference = sample.Reference(head);
        double floor = reference.LargestTerm;
        double[] logSumExp = [.. sample.LogSumExp.Span.Slice(head * tokens, tokens).ToArray().Select(value => (double)value)];
        AssertClose("output", sample.HeadOf(sample.Output, heads, head), reference.Output, tolerance);

        // An error of the log-sum-exp is a relative error of the weights, however small it is itself.
        AssertClose("log-sum-exp", logSumExp, reference.LogSumExp, tolerance, floor: 1);
        AssertClose("query gradient", sample.HeadOf(sample.QkvGradient, 3 * heads, head), reference.QueriesGradient, tolerance, floor);
        AssertClose("key gradient", sample.HeadOf(sample.QkvGradient, 3 * heads, heads + head), reference.KeysGradient, tolerance, floor);
        AssertClose("value gradient", sample.HeadOf(sample.QkvGradient, 3 * heads, 2 * heads + head), reference.ValuesGradient, tolerance);
        if (!norm)
            return;
        double[] queryWeight = [.. sample.QueryWeightGradient.Span.ToArray().Select(value => (double)value)];
        double[] keyWeight = [.. sample.KeyWeightGradient.Span.ToArray().Select(value => (double)value)];
        AssertClose("query norm gradient", queryWeight, reference.QueryWeightGradient, tolerance, floor);
        AssertClose("key norm gradient", keyWeight, reference.KeyWeightGradient, tolerance, floor);
    }

    private static ulong Mix(ulong hash, GuardedFloats buffer)
    {
        foreach (float value in buffer.Span)
            hash = (hash ^ BitConverter.SingleToUInt32Bits(value)) * 1099511628211;
        return hash;
    }

    private static void AssertWritten(Span<float> values, Func<int, bool> expected)
    {
        for (int index = 0; index < values.Length; index++)
            Assert.That(GuardedFloats.IsPoison(values[index]), Is.EqualTo(!expected(index)), $"element {index}");
    }
}
