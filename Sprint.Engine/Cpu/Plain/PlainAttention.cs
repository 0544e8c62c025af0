using Sprint.Engine.Operations;

namespace Sprint.Engine.Cpu;

/// <summary>
/// <see cref="Attention"/> in low precision as plainly as can be: one operation after the other, each storing its result rounded, the matrix of
/// scores included.
/// </summary>
internal sealed class PlainAttention(IAttentionKernels inner) : IAttentionKernels
{
    public void Forward(Tensor qkv, in AttentionArguments arguments, Tensor output, Tensor logSumExp)
    {
        if (qkv.ElementType == ElementType.Float32)
        {
            inner.Forward(qkv, arguments, output, logSumExp);
            return;
        }

        var problem = new Problem(qkv, arguments);
        var results = new float[output.Count];
        var sums = new float[logSumExp.Count];
        for (int head = 0; head < problem.Heads; head++)
        {
            AttentionReference reference = problem.Head(head);
            for (int i = 0; i < reference.Output.Length; i++)
            {
                results[problem.Place(head, i)] = (float)reference.Output[i];
            }

            for (int token = 0; token < reference.LogSumExp.Length; token++)
            {
                sums[(head * reference.LogSumExp.Length) + token] = (float)reference.LogSumExp[token];
            }
        }

        Store(results, output);
        logSumExp.CopyFrom<float>(sums);
    }

    public void Backward(
        Tensor gradient,
        Tensor qkv,
        in AttentionArguments arguments,
        Tensor output,
        Tensor logSumExp,
        Tensor qkvGradient,
        Tensor queryNormGradient,
        Tensor keyNormGradient)
    {
        if (qkv.ElementType == ElementType.Float32)
        {
            inner.Backward(gradient, qkv, arguments, output, logSumExp, qkvGradient, queryNormGradient, keyNormGradient);
            return;
        }

        var problem = new Problem(qkv, arguments);
        float[] upstream = gradient.ToArray();
        var results = new float[qkv.Count];
        float[] queryNorm = queryNormGradient.IsEmpty ? [] : queryNormGradient.ToArray();
        float[] keyNorm = keyNormGradient.IsEmpty ? [] : keyNormGradient.ToArray();
        for (int head = 0; head < problem.Heads; head++)
        {
            AttentionReference reference = problem.Head(head);
            var own = new double[reference.Output.Length];
            for (int i = 0; i < own.Length; i++)
            {
                own[i] = upstream[problem.Place(head, i)];
            }

            reference.Backward(problem.Rows(head, 0), problem.Rows(head, 1), problem.Rows(head, 2), own);
            for (int i = 0; i < own.Length; i++)
            {
                results[problem.Place(head, i, 0)] = (float)reference.QueriesGradient[i];
                results[problem.Place(head, i, 1)] = (float)reference.KeysGradient[i];
                results[problem.Place(head, i, 2)] = (float)reference.ValuesGradient[i];
            }

            Add(reference.QueryWeightGradient, queryNorm);
            Add(reference.KeyWeightGradient, keyNorm);
        }

        Store(results, qkvGradient);
        if (!queryNormGradient.IsEmpty)
        {
            queryNormGradient.CopyFrom<float>(queryNorm);
        }

        if (!keyNormGradient.IsEmpty)
        {
            keyNormGradient.CopyFrom<float>(keyNorm);
        }
    }

    private static void Add(double[] terms, float[] sums)
    {
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] += (float)terms[i];
        }
    }

    private static void Store(float[] values, Tensor tensor) => tensor.CopyFrom<ushort>(Array.ConvertAll(values, BrainFloat.Narrow));

    /// <summary>The heads of all samples, one after the other, in the layout of the tensors.</summary>
    private sealed class Problem
    {
        private readonly float[] values;
        private readonly float[] cosines;
        private readonly float[] sines;
        private readonly double[]? queryWeight;
        private readonly double[]? keyWeight;
        private readonly int[]? ids;
        private readonly int tokens;
        private readonly int perSample;
        private readonly int headSize;

        internal Problem(Tensor qkv, in AttentionArguments arguments)
        {
            values = qkv.ToArray();
            (tokens, perSample, headSize) = (qkv.Shape[1], arguments.Heads, qkv.Shape[2] / (3 * arguments.Heads));
            Heads = qkv.Shape[0] * perSample;
            (cosines, sines) = (arguments.Cosines.ToArray(), arguments.Sines.ToArray());
            queryWeight = Weight(arguments.QueryNormWeight);
            keyWeight = Weight(arguments.KeyNormWeight);
            if (!arguments.TokenIds.IsEmpty)
            {
                ids = new int[arguments.TokenIds.Count];
                arguments.TokenIds.CopyTo<int>(ids);
            }
        }

        internal int Heads { get; }

        /// <summary>Where element i of a head's (tokens, headSize) is in a tensor of rows of all heads.</summary>
        internal int Place(int head, int i) => (((head / perSample * tokens) + (i / headSize)) * perSample * headSize) + Column(head, i);

        /// <summary>The same of q (0), k (1) or v (2) in a tensor like qkv.</summary>
        internal int Place(int head, int i, int part) =>
            (((((head / perSample * tokens) + (i / headSize)) * 3) + part) * perSample * headSize) + Column(head, i);

        internal double[] Rows(int head, int part)
        {
            var rows = new double[tokens * headSize];
            for (int i = 0; i < rows.Length; i++)
            {
                rows[i] = values[Place(head, i, part)];
            }

            return rows;
        }

        /// <summary>A head after its forward pass.</summary>
        internal AttentionReference Head(int head)
        {
            var reference = new AttentionReference
            {
                Tokens = tokens,
                HeadSize = headSize,
                QueryWeight = queryWeight,
                KeyWeight = keyWeight,
                Cos = Angles(cosines, head / perSample),
                Sin = Angles(sines, head / perSample),
                Round = static value => BrainFloat.Round((float)value),
            };
            reference.Forward(Rows(head, 0), Rows(head, 1), Rows(head, 2));
            return reference;
        }

        private static double[]? Weight(Tensor weight) => weight.IsEmpty ? null : Array.ConvertAll(weight.ToArray(), static value => (double)value);

        private int Column(int head, int i) => (head % perSample * headSize) + (i % headSize);

        private double[] Angles(float[] table, int sample)
        {
            int half = headSize / 2;
            var angles = new double[tokens * half];
            for (int i = 0; i < angles.Length; i++)
            {
                int position = ids is null ? i / half : ids[(sample * tokens) + (i / half)];
                angles[i] = table[(position * half) + (i % half)];
            }

            return angles;
        }
    }
}
