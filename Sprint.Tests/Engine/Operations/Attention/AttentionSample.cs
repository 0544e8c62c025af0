using Sprint.Engine.Cpu;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>What attention is given and what it gives, whole tensors.</summary>
internal sealed record AttentionResults(
    double[] Output, double[] LogSumExp, double[] QkvGradient, double[]? QueryWeightGradient, double[]? KeyWeightGradient);

/// <summary>A batch with random contents, exact in the element type, and attention over it in double precision or plainly in low precision.</summary>
internal sealed record AttentionSample(string Element, int Batch, int Tokens, int Heads, int HeadSize, bool Norm, bool UsesIds)
{
    private const int Positions = 200;

    private float[]? qkv, outputGradient, cosines, sines, queryWeight, keyWeight;
    private int[]? ids;

    internal float Magnitude { get; init; } = 1;

    internal float[] Qkv => qkv ??= Values(1, Batch * Tokens * 3 * Heads * HeadSize, Magnitude);

    internal float[] OutputGradient => outputGradient ??= Values(2, Batch * Tokens * Heads * HeadSize, 1);

    internal float[]? QueryWeight => Norm ? queryWeight ??= [.. Randoms(3, HeadSize).Select(value => 1 + value / 2)] : null;

    internal float[]? KeyWeight => Norm ? keyWeight ??= [.. Randoms(4, HeadSize).Select(value => 1 + value / 2)] : null;

    internal int[]? Ids => UsesIds ? ids ??= [.. Randoms(5, Batch * Tokens).Select(value => (int)((value + 1) / 2 * (Positions - 1)))] : null;

    internal float[] Cosines => cosines ??= [.. Angles.Select(MathF.Cos)];

    internal float[] Sines => sines ??= [.. Angles.Select(MathF.Sin)];

    // The tables end with the last position that is used.
    private IEnumerable<float> Angles => Randoms(6, (Ids == null ? Tokens : Ids.Max() + 1) * HeadSize / 2).Select(value => value * 3);

    internal static double RoundToBFloat16(double value) => (double)BitConverter.UInt32BitsToSingle(Widen(Narrow((float)value)));

    internal static ushort Narrow(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    internal static uint Widen(ushort value) => (uint)value << 16;

    /// <summary>Attention of every head of every sample, each operation's result rounded as given.</summary>
    internal AttentionResults Run(Func<double, double> round)
    {
        int width = Heads * HeadSize, half = HeadSize / 2;
        AttentionResults results = new(
            new double[OutputGradient.Length], new double[Batch * Heads * Tokens], new double[Qkv.Length],
            Norm ? new double[HeadSize] : null, Norm ? new double[HeadSize] : null);
        for (int head = 0; head < Batch * Heads; head++)
        {
            int sample = head / Heads, column = head % Heads * HeadSize;
            double[] Angle(float[] table) =>
                [.. Enumerable.Range(0, Tokens * half).Select(i => (double)table[((Ids == null ? i / half : Ids[sample * Tokens + i / half]) * half) + i % half])];
            int QkvIndex(int part, int i) => ((sample * Tokens + i / HeadSize) * 3 + part) * width + column + i % HeadSize;
            int Index(int i) => (sample * Tokens + i / HeadSize) * width + column + i % HeadSize;
            double[] Rows(int part) => [.. Enumerable.Range(0, Tokens * HeadSize).Select(i => (double)Qkv[QkvIndex(part, i)])];
            AttentionReference reference = new()
            {
                Tokens = Tokens,
                HeadSize = HeadSize,
                QueryWeight = QueryWeight?.Select(value => (double)value).ToArray(),
                KeyWeight = KeyWeight?.Select(value => (double)value).ToArray(),
                Cos = Angle(Cosines),
                Sin = Angle(Sines),
                Round = round,
            };
            reference.Forward(Rows(0), Rows(1), Rows(2));
            reference.Backward(Rows(0), Rows(1), Rows(2), [.. Enumerable.Range(0, Tokens * HeadSize).Select(i => (double)OutputGradient[Index(i)])]);
            reference.LogSumExp.CopyTo(results.LogSumExp, head * Tokens);
            for (int i = 0; i < Tokens * HeadSize; i++)
            {
                results.Output[Index(i)] = reference.Output[i];
                results.QkvGradient[QkvIndex(0, i)] = reference.QueriesGradient[i];
                results.QkvGradient[QkvIndex(1, i)] = reference.KeysGradient[i];
                results.QkvGradient[QkvIndex(2, i)] = reference.ValuesGradient[i];
            }

            for (int channel = 0; Norm && channel < HeadSize; channel++)
            {
                results.QueryWeightGradient![channel] += reference.QueryWeightGradient[channel];
                results.KeyWeightGradient![channel] += reference.KeyWeightGradient[channel];
            }
        }

        return results;
    }

    /// <summary>One of q, k and v of a tensor like qkv.</summary>
    internal double[] Part(double[] values, int part) => [.. values.Where((_, i) => i / (Heads * HeadSize) % 3 == part)];

    private float[] Values(int seed, int count, float magnitude) => [.. Randoms(seed, count).Select(value =>
        Element == KernelCatalog.BFloat16Element ? (float)RoundToBFloat16(value * 1.7f * magnitude) : value * 1.7f * magnitude)];

    private float[] Randoms(int seed, int count)
    {
        Random random = new((seed * 1000) + (Tokens * 7) + HeadSize);
        return [.. Enumerable.Range(0, count).Select(_ => (2 * random.NextSingle()) - 1)];
    }
}
