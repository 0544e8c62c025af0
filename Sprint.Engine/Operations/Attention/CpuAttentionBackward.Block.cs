using System.Runtime.CompilerServices;

namespace Sprint.Engine.Cpu;

/// <content>One block of queries by keys: five products on tiles.</content>
internal static unsafe partial class CpuAttentionBackward
{
    private static void RunBlock(in CpuAttentionProblem problem, in Workspace work, int queryGroup, int rows, int keyGroup)
    {
        int tiles = Math.Min(work.KeyGroups, problem.Groups - keyGroup);
        int keys = Math.Min(tiles * Lanes, problem.Tokens - keyGroup * Lanes);
        nint start = (nint)keyGroup * problem.Depth * TileSize;
        MultiplyTransposed(problem, work.Queries, work.KeysTransposed + start, work.Weights, rows, tiles);
        MultiplyTransposed(problem, work.OutputGradient, work.ValuesTransposed + start, work.ScoresGradient, rows, tiles);
        for (int row = 0; row < rows; row += Lanes)
        {
            nint tile = (nint)(row / Lanes) * tiles * TileSize;
            CpuSoftmaxTiles.Differentiate(
                work.Weights + tile, work.ScoresGradient + tile, tiles, rows - row > 8 ? 16 : 8, problem.ScaleInBits,
                work.Offsets + row, work.Deltas + row);
        }

        AddFromQueries(problem, work.Weights, work.OutputGradient, work.ValuesGradient + start, rows, keys, queryGroup > 0);
        AddFromQueries(problem, work.ScoresGradient, work.Queries, work.KeysGradient + start, rows, keys, queryGroup > 0);
        AddFromKeys(problem, work.ScoresGradient, work.Keys + start, work.QueriesGradient, rows, keys, keyGroup > 0);
    }

    // [rows, headSize] times the transpose of [keys, headSize], whose tiles are transposed already.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTransposed(
        in CpuAttentionProblem problem, float* left, float* rightTransposed, float* product, int rows, int tiles)
    {
        nint depthStride = (nint)problem.Depth * TileSize, rowStride = (nint)tiles * TileSize;
        for (int key = 0, width; key < tiles; key += width)
        {
            width = TileProduct.NextWidth(tiles - key);
            for (int row = 0; row < rows; row += 8)
            {
                int group = row >> 4, half = (row & 8) * Lanes;
                TileProduct.Run<TileProduct.AsStored>(
                    left + group * depthStride + half, TileSize - Lanes, rightTransposed + key * depthStride, depthStride, 0,
                    product + group * rowStride + key * TileSize + half, width, problem.HeadSize, accumulate: false);
            }
        }
    }

    // The transpose of [rows, keys] times [rows, headSize].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFromQueries(
        in CpuAttentionProblem problem, float* left, float* right, float* product, int rows, int keys, bool accumulate)
    {
        nint depthStride = (nint)problem.Depth * TileSize, rowStride = (nint)CpuAttentionProblem.GroupsOf(keys) * TileSize;
        for (int tile = 0, width; tile < problem.Depth; tile += width)
        {
            width = TileProduct.NextWidth(problem.Depth - tile);
            for (int key = 0; key < keys; key += 8)
            {
                int group = key >> 4, half = key & 8;
                TileProduct.Run<TileProduct.Transposed>(
                    left + group * TileSize + half, rowStride - TileSize, right + tile * TileSize, TileSize, depthStride - TileSize,
                    product + group * depthStride + tile * TileSize + half * Lanes, width, rows, accumulate);
            }
        }
    }

    // [rows, keys] times [keys, headSize].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFromKeys(
        in CpuAttentionProblem problem, float* left, float* right, float* product, int rows, int keys, bool accumulate)
    {
        nint depthStride = (nint)problem.Depth * TileSize, rowStride = (nint)CpuAttentionProblem.GroupsOf(keys) * TileSize;
        for (int tile = 0, width; tile < problem.Depth; tile += width)
        {
            width = TileProduct.NextWidth(problem.Depth - tile);
            for (int row = 0; row < rows; row += 8)
            {
                int group = row >> 4, half = (row & 8) * Lanes;
                TileProduct.Run<TileProduct.AsStored>(
                    left + group * rowStride + half, TileSize - Lanes, right + tile * TileSize, TileSize, depthStride - TileSize,
                    product + group * depthStride + tile * TileSize + half, width, keys, accumulate);
            }
        }
    }

    private readonly struct Workspace
    {
        internal readonly int QueryGroups;
        internal readonly int KeyGroups;
        internal readonly float* Keys;
        internal readonly float* KeysTransposed;
        internal readonly float* ValuesTransposed;
        internal readonly float* KeysGradient;
        internal readonly float* ValuesGradient;
        internal readonly float* Queries;
        internal readonly float* OutputGradient;
        internal readonly float* QueriesGradient;
        internal readonly float* Weights;
        internal readonly float* ScoresGradient;
        internal readonly float* Partials;
        internal readonly float* KeyInverseRoots;
        internal readonly float* QueryInverseRoots;
        internal readonly float* Offsets;
        internal readonly float* Deltas;
        internal readonly float* QueryNormSums;
        internal readonly float* KeyNormSums;

        internal Workspace(ref CpuScratch scratch, int tokens, int headSize)
        {
            int groups = CpuAttentionProblem.GroupsOf(tokens), depth = CpuAttentionProblem.GroupsOf(headSize);
            QueryGroups = Math.Min(CpuAttentionBackward.QueryGroups, groups);
            KeyGroups = Math.Min(CpuAttentionBackward.KeyGroups, groups);
            Keys = scratch.Tiles((long)groups * depth);
            KeysTransposed = scratch.Tiles((long)groups * depth);
            ValuesTransposed = scratch.Tiles((long)groups * depth);
            KeysGradient = scratch.Tiles((long)groups * depth);
            ValuesGradient = scratch.Tiles((long)groups * depth);
            Queries = scratch.Tiles(QueryGroups * depth);
            OutputGradient = scratch.Tiles(QueryGroups * depth);
            QueriesGradient = scratch.Tiles(QueryGroups * depth);
            Weights = scratch.Tiles(QueryGroups * KeyGroups);
            ScoresGradient = scratch.Tiles(QueryGroups * KeyGroups);
            Partials = scratch.Tiles(1);
            KeyInverseRoots = scratch.Floats(groups * Lanes);
            QueryInverseRoots = scratch.Floats(QueryGroups * Lanes);
            Offsets = scratch.Floats(QueryGroups * Lanes);
            Deltas = scratch.Floats(QueryGroups * Lanes);
            QueryNormSums = scratch.Floats(depth * Lanes);
            KeyNormSums = scratch.Floats(depth * Lanes);
        }
    }
}
