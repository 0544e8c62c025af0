namespace Sprint.Engine.Cpu;

/// <summary>
/// Attention of one head in double precision, as plainly as it can be written, with its backward pass. With <see cref="Round"/> it is the plain
/// implementation in low precision, whose every operation stores its result rounded.
/// </summary>
internal sealed class AttentionReference
{
    internal required int Tokens { get; init; }

    internal required int HeadSize { get; init; }

    internal double[]? QueryWeight { get; init; }

    internal double[]? KeyWeight { get; init; }

    /// <summary>Cosines of each token's channel pairs, [tokens, headSize/2].</summary>
    internal required double[] Cos { get; init; }

    internal required double[] Sin { get; init; }

    /// <summary>Applied to whatever an operation of the plain implementation would store.</summary>
    internal Func<double, double> Round { get; init; } = static value => value;

    internal double[] Output { get; private set; } = [];

    internal double[] LogSumExp { get; private set; } = [];

    internal double[] QueriesGradient { get; private set; } = [];

    internal double[] KeysGradient { get; private set; } = [];

    internal double[] ValuesGradient { get; private set; } = [];

    internal double[] QueryWeightGradient { get; private set; } = [];

    internal double[] KeyWeightGradient { get; private set; } = [];

    /// <summary>
    /// The largest term of the sums that make the gradients of queries and keys, the difference in the scores' gradient taken as a sum:
    /// what the rounding of those gradients is to be measured by where the terms cancel.
    /// </summary>
    internal double LargestTerm { get; private set; }

    internal void Forward(double[] queries, double[] keys, double[] values)
    {
        double[] q = NormaliseAndTurn(queries, QueryWeight), k = NormaliseAndTurn(keys, KeyWeight);
        Output = new double[Tokens * HeadSize];
        LogSumExp = new double[Tokens];
        double[] scores = new double[Tokens];
        for (int row = 0; row < Tokens; row++)
        {
            for (int key = 0; key < Tokens; key++)
                scores[key] = Round(Round(Dot(q, row, k, key)) / Math.Sqrt(HeadSize));
            double largest = scores.Max();
            double sum = scores.Sum(score => Math.Exp(score - largest));
            LogSumExp[row] = largest + Math.Log(sum);
            for (int key = 0; key < Tokens; key++)
            {
                double weight = Round(Math.Exp(scores[key] - LogSumExp[row]));
                for (int channel = 0; channel < HeadSize; channel++)
                    Output[row * HeadSize + channel] += weight * values[key * HeadSize + channel];
            }

            for (int channel = 0; channel < HeadSize; channel++)
                Output[row * HeadSize + channel] = Round(Output[row * HeadSize + channel]);
        }
    }

    /// <summary>After <see cref="Forward"/> on the same arguments.</summary>
    internal void Backward(double[] queries, double[] keys, double[] values, double[] outputGradient)
    {
        double[] q = NormaliseAndTurn(queries, QueryWeight), k = NormaliseAndTurn(keys, KeyWeight);
        double[] dq = new double[q.Length], dk = new double[k.Length];
        ValuesGradient = new double[values.Length];
        double scale = 1 / Math.Sqrt(HeadSize);
        for (int row = 0; row < Tokens; row++)
        {
            double delta = Dot(outputGradient, row, Output, row);
            for (int key = 0; key < Tokens; key++)
            {
                double score = Round(Round(Dot(q, row, k, key)) / Math.Sqrt(HeadSize));
                double weight = Round(Math.Exp(score - LogSumExp[row])), product = Round(Dot(outputGradient, row, values, key));
                double scoreGradient = Round(Round(weight * (product - delta)) * scale);
                double largestScoreGradient = weight * (Math.Abs(product) + Math.Abs(delta)) * scale;
                for (int channel = 0; channel < HeadSize; channel++)
                {
                    int rowIndex = row * HeadSize + channel, keyIndex = key * HeadSize + channel;
                    ValuesGradient[keyIndex] += weight * outputGradient[rowIndex];
                    dq[rowIndex] += scoreGradient * k[keyIndex];
                    dk[keyIndex] += scoreGradient * q[rowIndex];
                    LargestTerm = Math.Max(LargestTerm, largestScoreGradient * Math.Max(Math.Abs(q[rowIndex]), Math.Abs(k[keyIndex])));
                }
            }
        }

        foreach (double[] gradient in (double[][])[ValuesGradient, dq, dk])
        {
            for (int index = 0; index < gradient.Length; index++)
                gradient[index] = Round(gradient[index]);
        }

        (QueriesGradient, QueryWeightGradient) = NormaliseAndTurnBackward(queries, QueryWeight, dq);
        (KeysGradient, KeyWeightGradient) = NormaliseAndTurnBackward(keys, KeyWeight, dk);
    }

    private double Dot(double[] a, int rowA, double[] b, int rowB)
    {
        double sum = 0;
        for (int channel = 0; channel < HeadSize; channel++)
            sum += a[rowA * HeadSize + channel] * b[rowB * HeadSize + channel];
        return sum;
    }

    private double InverseRoot(double[] x, int row) => 1 / Math.Sqrt(Dot(x, row, x, row) / HeadSize + 1e-6);

    private double[] NormaliseAndTurn(double[] x, double[]? weight)
    {
        double[] y = new double[x.Length];
        for (int row = 0; row < Tokens; row++)
        {
            double inverse = weight == null ? 1 : InverseRoot(x, row);
            for (int pair = 0; pair < HeadSize / 2; pair++)
            {
                int index = row * HeadSize + 2 * pair;
                double a = Round(Round(x[index] * inverse) * (weight?[2 * pair] ?? 1)), b = Round(Round(x[index + 1] * inverse) * (weight?[2 * pair + 1] ?? 1));
                double cos = Cos[row * HeadSize / 2 + pair], sin = Sin[row * HeadSize / 2 + pair];
                y[index] = Round(a * cos - b * sin);
                y[index + 1] = Round(b * cos + a * sin);
            }
        }

        return y;
    }

    private (double[] Gradient, double[] WeightGradient) NormaliseAndTurnBackward(double[] x, double[]? weight, double[] dy)
    {
        double[] dx = new double[x.Length], weightGradient = new double[HeadSize];
        for (int row = 0; row < Tokens; row++)
        {
            int start = row * HeadSize;
            for (int pair = 0; pair < HeadSize / 2; pair++)
            {
                double a = dy[start + 2 * pair], b = dy[start + 2 * pair + 1];
                double cos = Cos[start / 2 + pair], sin = Sin[start / 2 + pair];
                dx[start + 2 * pair] = Round(a * cos + b * sin);
                dx[start + 2 * pair + 1] = Round(b * cos - a * sin);
            }

            if (weight == null)
                continue;
            double inverse = InverseRoot(x, row), product = 0;
            for (int channel = 0; channel < HeadSize; channel++)
            {
                weightGradient[channel] += Round(dx[start + channel] * Round(x[start + channel] * inverse));
                dx[start + channel] = Round(dx[start + channel] * weight[channel]);
                product += dx[start + channel] * x[start + channel];
            }

            for (int channel = 0; channel < HeadSize; channel++)
                dx[start + channel] = Round(inverse * (dx[start + channel] - x[start + channel] * product * inverse * inverse / HeadSize));
        }

        return (dx, weightGradient);
    }
}
