namespace Sprint.Engine.Cuda;

/// <summary>
/// How sums over rows, column by column, are cut into blocks of 32 x 8 threads (kernels/common/column_sums.cuh): a function of the shape
/// alone, so that the order of the sums is the same on every device.
/// </summary>
internal static class CudaColumnSums
{
    internal const int ReduceThreads = 256;

    private const int Lanes = 32;
    private const int RowsPerPass = 8;
    private const int VectorBytes = 16;

    /// <summary>Blocks that keep the multiprocessors of a large device busy.</summary>
    private const int ManyBlocks = 1024;

    /// <summary>A chunk of fewer passes costs more in its partial sums than it saves.</summary>
    private const int LeastPasses = 4;

    /// <summary>A chunk of a sample's tokens that has more of them saves nothing; one that has fewer costs more in its partial sums than it saves.</summary>
    private const int MostTokens = 32;

    private const int LeastTokens = 4;

    /// <summary>Threads of a block.</summary>
    internal static Dim3 Block => (Lanes, RowsPerPass);

    /// <summary>Blocks: along x those of the columns, along y a chunk of rows each.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="element">Element type of what is summed.</param>
    internal static Dim3 Grid(long rows, int width, ElementType element)
    {
        int pack = VectorBytes / element.Size();
        int columns = CudaKernelFamily.Blocks(width, Lanes * (width % pack == 0 ? pack : 1));
        long most = (rows + (RowsPerPass * LeastPasses) - 1) / (RowsPerPass * LeastPasses);
        return (columns, (int)Math.Clamp(ManyBlocks / columns, 1, Math.Max(1, most)));
    }

    /// <summary>Tokens of a sample that one block sums, of kernels whose blocks keep to a sample.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="tokens">Tokens of each.</param>
    internal static int TokensPerBlock(int batch, int tokens) => (int)Math.Clamp((long)batch * tokens / ManyBlocks, LeastTokens, MostTokens);
}
