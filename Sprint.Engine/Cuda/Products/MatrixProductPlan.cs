namespace Sprint.Engine.Cuda;

/// <summary>
/// How a product is cut into blocks: a function of its shape alone, so that the order of its sums, and with it every bit of the result, is
/// the same on every device.
/// </summary>
/// <param name="Form">Which operands are stored transposed.</param>
/// <param name="Element">Element type of the operands.</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">Terms of each sum.</param>
/// <param name="Tile">Rows and columns that a block computes: 128 or 64.</param>
/// <param name="SplitDepth">Terms of each split but the last.</param>
internal readonly record struct MatrixProductPlan(MatrixProductForm Form, ElementType Element, int M, int N, int K, int Tile, int SplitDepth)
{
    internal const int LargeTile = 128;
    internal const int SmallTile = 64;

    /// <summary>Elements that a thread of the epilogue finishes at once: <c>epilogue_pack</c> of kernels/common/product_epilogue.cuh.</summary>
    internal const int Pack = 4;

    /// <summary>Blocks that keep the multiprocessors of a large device busy: those that fit on an H100 at once, nearly twice.</summary>
    private const int ManyBlocks = 512;

    /// <summary>Below this many blocks a large tile leaves multiprocessors without work.</summary>
    private const int FewBlocks = 128;

    /// <summary>A split must be long enough for its work to outweigh the partial sums that it writes.</summary>
    private const int LeastSplitDepth = 512;

    /// <summary>Splits begin at whole steps of every tile.</summary>
    private const int DepthGranularity = 32;

    /// <summary>How many parts of the depth are summed apart.</summary>
    public int Splits => Blocks(K, SplitDepth);

    /// <summary>The kernel's name.</summary>
    public string Kernel => Form switch
    {
        MatrixProductForm.Forward => "matrix_product_forward",
        MatrixProductForm.BackwardInput => "matrix_product_backward_input",
        _ => "matrix_product_backward_weight",
    };

    /// <summary>Threads of a block, as the banner of kernels/matrix_product.cu has them.</summary>
    public int Threads => Element == ElementType.Float32 && Tile == LargeTile ? 256 : 128;

    /// <summary>Bytes of dynamic shared memory of a block, as the banner of kernels/matrix_product.cu has them.</summary>
    public int SharedBytes => (Element, Tile) switch
    {
        (ElementType.BFloat16, LargeTile) => 49152,
        (ElementType.BFloat16, _) => 32768,
        (_, LargeTile) => 36864,
        _ => 16384,
    };

    /// <summary>Blocks.</summary>
    public Dim3 Grid => (checked((int)Tiles(M, N, Tile)), 1, Splits);

    /// <summary>Chooses tile and splits.</summary>
    /// <param name="form">Which operands are stored transposed.</param>
    /// <param name="element">Element type of the operands.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <returns>The plan.</returns>
    public static MatrixProductPlan For(MatrixProductForm form, ElementType element, int m, int n, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(m, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        int most = Math.Max(1, k / LeastSplitDepth);
        int tile = Tiles(m, n, LargeTile) * most >= FewBlocks ? LargeTile : SmallTile;
        long tiles = Tiles(m, n, tile);
        int splits = (int)Math.Clamp(ManyBlocks / tiles, 1, most);
        int depth = Blocks(Blocks(k, splits), DepthGranularity) * DepthGranularity;
        return new MatrixProductPlan(form, element, m, n, k, tile, Math.Min(depth, Blocks(k, DepthGranularity) * DepthGranularity));
    }

    private static long Tiles(int m, int n, int tile) => (long)Blocks(m, tile) * Blocks(n, tile);

    private static int Blocks(int count, int perBlock) => (int)(((long)count + perBlock - 1) / perBlock);
}
