using System.Runtime.CompilerServices;

namespace Sprint.Engine.Cpu;

/// <content>One block of queries by keys: five products on tiles. Scores are transposed, a key per row and a query per lane.</content>
internal static unsafe partial class CpuAttentionBackward
{
    private static void RunBlock(in CpuAttentionProblem problem, in Workspace work, int queryGroup, int keyGroup)
    {
        int groups = Math.Min(work.QueryGroups, problem.Groups - queryGroup);
        int queries = Math.Min(groups * Lanes, problem.Tokens - queryGroup * Lanes);
        int keys = Math.Min(work.KeyGroups * Lanes, problem.Tokens - keyGroup * Lanes);
        nint query = (nint)queryGroup * problem.Depth * TileSize, key = (nint)keyGroup * problem.Depth * TileSize;

        MultiplyQueries(problem, work.Keys + key, work.QueriesTransposed + query, work.Weights, groups, keys);
        MultiplyQueries(problem, work.Values + key, work.OutputGradientTransposed + query, work.ScoresGradient, groups, keys);
        for (int local = 0; local < groups; local++)
        {
            int token = (queryGroup + local) * Lanes;
            CpuSoftmaxTiles.Differentiate(
                work.Weights + local * TileSize, work.ScoresGradient + local * TileSize, groups * TileSize, keys, problem.ScaleInBits,
                work.Offsets + token, work.Deltas + token);
        }

        AddOverQueries(problem, work.Weights, work.OutputGradient + query, work.ValuesGradient + key, groups, queries, keys, queryGroup > 0);
        AddOverQueries(problem, work.ScoresGradient, work.Queries + query, work.KeysGradient + key, groups, queries, keys, queryGroup > 0);
        AddOverKeys(problem, work.ScoresGradient, work.Keys + key, work.QueriesGradient + query, groups, queries, keys, keyGroup > 0);
    }

    // [keys, headSize] times the transpose of [queries, headSize], whose tiles are transposed already.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyQueries(
        in CpuAttentionProblem problem, float* left, float* rightTransposed, float* product, int groups, int keys)
    {
        nint depthStride = (nint)problem.Depth * TileSize;
        for (int key = 0; key < keys; key += 8)
        {
            int keyGroup = key >> 4, half = (key & 8) * Lanes;
            for (int column = 0, width; column < groups; column += width)
            {
                width = TileProduct.NextWidth(groups - column);
                TileProduct.Run<TileProduct.AsStored>(
                    left + keyGroup * depthStride + half, TileSize - Lanes, rightTransposed + column * depthStride, depthStride, 0,
                    product + ((nint)keyGroup * groups + column) * TileSize + half, width, problem.HeadSize, accumulate: false);
            }
        }
    }

    // [keys, queries] times [queries, headSize].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOverQueries(
        in CpuAttentionProblem problem, float* left, float* right, float* product, int groups, int queries, int keys, bool accumulate)
    {
        nint depthStride = (nint)problem.Depth * TileSize, scoreStride = (nint)groups * TileSize;
        for (int tile = 0, width; tile < problem.Depth; tile += width)
        {
            width = TileProduct.NextWidth(problem.Depth - tile);
            for (int key = 0; key < keys; key += 8)
            {
                int keyGroup = key >> 4, half = (key & 8) * Lanes;
                TileProduct.Run<TileProduct.AsStored>(
                    left + keyGroup * scoreStride + half, TileSize - Lanes, right + tile * TileSize, TileSize, depthStride - TileSize,
                    product + keyGroup * depthStride + tile * TileSize + half, width, queries, accumulate);
            }
        }
    }

    // The transpose of [keys, queries] times [keys, headSize].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOverKeys(
        in CpuAttentionProblem problem, float* left, float* right, float* product, int groups, int queries, int keys, bool accumulate)
    {
        nint depthStride = (nint)problem.Depth * TileSize, scoreStride = (nint)groups * TileSize;
        for (int tile = 0, width; tile < problem.Depth; tile += width)
        {
            width = TileProduct.NextWidth(problem.Depth - tile);
            for (int query = 0; query < queries; query += 8)
            {
                int group = query >> 4, half = query & 8;
                TileProduct.Run<TileProduct.Transposed>(
                    left + group * TileSize + half, scoreStride - TileSize, right + tile * TileSize, TileSize, depthStride - TileSize,
                    product + group * depthStride + tile * TileSize + half * Lanes, width, keys, accumulate);
            }
        }
    }

    private readonly struct Workspace
    {
        internal readonly int QueryGroups;
        internal readonly int KeyGroups;
        internal readonly float* Queries;
        internal readonly float* QueriesTransposed;
        internal readonly float* Keys;
        internal readonly float* Values;
        internal readonly float* OutputGradient;
        internal readonly float* OutputGradientTransposed;
        internal readonly float* QueriesGradient;
        internal readonly float* KeysGradient;
        internal readonly float* ValuesGradient;
        internal readonly float* Weights;
        internal readonly float* ScoresGradient;
        internal readonly float* Partials;
        internal readonly float* QueryInverseRoots;
        internal readonly float* KeyInverseRoots;
        internal readonly float* Offsets;
        internal readonly float* Deltas;
        internal readonly float* QueryWeight;
        internal readonly float* KeyWeight;
        internal readonly float* QueryNormSums;
        internal readonly float* KeyNormSums;

        internal Workspace(ref CpuScratch scratch, int tokens, int headSize)
        {
            int groups = CpuAttentionProblem.GroupsOf(tokens), depth = CpuAttentionProblem.GroupsOf(headSize);
            QueryGroups = Math.Min(CpuAttentionBackward.QueryGroups, groups);
            KeyGroups = Math.Min(CpuAttentionBackward.KeyGroups, groups);
            Queries = scratch.Tiles((long)groups * depth);
            QueriesTransposed = scratch.Tiles((long)groups * depth);
            Keys = scratch.Tiles((long)groups * depth);
            Values = scratch.Tiles((long)groups * depth);
            OutputGradient = scratch.Tiles((long)groups * depth);
            OutputGradientTransposed = scratch.Tiles((long)groups * depth);
            QueriesGradient = scratch.Tiles((long)groups * depth);
            KeysGradient = scratch.Tiles((long)groups * depth);
            ValuesGradient = scratch.Tiles((long)groups * depth);
            Weights = scratch.Tiles(QueryGroups * KeyGroups);
            ScoresGradient = scratch.Tiles(QueryGroups * KeyGroups);
            Partials = scratch.Tiles(2);
            QueryInverseRoots = scratch.Floats(groups * Lanes);
            KeyInverseRoots = scratch.Floats(groups * Lanes);
            Offsets = scratch.Floats(groups * Lanes);
            Deltas = scratch.Floats(groups * Lanes);
            QueryWeight = scratch.Floats(depth * Lanes);
            KeyWeight = scratch.Floats(depth * Lanes);
            QueryNormSums = scratch.Floats(depth * Lanes);
            KeyNormSums = scratch.Floats(depth * Lanes);
        }
    }
}
