using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// The backward pass of one head of one sample. The weights P are computed again from q, k and the log-sum-exp, in blocks of queries and
/// keys that stay in cache: dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(dO O)), dQ = dS K, dK = dS^T Q,
/// the last two times the scale and back through rotation and norm. One thread; the order of every sum is fixed, whatever the block sizes.
/// </summary>
internal static unsafe partial class CpuAttentionBackward
{
    private const int TileSize = VectorRows.TileSize;
    private const int Lanes = VectorMath.Lanes;

    // Query and key groups of a block: its P and dS fit the first-level cache.
    private const int QueryGroups = 4;
    private const int KeyGroups = 8;

    /// <summary>Bytes of scratch that <see cref="Run"/> needs.</summary>
    /// <param name="tokens">Rows of the sample.</param>
    /// <param name="headSize">Channels of a head.</param>
    internal static long ScratchBytes(int tokens, int headSize)
    {
        CpuScratch scratch = new(null);
        _ = new Workspace(ref scratch, tokens, headSize);
        return scratch.Bytes;
    }

    /// <summary>Computes one head's gradients.</summary>
    /// <param name="problem">Sizes, norm weights and tables.</param>
    /// <param name="outputGradient">The gradient of the sample's output [tokens, heads, headSize].</param>
    /// <param name="output">The sample's output of the forward pass, same shape.</param>
    /// <param name="qkv">The sample's packed queries, keys and values [tokens, 3, heads, headSize].</param>
    /// <param name="logSumExp">The sample's log-sum-exp [heads, tokens] of the forward pass.</param>
    /// <param name="ids">Each token's row in the tables, or null where that is its index.</param>
    /// <param name="head">The head.</param>
    /// <param name="qkvGradient">Receives the gradient of qkv; this head's part is overwritten.</param>
    /// <param name="queryNormGradient">Receives this sample and head's part [headSize] of the gradient of the query norm's weight; unused without that norm.</param>
    /// <param name="keyNormGradient">The same for the key norm.</param>
    /// <param name="scratch">Memory of <see cref="ScratchBytes"/> bytes, aligned to 64.</param>
    internal static void Run(
        in CpuAttentionProblem problem, float* outputGradient, float* output, float* qkv, float* logSumExp, int* ids, int head,
        float* qkvGradient, float* queryNormGradient, float* keyNormGradient, byte* scratch)
    {
        CpuScratch memory = new(scratch);
        Workspace work = new(ref memory, problem.Tokens, problem.HeadSize);
        nint offset = (nint)head * problem.HeadSize;
        CpuRotaryNorm.PadWeight(problem.QueryNormWeight, problem.HeadSize, work.QueryWeight);
        CpuRotaryNorm.PadWeight(problem.KeyNormWeight, problem.HeadSize, work.KeyWeight);
        for (int group = 0; group < problem.Groups; group++)
        {
            Pack(problem, work, group, qkv + offset, ids);
            PackGradient(problem, work, group, outputGradient + offset, output + offset, logSumExp + (nint)head * problem.Tokens);
        }

        for (int group = 0; group < problem.Groups; group += work.QueryGroups)
        {
            for (int key = 0; key < problem.Groups; key += work.KeyGroups)
                RunBlock(problem, work, group, key);
        }

        new Span<float>(work.QueryNormSums, problem.Depth * Lanes).Clear();
        new Span<float>(work.KeyNormSums, problem.Depth * Lanes).Clear();
        for (int group = 0; group < problem.Groups; group++)
            Unpack(problem, work, group, qkv + offset, ids, qkvGradient + offset);
        if (problem.QueryNormWeight != null)
            new Span<float>(work.QueryNormSums, problem.HeadSize).CopyTo(new Span<float>(queryNormGradient, problem.HeadSize));
        if (problem.KeyNormWeight != null)
            new Span<float>(work.KeyNormSums, problem.HeadSize).CopyTo(new Span<float>(keyNormGradient, problem.HeadSize));
    }

    private static void Pack(in CpuAttentionProblem problem, in Workspace work, int group, float* queries, int* ids)
    {
        int token = group * Lanes, count = problem.TokensOfGroup(group), headSize = problem.HeadSize;
        nint stride = problem.QkvStride, tiles = (nint)group * problem.Depth * TileSize;
        float* query = queries + token * stride, key = query + problem.OutStride, value = key + problem.OutStride;
        CpuRotaryNorm.Forward(
            problem, ids, token, QuerySide(problem, work, token, work.Queries + tiles, query, null),
            KeySide(problem, work, token, work.Keys + tiles, key, null));
        CpuHeadRows.ToTiles(value, stride, count, headSize, work.Values + tiles);
        for (int tile = 0; tile < problem.Depth; tile++)
            VectorRows.Transpose(work.Queries + tiles + tile * TileSize, work.QueriesTransposed + tiles + tile * TileSize);
    }

    private static void PackGradient(
        in CpuAttentionProblem problem, in Workspace work, int group, float* outputGradient, float* output, float* logSumExp)
    {
        int token = group * Lanes, count = problem.TokensOfGroup(group);
        nint row = token * problem.OutStride, tiles = (nint)group * problem.Depth * TileSize;
        CpuHeadRows.GradientToTiles(
            outputGradient + row, output + row, problem.OutStride, count, problem.HeadSize, work.OutputGradient + tiles, work.Partials,
            work.Deltas + token);
        for (int tile = 0; tile < problem.Depth; tile++)
            VectorRows.Transpose(work.OutputGradient + tiles + tile * TileSize, work.OutputGradientTransposed + tiles + tile * TileSize);
        CpuSoftmaxTiles.Offsets(logSumExp + token, count).Store(work.Offsets + token);
    }

    private static void Unpack(
        in CpuAttentionProblem problem, in Workspace work, int group, float* queries, int* ids, float* queriesGradient)
    {
        int token = group * Lanes, count = problem.TokensOfGroup(group), headSize = problem.HeadSize;
        nint stride = problem.QkvStride, tiles = (nint)group * problem.Depth * TileSize, row = token * stride, keys = problem.OutStride;
        CpuRotaryNorm.Backward(
            problem, ids, token, QuerySide(problem, work, token, work.QueriesGradient + tiles, queries + row, queriesGradient + row),
            KeySide(problem, work, token, work.KeysGradient + tiles, queries + keys + row, queriesGradient + keys + row));
        CpuHeadRows.FromTiles(work.ValuesGradient + tiles, queriesGradient + 2 * keys + row, stride, count, headSize);
    }

    private static CpuRotaryNorm.Side QuerySide(
        in CpuAttentionProblem problem, in Workspace work, int token, float* tiles, float* rows, float* gradientRows) => new()
        {
            Rows = rows,
            HasNorm = problem.QueryNormWeight != null,
            Weight = work.QueryWeight,
            InverseRoots = work.QueryInverseRoots + token,
            Tiles = tiles,
            GradientRows = gradientRows,
            WeightGradient = work.QueryNormSums,
            Partials = work.Partials,
        };

    private static CpuRotaryNorm.Side KeySide(
        in CpuAttentionProblem problem, in Workspace work, int token, float* tiles, float* rows, float* gradientRows) => new()
        {
            Rows = rows,
            HasNorm = problem.KeyNormWeight != null,
            Weight = work.KeyWeight,
            InverseRoots = work.KeyInverseRoots + token,
            Tiles = tiles,
            GradientRows = gradientRows,
            WeightGradient = work.KeyNormSums,
            Partials = work.Partials + TileSize,
        };
}
