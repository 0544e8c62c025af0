using System.Runtime.InteropServices;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

/// <summary>
/// One product on poisoned memory: operands with rows longer than they need to be and NaN in the gaps, a C with canaries around it,
/// and the same product in double precision.
/// </summary>
internal sealed unsafe class MatrixProductCase : IDisposable
{
    private const float Canary = 12345.678f;
    private const int Margin = 37;

    private readonly float* memory;
    private readonly double[] sums;
    private readonly double[] magnitudes;
    private readonly float[] before;
    private readonly long cLength;

    public MatrixProductCase(int rows, int columns, int depth, string form, bool accumulate, int seed = 1, int gap = 3)
    {
        (Rows, Columns, Depth, Accumulate) = (rows, columns, depth, accumulate);
        long aStride = (form[0] == 'n' ? depth : rows) + gap;
        long bStride = (form[1] == 'n' ? columns : depth) + gap;
        CStride = columns + gap;
        long aLength = aStride * (form[0] == 'n' ? rows : depth);
        long bLength = bStride * (form[1] == 'n' ? depth : columns);
        cLength = CStride * rows;

        long length = aLength + bLength + cLength + (2 * Margin);
        memory = (float*)NativeMemory.Alloc((nuint)Math.Max(length, 1), sizeof(float));
        new Span<float>(memory, (int)length).Fill(float.NaN);
        float* a = memory;
        float* b = a + aLength;
        C = b + bLength + Margin;
        A = form[0] == 'n' ? MatrixOperand.Rows(a, aStride) : MatrixOperand.Transposed(a, aStride);
        B = form[1] == 'n' ? MatrixOperand.Rows(b, bStride) : MatrixOperand.Transposed(b, bStride);

        Random random = new(seed);
        Fill(A, rows, depth, random);
        Fill(B, depth, columns, random);
        new Span<float>(C - Margin, (int)cLength + (2 * Margin)).Fill(Canary);
        before = new float[rows * columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                C[(i * CStride) + j] = accumulate ? random.NextSingle() - 0.5f : float.NaN;
                before[(i * columns) + j] = C[(i * CStride) + j];
            }
        }

        sums = new double[rows * columns];
        magnitudes = new double[rows * columns];
        Reference();
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Depth { get; }

    public bool Accumulate { get; }

    public MatrixOperand A { get; }

    public MatrixOperand B { get; }

    public float* C { get; }

    public long CStride { get; }

    /// <summary>The product in double precision, C's former content added where it accumulates.</summary>
    public ReadOnlySpan<double> Sums => sums;

    public void Multiply<TEpilogue>(WorkerPool pool, TEpilogue epilogue, VectorInstructions vectors)
        where TEpilogue : struct, IMatrixEpilogue
        => MatrixProduct.Multiply(pool, A, B, C, CStride, Rows, Columns, Depth, Accumulate, epilogue, vectors);

    public void Multiply(WorkerPool pool, VectorInstructions vectors) => Multiply(pool, default(NoEpilogue), vectors);

    /// <summary>C's elements without its gaps.</summary>
    public float[] Result()
    {
        float[] result = new float[Rows * Columns];
        for (int i = 0; i < Rows; i++)
            new ReadOnlySpan<float>(C + (i * CStride), Columns).CopyTo(result.AsSpan(i * Columns));
        return result;
    }

    public void Restore()
    {
        for (int i = 0; i < Rows; i++)
            before.AsSpan(i * Columns, Columns).CopyTo(new Span<float>(C + (i * CStride), Columns));
    }

    /// <summary>The largest error in units of the rounding that a chain of multiply-adds of these magnitudes may have.</summary>
    public double WorstError()
    {
        double worst = 0;
        float[] result = Result();
        for (int i = 0; i < result.Length; i++)
        {
            double allowed = (magnitudes[i] + Math.Abs(sums[i])) * Math.Pow(2, -24) * Math.Max(4, Math.Min(Depth, 384) / 8.0);
            double error = Math.Abs(result[i] - sums[i]);
            // A NaN is the worst of all.
            if (!(error <= worst * allowed))
                worst = double.IsNaN(error) ? double.PositiveInfinity : error / allowed;
        }

        return worst;
    }

    /// <summary>Whether everything around C and in the gaps between its rows is as it was.</summary>
    public bool CanariesLive()
    {
        for (long i = -Margin; i < cLength + Margin; i++)
        {
            bool inside = i >= 0 && i < cLength && i % CStride < Columns;
            if (!inside && C[i] != Canary)
                return false;
        }

        return true;
    }

    public void Dispose() => NativeMemory.Free(memory);

    private static void Fill(MatrixOperand operand, int rows, int columns, Random random)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
                operand.Data[(i * operand.RowStride) + (j * operand.ColumnStride)] = random.NextSingle() - 0.5f;
        }
    }

    private void Reference()
    {
        for (int i = 0; i < Rows; i++)
        {
            for (int j = 0; j < Columns; j++)
            {
                double sum = Accumulate ? before[(i * Columns) + j] : 0;
                double magnitude = Math.Abs(sum);
                for (int k = 0; k < Depth; k++)
                {
                    double product = (double)A.Data[(i * A.RowStride) + (k * A.ColumnStride)] * B.Data[(k * B.RowStride) + (j * B.ColumnStride)];
                    sum += product;
                    magnitude += Math.Abs(product);
                }

                sums[(i * Columns) + j] = sum;
                magnitudes[(i * Columns) + j] = magnitude;
            }
        }
    }
}
