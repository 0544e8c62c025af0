using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Attention of one head of one sample: out = softmax(q k^T / sqrt(headSize)) v with normalised and turned q and k.
/// Everything stays in cache: queries, keys and values become tiles once; then blocks of queries meet all keys, and only a block's
/// scores exist, transposed. One thread; the order of every sum is fixed, whatever the block size.
/// </summary>
internal static unsafe class CpuAttentionForward
{
    private const int TileSize = VectorRows.TileSize;
    private const int Lanes = VectorMath.Lanes;

    // Query groups of a block: its scores stay close while each tile of keys is used for all of them.
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
        output += (nint)head * problem.HeadSize;
        logSumExp += (nint)head * problem.Tokens;
        Pack(problem, work, qkv + (nint)head * problem.HeadSize, ids);
        for (int group = 0; group < problem.Groups; group += work.BlockGroups)
        {
            int groups = Math.Min(work.BlockGroups, problem.Groups - group);
            MultiplyKeys(problem, work, group, groups);
            for (int local = 0; local < groups; local++)
            {
                Vector512<float> rows = CpuSoftmaxTiles.Exponentiate(
                    work.Scores + local * TileSize, groups * TileSize, problem.Tokens, problem.ScaleInBits,
                    work.Reciprocals + local * Lanes);
                VectorMemory.StorePartial(rows, logSumExp + (group + local) * Lanes, problem.TokensOfGroup(group + local));
            }

            MultiplyValues(problem, work, groups, Math.Min(groups * Lanes, problem.Tokens - group * Lanes));
            for (int local = 0; local < groups; local++)
            {
                CpuHeadRows.FromTiles(
                    work.Output + local * problem.Depth * TileSize, work.Reciprocals + local * Lanes,
                    output + (group + local) * Lanes * problem.OutStride, problem.OutStride, problem.TokensOfGroup(group + local),
                    problem.HeadSize);
            }
        }
    }

    private static void Pack(in CpuAttentionProblem problem, in Workspace work, float* queries, int* ids)
    {
        CpuRotaryNorm.PadWeight(problem.QueryNormWeight, problem.HeadSize, work.QueryWeight);
        CpuRotaryNorm.PadWeight(problem.KeyNormWeight, problem.HeadSize, work.KeyWeight);
        for (int group = 0; group < problem.Groups; group++)
        {
            int token = group * Lanes, count = problem.TokensOfGroup(group), headSize = problem.HeadSize;
            nint stride = problem.QkvStride, tiles = (nint)group * problem.Depth * TileSize;
            float* query = queries + token * stride, key = query + problem.OutStride, value = key + problem.OutStride;
            CpuRotaryNorm.Side querySide = new()
            {
                Rows = query,
                HasNorm = problem.QueryNormWeight != null,
                Weight = work.QueryWeight,
                InverseRoots = work.Roots,
                Tiles = work.Output,
            };
            CpuRotaryNorm.Side keySide = new()
            {
                Rows = key,
                HasNorm = problem.KeyNormWeight != null,
                Weight = work.KeyWeight,
                InverseRoots = work.Roots + Lanes,
                Tiles = work.Keys + tiles,
            };
            CpuRotaryNorm.Forward(problem, ids, token, querySide, keySide);
            for (int tile = 0; tile < problem.Depth; tile++)
                VectorRows.Transpose(work.Output + tile * TileSize, work.QueriesTransposed + tiles + tile * TileSize);
            CpuHeadRows.ToTiles(value, stride, count, headSize, work.Values + tiles);
        }
    }

    // Scores of the block, a key per row: the block's queries stay in the first-level cache, keys pass once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyKeys(in CpuAttentionProblem problem, in Workspace work, int group, int groups)
    {
        nint depthStride = (nint)problem.Depth * TileSize;
        float* queries = work.QueriesTransposed + group * depthStride;
        for (int key = 0; key < problem.Tokens; key += 8)
        {
            int keyGroup = key >> 4, half = (key & 8) * Lanes;
            for (int column = 0, width; column < groups; column += width)
            {
                width = TileProduct.NextWidth(groups - column);
                TileProduct.Run<TileProduct.AsStored>(
                    work.Keys + keyGroup * depthStride + half, TileSize - Lanes, queries + column * depthStride, depthStride, 0,
                    work.Scores + ((nint)keyGroup * groups + column) * TileSize + half, width, problem.HeadSize, accumulate: false);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyValues(in CpuAttentionProblem problem, in Workspace work, int groups, int rows)
    {
        nint depthStride = (nint)problem.Depth * TileSize, scoreStride = (nint)groups * TileSize;
        for (int key = 0; key < problem.Groups; key += ValueGroups)
        {
            int keys = Math.Min(ValueGroups * Lanes, problem.Tokens - key * Lanes);
            for (int tile = 0, width; tile < problem.Depth; tile += width)
            {
                width = TileProduct.NextWidth(problem.Depth - tile);
                for (int row = 0; row < rows; row += 8)
                {
                    int group = row >> 4, half = row & 8;
                    TileProduct.Run<TileProduct.Transposed>(
                        work.Scores + key * scoreStride + group * TileSize + half, scoreStride - TileSize,
                        work.Values + key * depthStride + tile * TileSize, TileSize, depthStride - TileSize,
                        work.Output + group * depthStride + tile * TileSize + half * Lanes, width, keys, accumulate: key > 0);
                }
            }
        }
    }

    private readonly struct Workspace
    {
        internal readonly int BlockGroups;
        internal readonly float* QueriesTransposed;
        internal readonly float* Keys;
        internal readonly float* Values;
        internal readonly float* Scores;
        internal readonly float* Output;
        internal readonly float* QueryWeight;
        internal readonly float* KeyWeight;
        internal readonly float* Reciprocals;
        internal readonly float* Roots;

        internal Workspace(ref CpuScratch scratch, int tokens, int headSize)
        {
            int groups = CpuAttentionProblem.GroupsOf(tokens), depth = CpuAttentionProblem.GroupsOf(headSize);
            BlockGroups = groups > LongSequence ? 1 : Math.Min(ManyGroups, groups);
            QueriesTransposed = scratch.Tiles((long)groups * depth);
            Keys = scratch.Tiles((long)groups * depth);
            Values = scratch.Tiles((long)groups * depth);
            Scores = scratch.Tiles((long)BlockGroups * groups);
            Output = scratch.Tiles(BlockGroups * depth);
            QueryWeight = scratch.Floats(depth * Lanes);
            KeyWeight = scratch.Floats(depth * Lanes);
            Reciprocals = scratch.Floats(BlockGroups * Lanes);
            Roots = scratch.Floats(2 * Lanes);
        }
    }
}
