using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Sums of the rows of A, taken from its packed tiles while these are in cache. Each block of k is summed in four chains, and the blocks in order:
/// the same bits for any number of threads and any height of tile.
/// </summary>
internal readonly unsafe struct MatrixRowSums
{
    private readonly float* sums;
    private readonly bool accumulate;

    /// <summary>Asks for the sums.</summary>
    /// <param name="sums">One for each row of A.</param>
    /// <param name="accumulate">Whether they are added to what is there.</param>
    public MatrixRowSums(float* sums, bool accumulate)
    {
        this.sums = sums;
        this.accumulate = accumulate;
    }

    /// <summary>Whether sums are asked for.</summary>
    public bool IsWanted => sums != null;

    /// <summary>Adds a packed tile's contribution.</summary>
    /// <param name="tile">The tile: <paramref name="rows"/> elements for each k.</param>
    /// <param name="row">Its first row.</param>
    /// <param name="rows">How many rows it has.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="first">Whether this is the first block of k.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(float* tile, int row, int rows, int depth, bool first)
    {
        bool add = accumulate || !first;
        float* sums = this.sums + row;
        int i = 0;
        for (; i + 8 <= rows; i += 8)
        {
            Vector256<float> sum = Sum8(tile + i, rows, depth);
            (add ? Vector256.Load(sums + i) + sum : sum).Store(sums + i);
        }

        for (; i < rows; i++)
        {
            float sum = Sum1(tile + i, rows, depth);
            sums[i] = add ? sums[i] + sum : sum;
        }
    }

    private static Vector256<float> Sum8(float* element, int stride, int depth)
    {
        Vector256<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        int k = 0;
        for (; k + 4 <= depth; k += 4, element += 4 * stride)
        {
            sum0 += Vector256.Load(element);
            sum1 += Vector256.Load(element + stride);
            sum2 += Vector256.Load(element + (2 * stride));
            sum3 += Vector256.Load(element + (3 * stride));
        }

        for (; k < depth; k++, element += stride)
            sum0 += Vector256.Load(element);
        return sum0 + sum1 + (sum2 + sum3);
    }

    private static float Sum1(float* element, int stride, int depth)
    {
        float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        int k = 0;
        for (; k + 4 <= depth; k += 4, element += 4 * stride)
        {
            sum0 += element[0];
            sum1 += element[stride];
            sum2 += element[2 * stride];
            sum3 += element[3 * stride];
        }

        for (; k < depth; k++, element += stride)
            sum0 += element[0];
        return sum0 + sum1 + (sum2 + sum3);
    }
}
