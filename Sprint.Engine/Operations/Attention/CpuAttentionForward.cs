using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Attention of one head of one sample: out = softmax(q k^T / sqrt(headSize)) v with normalised and turned q and k.
/// Everything stays in cache: keys and values become tiles once, queries come in blocks of at most 32 rows whose scores live in scratch.
/// One thread; the order of every sum is fixed, whatever the block size.
/// </summary>
internal static unsafe class CpuAttentionForward
{
    private const int TileSize = VectorRows.TileSize;

    // Query groups of a block: enough to use a tile of keys several times while it is in the first-level cache.
    private const int ManyGroups = 2;

    // Beyond so many key groups a block's scores would crowd out the keys and values in the second-level cache.
    private const int LongSequence = 64;

    // Key groups between two visits of the output accumulators, so that their values stay in the first-level cache.
    private const int ValueGroups = 8;

    /// <summary>Bytes of scratch that <see cref="Run"/> needs.</summary>
    /// <param name="tokens">Rows of the sample.</param>
    /// <param name="headSize">Channels of a head.</param>
    internal static long ScratchBytes(int tokens, int headSize)
    {
        CpuScratch scratch = new(null);
        _ = new Workspace(ref scratch, tokens, headSize);
        return scratch.Bytes;
    }

    /// <summary>Computes one head's output and log-sum-exp.</summary>
    /// <param name="problem">Sizes, norm weights and tables.</param>
    /// <param name="qkv">The sample's packed queries, keys and values [tokens, 3, heads, headSize].</param>
    /// <param name="ids">Each token's row in the tables, or null where that is its index.</param>
    /// <param name="head">The head.</param>
    /// <param name="output">The sample's output [tokens, heads, headSize]; this head's part is overwritten.</param>
    /// <param name="logSumExp">The sample's log-sum-exp [heads, tokens]; this head's row is overwritten.</param>
    /// <param name="scratch">Memory of <see cref="ScratchBytes"/> bytes, aligned to 64.</param>
    internal static void Run(
        in CpuAttentionProblem problem, float* qkv, int* ids, int head, float* output, float* logSumExp, byte* scratch)
    {
        CpuScratch memory = new(scratch);
        Workspace work = new(ref memory, problem.Tokens, problem.HeadSize);
        float* queries = qkv + (nint)head * problem.HeadSize;
        PackKeysAndValues(problem, work, queries + problem.OutStride, queries + 2 * problem.OutStride, ids);

        output += (nint)head * problem.HeadSize;
        logSumExp += (nint)head * problem.Tokens;
        for (int group = 0; group < problem.Groups; group += work.BlockGroups)
        {
            int groups = Math.Min(work.BlockGroups, problem.Groups - group);
            int rows = Math.Min(groups * VectorMath.Lanes, problem.Tokens - group * VectorMath.Lanes);
            for (int local = 0; local < groups; local++)
            {
                int token = (group + local) * VectorMath.Lanes;
                float* tiles = work.Queries + local * problem.Depth * TileSize;
                CpuRotaryNorm.Forward(
                    problem, queries + token * problem.QkvStride, ids, token, problem.QueryNormWeight, tiles, work.Rows);
            }

            MultiplyKeys(problem, work, rows);
            for (int local = 0; local < groups; local++)
            {
                int token = (group + local) * VectorMath.Lanes;
                int count = problem.TokensOfGroup(group + local);
                CpuSoftmaxTiles.Exponentiate(
                    work.Scores + (nint)local * problem.Groups * TileSize, problem.Tokens, count > 8 ? 16 : 8, problem.ScaleInBits,
                    work.Partials, work.Reciprocals + local * VectorMath.Lanes, work.Rows);
                VectorMemory.StorePartial(Vector512.Load(work.Rows), logSumExp + token, count);
            }

            MultiplyValues(problem, work, rows);
            for (int local = 0; local < groups; local++)
            {
                int token = (group + local) * VectorMath.Lanes;
                CpuHeadRows.FromTiles(
                    work.Output + local * problem.Depth * TileSize, work.Reciprocals + local * VectorMath.Lanes,
                    output + token * problem.OutStride, problem.OutStride, problem.TokensOfGroup(group + local), problem.HeadSize);
            }
        }
    }

    private static void PackKeysAndValues(in CpuAttentionProblem problem, in Workspace work, float* keys, float* values, int* ids)
    {
        for (int group = 0; group < problem.Groups; group++)
        {
            int token = group * VectorMath.Lanes;
            nint tiles = (nint)group * problem.Depth * TileSize;
            CpuRotaryNorm.Forward(
                problem, keys + token * problem.QkvStride, ids, token, problem.KeyNormWeight, work.Queries, work.Rows);
            for (int tile = 0; tile < problem.Depth; tile++)
                VectorRows.Transpose(work.Queries + tile * TileSize, work.KeysTransposed + tiles + tile * TileSize);
            CpuHeadRows.ToTiles(
                values + token * problem.QkvStride, problem.QkvStride, problem.TokensOfGroup(group), problem.HeadSize,
                work.Values + tiles);
        }
    }

    // Scores of the block: key tiles outside, so that each is fetched once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyKeys(in CpuAttentionProblem problem, in Workspace work, int rows)
    {
        nint columnStride = (nint)problem.Depth * TileSize, rowStride = (nint)problem.Groups * TileSize;
        for (int key = 0, width; key < problem.Groups; key += width)
        {
            width = TileProduct.NextWidth(problem.Groups - key);
            for (int row = 0; row < rows; row += 8)
            {
                int group = row >> 4, half = (row & 8) * VectorMath.Lanes;
                TileProduct.Run<TileProduct.AsStored>(
                    work.Queries + group * columnStride + half, TileSize - VectorMath.Lanes,
                    work.KeysTransposed + key * columnStride, columnStride, 0,
                    work.Scores + group * rowStride + key * TileSize + half, width, problem.HeadSize, accumulate: false);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyValues(in CpuAttentionProblem problem, in Workspace work, int rows)
    {
        nint depthStride = (nint)problem.Depth * TileSize, rowStride = (nint)problem.Groups * TileSize;
        for (int key = 0; key < problem.Groups; key += ValueGroups)
        {
            int keys = Math.Min(ValueGroups * VectorMath.Lanes, problem.Tokens - key * VectorMath.Lanes);
            for (int tile = 0, width; tile < problem.Depth; tile += width)
            {
                width = TileProduct.NextWidth(problem.Depth - tile);
                for (int row = 0; row < rows; row += 8)
                {
                    int group = row >> 4, half = (row & 8) * VectorMath.Lanes;
                    TileProduct.Run<TileProduct.AsStored>(
                        work.Scores + group * rowStride + key * TileSize + half, TileSize - VectorMath.Lanes,
                        work.Values + key * depthStride + tile * TileSize, TileSize, depthStride - TileSize,
                        work.Output + group * depthStride + tile * TileSize + half, width, keys, accumulate: key > 0);
                }
            }
        }
    }

    private readonly struct Workspace
    {
        internal readonly int BlockGroups;
        internal readonly float* KeysTransposed;
        internal readonly float* Values;
        internal readonly float* Queries;
        internal readonly float* Scores;
        internal readonly float* Output;
        internal readonly float* Partials;
        internal readonly float* Reciprocals;
        internal readonly float* Rows;

        internal Workspace(ref CpuScratch scratch, int tokens, int headSize)
        {
            int groups = CpuAttentionProblem.GroupsOf(tokens), depth = CpuAttentionProblem.GroupsOf(headSize);
            BlockGroups = groups > LongSequence ? 1 : Math.Min(ManyGroups, groups);
            KeysTransposed = scratch.Tiles((long)groups * depth);
            Values = scratch.Tiles((long)groups * depth);
            Queries = scratch.Tiles(BlockGroups * depth);
            Scores = scratch.Tiles((long)BlockGroups * groups);
            Output = scratch.Tiles(BlockGroups * depth);
            Partials = scratch.Tiles(1);
            Reciprocals = scratch.Floats(BlockGroups * VectorMath.Lanes);
            Rows = scratch.Floats(VectorMath.Lanes);
        }
    }
}
