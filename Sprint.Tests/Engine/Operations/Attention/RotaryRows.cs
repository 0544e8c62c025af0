using Sprint.Engine.Cpu;
using Sprint.Tests.Engine.Cpu;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Norm and rotation alone, on rows [tokens, headSize] that stand for the queries and the keys of one head.</summary>
internal sealed unsafe class RotaryRows(int tokens, int headSize, GuardedFloats? weight, GuardedFloats cos, GuardedFloats sin)
{
    private int Depth => CpuAttentionProblem.GroupsOf(headSize);

    private int Groups => CpuAttentionProblem.GroupsOf(tokens);

    /// <summary>The normalised and turned rows.</summary>
    internal float[] Forward(ReadOnlySpan<float> x)
    {
        float[] result = new float[tokens * headSize];
        using GuardedFloats tiles = new(2 * Depth * VectorRows.TileSize), roots = new(32);
        Run(x, tiles, roots, null, null, (problem, group, queries, keys) =>
        {
            CpuRotaryNorm.Forward(problem, null, group * 16, queries, keys);
            for (int index = 0; index < problem.TokensOfGroup(group) * headSize; index++)
                result[group * 16 * headSize + index] = tiles.Span[TileIndex(index)];
        });
        return result;
    }

    /// <summary>The gradient of the rows and, where there is one, of the weight.</summary>
    internal float[] Backward(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> weightGradient)
    {
        float[] upstream = dy.ToArray();
        using GuardedFloats tiles = new(2 * Depth * VectorRows.TileSize), roots = new(32), sums = new(2 * Depth * 16);
        using GuardedFloats gradient = new(tokens * 3 * headSize);
        sums.Span.Clear();
        Run(x, tiles, roots, gradient, sums, (problem, group, queries, keys) =>
        {
            CpuRotaryNorm.Forward(problem, null, group * 16, queries, keys);
            tiles.Span.Clear();
            for (int index = 0; index < problem.TokensOfGroup(group) * headSize; index++)
                tiles.Span[TileIndex(index)] = upstream[group * 16 * headSize + index] / problem.Scale;
            CpuRotaryNorm.Backward(problem, null, group * 16, queries, keys);
        });
        if (weight != null)
            sums.Span[..headSize].CopyTo(weightGradient);
        return [.. Enumerable.Range(0, tokens * headSize).Select(index => gradient.Span[index / headSize * 3 * headSize + index % headSize])];
    }

    private int TileIndex(int index)
    {
        int row = index / headSize, channel = index % headSize;
        return channel / 16 * VectorRows.TileSize + row * 16 + channel % 16;
    }

    private delegate void GroupAction(CpuAttentionProblem problem, int group, CpuRotaryNorm.Side queries, CpuRotaryNorm.Side keys);

    private void Run(
        ReadOnlySpan<float> x, GuardedFloats tiles, GuardedFloats roots, GuardedFloats? gradient, GuardedFloats? sums, GroupAction action)
    {
        using GuardedFloats qkv = new(tokens * 3 * headSize), padded = new(Depth * 16), partials = new(2 * VectorRows.TileSize);
        qkv.Span.Clear();
        for (int index = 0; index < x.Length; index++)
            qkv.Span[index / headSize * 3 * headSize + index % headSize] = x[index];
        CpuRotaryNorm.PadWeight(weight == null ? null : weight.Pointer, headSize, padded.Pointer);
        CpuAttentionProblem problem = new() { Tokens = tokens, Heads = 1, HeadSize = headSize, CosTable = cos.Pointer, SinTable = sin.Pointer };
        CpuRotaryNorm.Side Side(int group, int part) => new()
        {
            Rows = qkv.Pointer + (group * 16 * 3 + part) * headSize,
            HasNorm = weight != null,
            Weight = padded.Pointer,
            InverseRoots = roots.Pointer + part * 16,
            Tiles = tiles.Pointer + part * Depth * VectorRows.TileSize,
            GradientRows = gradient == null ? null : gradient.Pointer + (group * 16 * 3 + part) * headSize,
            WeightGradient = sums == null ? null : sums.Pointer + part * Depth * 16,
            Partials = partials.Pointer + part * VectorRows.TileSize,
        };
        for (int group = 0; group < Groups; group++)
            action(problem, group, Side(group, 0), Side(group, 1));
    }
}
