using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary>How kernels/attention_*.cu are specialised and launched for one problem: the launch contracts in their banners.</summary>
/// <param name="Element"><see cref="KernelCatalog.FloatElement"/> or <see cref="KernelCatalog.BFloat16Element"/>.</param>
/// <param name="Batch">Samples.</param>
/// <param name="Tokens">Tokens of a sample.</param>
/// <param name="Heads">Heads.</param>
/// <param name="HeadSize">Channels of a head.</param>
internal readonly record struct AttentionTiles(string Element, int Batch, int Tokens, int Heads, int HeadSize)
{
    /// <summary>The largest head that the kernels keep in registers or shared memory.</summary>
    internal const int MaximumHeadSize = 128;

    private const int ChunkBytes = 16;

    private bool IsFloat => Element == KernelCatalog.FloatElement;

    /// <summary>Rows of a tile of keys, and of a block of the backward pass.</summary>
    internal int Rows => IsFloat && HeadSize > 80 ? 32 : 64;

    /// <summary>Queries of a block of the forward pass.</summary>
    internal int QueryTile => !IsFloat && HeadSize <= 80 && Tokens > 64 ? 128 : Rows;

    internal int Threads => IsFloat ? 256 : 128;

    internal Dim3 ForwardGrid => (Blocks(QueryTile), Heads, Batch);

    internal Dim3 BackwardGrid => (Blocks(Rows), Heads, Batch);

    internal static Dim3 PrepareBlock => 128;

    internal Dim3 PrepareGrid => (Heads, Blocks(32), Batch);

    internal static Dim3 WeightsBlock => 1024;

    internal Dim3 WeightsGrid => ((HeadSize + 7) / 8, 2);

    /// <summary>Blocks of a pass over queries or keys: rows of the partial gradients of the norms' weights.</summary>
    internal long BackwardBlocks => (long)Blocks(Rows) * Heads * Batch;

    /// <summary>Bytes of shared memory: the streamed and, in float32, the owned tiles; in float32 also the probabilities of a tile.</summary>
    internal int ForwardSharedBytes => IsFloat ? (3 * TileBytes) + (Rows * Rows * sizeof(float)) : 4 * TileBytes;

    internal int BackwardSharedBytes => ((IsFloat || HeadSize <= 96 ? 4 : 5) * TileBytes) + ((IsFloat ? Rows * (Rows + 2) : 4 * Rows) * sizeof(float));

    /// <summary>1 / sqrt(head size).</summary>
    internal float Scale => (float)(1 / Math.Sqrt(HeadSize));

    private int TileBytes => Rows * (IsFloat ? HeadSize / 4 : (HeadSize + 7) / 8) * ChunkBytes;

    private int Blocks(int rows) => (Tokens + rows - 1) / rows;
}
