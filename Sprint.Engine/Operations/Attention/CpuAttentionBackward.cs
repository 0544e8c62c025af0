namespace Sprint.Engine.Cpu;

/// <summary>
/// The backward pass of one head of one sample. The weights P are computed again from q, k and the log-sum-exp, in blocks of at most
/// 32 queries by 128 keys that stay in cache: dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(dO O)), dQ = dS K, dK = dS^T Q,
/// the last two times the scale and back through rotation and norm. One thread; the order of every sum is fixed.
/// </summary>
internal static unsafe partial class CpuAttentionBackward
{
    private const int TileSize = VectorRows.TileSize;
    private const int Lanes = VectorMath.Lanes;

    // Query and key groups of a block: its P and dS take 32 KiB.
    private const int QueryGroups = 2;
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
        float* queries = qkv + offset, keys = queries + problem.OutStride, values = keys + problem.OutStride;
        float* queriesGradient = qkvGradient + offset;
        outputGradient += offset;
        output += offset;
        logSumExp += (nint)head * problem.Tokens;
        new Span<float>(work.QueryNormSums, 2 * problem.Depth * Lanes).Clear();

        PackKeysAndValues(problem, work, keys, values, ids);
        for (int group = 0; group < problem.Groups; group += work.QueryGroups)
        {
            int groups = Math.Min(work.QueryGroups, problem.Groups - group);
            int rows = Math.Min(groups * Lanes, problem.Tokens - group * Lanes);
            for (int local = 0; local < groups; local++)
                PackQueries(problem, work, group + local, local, queries, outputGradient, output, logSumExp, ids);

            for (int key = 0; key < problem.Groups; key += work.KeyGroups)
                RunBlock(problem, work, group, rows, key);

            for (int local = 0; local < groups; local++)
            {
                nint row = (nint)(group + local) * Lanes * problem.QkvStride;
                CpuRotaryNorm.Backward(
                    problem, work.QueriesGradient + local * problem.Depth * TileSize, queries + row, ids, (group + local) * Lanes,
                    problem.QueryNormWeight, work.QueryInverseRoots + local * Lanes, work.Partials, queriesGradient + row,
                    work.QueryNormSums);
            }
        }

        UnpackKeysAndValues(problem, work, keys, ids, queriesGradient + problem.OutStride);
        if (problem.QueryNormWeight != null)
            new Span<float>(work.QueryNormSums, problem.HeadSize).CopyTo(new Span<float>(queryNormGradient, problem.HeadSize));
        if (problem.KeyNormWeight != null)
            new Span<float>(work.KeyNormSums, problem.HeadSize).CopyTo(new Span<float>(keyNormGradient, problem.HeadSize));
    }

    private static void PackKeysAndValues(in CpuAttentionProblem problem, in Workspace work, float* keys, float* values, int* ids)
    {
        for (int group = 0; group < problem.Groups; group++)
        {
            int token = group * Lanes;
            nint start = (nint)group * problem.Depth * TileSize;
            CpuRotaryNorm.Forward(
                problem, keys + token * problem.QkvStride, ids, token, problem.KeyNormWeight, work.Keys + start,
                work.KeyInverseRoots + token);
            CpuHeadRows.ToTiles(
                values + token * problem.QkvStride, problem.QkvStride, problem.TokensOfGroup(group), problem.HeadSize, work.Queries);
            for (int tile = 0; tile < problem.Depth; tile++)
            {
                VectorRows.Transpose(work.Keys + start + tile * TileSize, work.KeysTransposed + start + tile * TileSize);
                VectorRows.Transpose(work.Queries + tile * TileSize, work.ValuesTransposed + start + tile * TileSize);
            }
        }
    }

    private static void PackQueries(
        in CpuAttentionProblem problem, in Workspace work, int group, int local, float* queries, float* outputGradient, float* output,
        float* logSumExp, int* ids)
    {
        int token = group * Lanes, count = problem.TokensOfGroup(group);
        nint start = (nint)local * problem.Depth * TileSize, row = token * problem.OutStride;
        CpuRotaryNorm.Forward(
            problem, queries + token * problem.QkvStride, ids, token, problem.QueryNormWeight, work.Queries + start,
            work.QueryInverseRoots + local * Lanes);
        CpuHeadRows.GradientToTiles(
            outputGradient + row, output + row, problem.OutStride, count, problem.HeadSize, work.OutputGradient + start, work.Partials,
            work.Deltas + local * Lanes);
        CpuSoftmaxTiles.ToOffsets(logSumExp + token, count, work.Offsets + local * Lanes);
    }

    private static void UnpackKeysAndValues(
        in CpuAttentionProblem problem, in Workspace work, float* keys, int* ids, float* keysGradient)
    {
        for (int group = 0; group < problem.Groups; group++)
        {
            int token = group * Lanes;
            nint start = (nint)group * problem.Depth * TileSize, row = token * problem.QkvStride;
            CpuRotaryNorm.Backward(
                problem, work.KeysGradient + start, keys + row, ids, token, problem.KeyNormWeight, work.KeyInverseRoots + token,
                work.Partials, keysGradient + row, work.KeyNormSums);
            CpuHeadRows.FromTiles(
                work.ValuesGradient + start, keysGradient + problem.OutStride + row, problem.QkvStride, problem.TokensOfGroup(group),
                problem.HeadSize);
        }
    }
}
