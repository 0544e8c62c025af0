using Sprint.Engine.Cpu;
using Sprint.Tests.Engine.Cpu;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>One sample with random contents, its buffers guarded, and the same in double precision per head.</summary>
internal sealed unsafe class AttentionCase : IDisposable
{
    private const int Positions = 5000;

    private readonly int tokens, heads, headSize;
    private readonly GuardedFloats? queryWeight, keyWeight;
    private readonly GuardedFloats cos, sin, qkv, outputGradient;
    private readonly int[]? ids;

    internal AttentionCase(int tokens, int heads, int headSize, bool norm, bool useIds, float magnitude = 1, bool turned = true)
    {
        (this.tokens, this.heads, this.headSize) = (tokens, heads, headSize);
        Random random = new(1000 + tokens * 7 + headSize);
        qkv = Values(random, tokens * 3 * heads * headSize, magnitude);
        outputGradient = Values(random, tokens * heads * headSize, 1);
        queryWeight = norm ? Values(random, headSize, 0.5f, 1) : null;
        keyWeight = norm ? Values(random, headSize, 0.5f, 1) : null;
        ids = useIds ? [.. Enumerable.Range(0, tokens).Select(_ => random.Next(Positions))] : null;

        // The tables end with the last position that is used.
        int positions = ids == null ? tokens : ids.Max() + 1;
        (cos, sin) = (new GuardedFloats((long)positions * headSize / 2), new GuardedFloats((long)positions * headSize / 2));
        for (int index = 0; index < cos.Count; index++)
        {
            float turn = (float)random.NextDouble();
            (sin.Span[index], cos.Span[index]) = turned ? MathF.SinCos(turn * 2 * MathF.PI) : (turn, 1 - turn);
        }

        Output = new GuardedFloats((long)tokens * heads * headSize);
        LogSumExp = new GuardedFloats((long)heads * tokens);
        QkvGradient = new GuardedFloats((long)tokens * 3 * heads * headSize);
        QueryWeightGradient = new GuardedFloats(headSize);
        KeyWeightGradient = new GuardedFloats(headSize);
    }

    internal GuardedFloats Output { get; }

    internal GuardedFloats LogSumExp { get; }

    internal GuardedFloats QkvGradient { get; }

    internal GuardedFloats QueryWeightGradient { get; }

    internal GuardedFloats KeyWeightGradient { get; }

    internal CpuAttentionProblem Problem => new()
    {
        Tokens = tokens,
        Heads = heads,
        HeadSize = headSize,
        QueryNormWeight = queryWeight == null ? null : queryWeight.Pointer,
        KeyNormWeight = keyWeight == null ? null : keyWeight.Pointer,
        CosTable = cos.Pointer,
        SinTable = sin.Pointer,
    };

    internal void Forward(int head)
    {
        using GuardedFloats scratch = new(CpuAttentionForward.ScratchBytes(tokens, headSize) / sizeof(float));
        fixed (int* positions = ids)
            CpuAttentionForward.Run(Problem, qkv.Pointer, positions, head, Output.Pointer, LogSumExp.Pointer, (byte*)scratch.Pointer);
        scratch.AssertCanariesIntact();
    }

    internal void Backward(int head)
    {
        using GuardedFloats scratch = new(CpuAttentionBackward.ScratchBytes(tokens, headSize) / sizeof(float));
        fixed (int* positions = ids)
        {
            CpuAttentionBackward.Run(
                Problem, outputGradient.Pointer, Output.Pointer, qkv.Pointer, LogSumExp.Pointer, positions, head, QkvGradient.Pointer,
                QueryWeightGradient.Pointer, KeyWeightGradient.Pointer, (byte*)scratch.Pointer);
        }

        scratch.AssertCanariesIntact();
    }

    /// <summary>The head in double precision, forward and backward done.</summary>
    internal AttentionReference Reference(int head)
    {
        double[] tokenCos = new double[tokens * headSize / 2], tokenSin = new double[tokens * headSize / 2];
        for (int index = 0; index < tokenCos.Length; index++)
        {
            int token = index / (headSize / 2), position = ids == null ? token : ids[token];
            int entry = position * (headSize / 2) + index % (headSize / 2);
            (tokenCos[index], tokenSin[index]) = (cos.Span[entry], sin.Span[entry]);
        }

        AttentionReference reference = new()
        {
            Tokens = tokens,
            HeadSize = headSize,
            QueryWeight = Doubles(queryWeight),
            KeyWeight = Doubles(keyWeight),
            Cos = tokenCos,
            Sin = tokenSin,
        };
        double[] queries = HeadOf(qkv, 3 * heads, head), keys = HeadOf(qkv, 3 * heads, heads + head);
        double[] values = HeadOf(qkv, 3 * heads, 2 * heads + head);
        reference.Forward(queries, keys, values);
        reference.Backward(queries, keys, values, HeadOf(outputGradient, heads, head));
        return reference;
    }

    /// <summary>One head's rows of a buffer with so many slots of headSize per token.</summary>
    internal double[] HeadOf(GuardedFloats buffer, int slots, int slot)
    {
        double[] rows = new double[tokens * headSize];
        for (int index = 0; index < rows.Length; index++)
            rows[index] = buffer.Span[(index / headSize * slots + slot) * headSize + index % headSize];
        return rows;
    }

    internal void AssertCanariesIntact()
    {
        foreach (GuardedFloats buffer in (GuardedFloats[])[Output, LogSumExp, QkvGradient, QueryWeightGradient, KeyWeightGradient])
            buffer.AssertCanariesIntact();
    }

    public void Dispose()
    {
        foreach (GuardedFloats? buffer in (GuardedFloats?[])
            [queryWeight, keyWeight, cos, sin, qkv, outputGradient, Output, LogSumExp, QkvGradient, QueryWeightGradient, KeyWeightGradient])
            buffer?.Dispose();
    }

    private static double[]? Doubles(GuardedFloats? values) => values == null ? null : [.. values.Span.ToArray().Select(value => (double)value)];

    private static GuardedFloats Values(Random random, int count, float magnitude, float centre = 0)
    {
        GuardedFloats values = new(count);
        for (int index = 0; index < count; index++)
            values.Span[index] = centre + magnitude * (float)(2 * random.NextDouble() - 1) * 1.7f;
        return values;
    }
}
