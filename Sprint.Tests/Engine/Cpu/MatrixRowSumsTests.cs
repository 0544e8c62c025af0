using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

internal sealed unsafe class MatrixRowSumsTests
{
    [TestCase(1, 1, 1)]
    [TestCase(8, 48, 4)]
    [TestCase(15, 20, 7)]
    [TestCase(128, 130, 385)]
    [TestCase(301, 64, 1000)]
    public void The_row_sums_of_A_come_with_the_product(int rows, int columns, int depth)
    {
        using WorkerPool pool = new(2);
        using MatrixProductCase product = new(rows, columns, depth, "tn", accumulate: false, gap: 0);
        float[] expected = Plain(product, pool);
        float[] sums = Sums(product, pool, accumulate: false, initial: float.NaN, out bool computed);

        // Two strides of 1 are rows that lie contiguously: such an A is not packed.
        Assert.That(computed, Is.EqualTo(rows > 1));
        Assert.That(product.Result(), Is.EqualTo(expected));
        for (int row = 0; computed && row < rows; row++)
            Assert.That(Math.Abs(sums[row] - RowSum(product, row)), Is.LessThanOrEqualTo(1e-6 * depth));
    }

    [Test]
    public void Row_sums_are_added_where_they_accumulate()
    {
        using WorkerPool pool = new(2);
        using MatrixProductCase product = new(21, 30, 800, "tn", accumulate: false, gap: 0);
        float[] fresh = Sums(product, pool, accumulate: false, initial: 5, out _);
        float[] added = Sums(product, pool, accumulate: true, initial: 5, out _);
        for (int row = 0; row < 21; row++)
            Assert.That(Math.Abs(added[row] - fresh[row] - 5), Is.LessThanOrEqualTo(1e-4));
    }

    [Test]
    public void Row_sums_have_the_same_bits_for_any_number_of_threads_and_any_vector()
    {
        using MatrixProductCase product = new(301, 500, 1000, "tn", accumulate: false, gap: 0);
        using WorkerPool one = new(1);
        float[] expected = Sums(product, one, accumulate: false, initial: float.NaN, out _);
        for (int threads = 2; threads <= 3; threads++)
        {
            using WorkerPool pool = new(threads);
            Assert.That(Sums(product, pool, accumulate: false, initial: float.NaN, out _), Is.EqualTo(expected));
        }

        foreach (VectorInstructions vectors in Enum.GetValues<VectorInstructions>())
        {
            float[] sums = new float[product.Rows];
            fixed (float* place = sums)
            {
                MatrixProduct.Multiply(
                    one, product.A, product.B, product.C, product.CStride, 301, 500, 1000, accumulate: false, default(NoEpilogue), vectors, new MatrixRowSums(place, false));
            }

            Assert.That(sums, Is.EqualTo(expected));
        }
    }

    private static float[] Plain(MatrixProductCase product, WorkerPool pool)
    {
        product.Multiply(pool, VectorInstructionsOfMachine.Widest);
        float[] result = product.Result();
        product.Restore();
        return result;
    }

    private static float[] Sums(MatrixProductCase product, WorkerPool pool, bool accumulate, float initial, out bool computed)
    {
        float[] sums = new float[product.Rows];
        Array.Fill(sums, initial);
        fixed (float* place = sums)
        {
            computed = MatrixProduct.MultiplySummingRows(
                pool, product.A, product.B, product.C, product.Rows, product.Columns, product.Depth, accumulate: false, new MatrixRowSums(place, accumulate));
        }

        return sums;
    }

    private static double RowSum(MatrixProductCase product, int row)
    {
        double sum = 0;
        for (int k = 0; k < product.Depth; k++)
            sum += product.A.Data[(row * product.A.RowStride) + (k * product.A.ColumnStride)];
        return sum;
    }
}
