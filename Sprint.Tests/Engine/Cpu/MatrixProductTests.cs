using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

internal sealed unsafe class MatrixProductTests
{
    private static readonly (int Rows, int Columns, int Depth)[] Shapes =
    [
        (1, 1, 1), (1, 768, 128), (1, 3, 17), (3, 1, 400), (2, 48, 5), (5, 47, 49), (7, 49, 3), (8, 48, 384), (9, 64, 385), (13, 72, 65),
        (16, 128, 96), (17, 129, 130), (31, 16, 800), (32, 96, 128), (33, 15, 113), (49, 147, 113), (113, 17, 147), (129, 80, 47),
        (147, 113, 49), (260, 400, 40), (64, 30, 1200), (11, 33, 1),
    ];

    private static WorkerPool sharedPool = null!;

    [OneTimeSetUp]
    public void StartThreads() => sharedPool = new WorkerPool(3);

    [OneTimeTearDown]
    public void EndThreads() => sharedPool.Dispose();

    [Test]
    public void The_product_equals_the_one_in_double_precision_and_nothing_else_is_written(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape,
        [Values("nn", "nt", "tn", "tt")] string form,
        [Values] bool accumulate,
        [Values] VectorInstructions vectors)
    {
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, form, accumulate);
        product.Multiply(sharedPool, vectors);

        Assert.That(product.WorstError(), Is.LessThanOrEqualTo(1));
        Assert.That(product.CanariesLive());
    }

    [Test]
    public void Any_number_of_threads_and_any_vectors_give_the_same_bits(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape,
        [Values("nn", "nt", "tn", "tt")] string form)
    {
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, form, accumulate: true);
        float[]? first = null;
        foreach (int threads in new[] { 1, 2, 3, 13 })
        {
            using WorkerPool pool = new(threads);
            foreach (VectorInstructions vectors in Enum.GetValues<VectorInstructions>())
            {
                product.Restore();
                product.Multiply(pool, vectors);
                first ??= product.Result();
                Assert.That(product.Result(), Is.EqualTo(first), $"{threads} threads, {vectors}");
            }
        }
    }

    [Test]
    public void A_row_does_not_depend_on_the_rows_beside_it([Values("nn", "nt", "tn", "tt")] string form)
    {
        using MatrixProductCase all = new(40, 100, 500, form, accumulate: false);
        all.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);
        float[] expected = all.Result();

        for (int row = 0; row < all.Rows; row++)
        {
            MatrixOperand a = form[0] == 'n'
                ? MatrixOperand.Rows(all.A.Data + (row * all.A.RowStride), all.A.RowStride)
                : MatrixOperand.Transposed(all.A.Data + row, all.A.ColumnStride);
            MatrixProduct.Multiply(sharedPool, a, all.B, all.C, all.CStride, 1, all.Columns, all.Depth);
            Assert.That(all.Result()[..100], Is.EqualTo(expected[(row * 100)..((row + 1) * 100)]), $"row {row}");
        }
    }

    [Test]
    public void Not_a_number_reaches_its_row_or_column_and_no_other([Values("nn", "nt", "tn", "tt")] string form, [Values] VectorInstructions vectors)
    {
        using MatrixProductCase product = new(21, 70, 50, form, accumulate: false);
        product.A.Data[(9 * product.A.RowStride) + (44 * product.A.ColumnStride)] = float.NaN;
        product.B.Data[(3 * product.B.RowStride) + (69 * product.B.ColumnStride)] = float.NaN;
        product.Multiply(sharedPool, vectors);

        float[] result = product.Result();
        for (int i = 0; i < result.Length; i++)
            Assert.That(float.IsNaN(result[i]), Is.EqualTo(i / 70 == 9 || i % 70 == 69), $"element {i}");
    }

    [Test]
    public void Without_anything_to_sum_the_product_is_zero([Values] bool accumulate, [Values(1, 40)] int rows)
    {
        using MatrixProductCase product = new(rows, 50, 0, "nn", accumulate);
        product.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);

        Assert.That(product.WorstError(), Is.Zero);
        Assert.That(product.CanariesLive());
    }

    [Test]
    public void A_product_without_rows_or_columns_touches_nothing()
    {
        using MatrixProductCase product = new(4, 4, 4, "nn", accumulate: false);
        MatrixProduct.Multiply(sharedPool, product.A, product.B, product.C, product.CStride, 0, 4, 4);
        MatrixProduct.Multiply(sharedPool, product.A, product.B, product.C, product.CStride, 4, 0, 4);

        Assert.That(product.Result(), Is.All.NaN);
    }

    [Test]
    public void Packed_operands_beyond_one_round_are_added_in_the_same_order()
    {
        // 2,500 x 800 floats of packed B are more than the 6 MiB of a round.
        using MatrixProductCase product = new(150, 800, 2500, "tn", accumulate: true);
        using WorkerPool one = new(1);
        product.Multiply(one, VectorInstructionsOfMachine.Widest);
        float[] expected = product.Result();
        Assert.That(product.WorstError(), Is.LessThanOrEqualTo(1));

        product.Restore();
        product.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);
        Assert.That(product.Result(), Is.EqualTo(expected));
    }

    [Test]
    public void Inside_a_job_products_run_and_give_the_same_bits()
    {
        using MatrixProductCase expected = new(70, 90, 400, "nt", accumulate: false);
        expected.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);
        MatrixProductCase[] products = [.. Enumerable.Range(0, 6).Select(_ => new MatrixProductCase(70, 90, 400, "nt", accumulate: false))];
        NestedJob job = new() { Pool = sharedPool, Products = products };
        sharedPool.Run(ref job, products.Length);

        foreach (MatrixProductCase product in products)
        {
            Assert.That(product.Result(), Is.EqualTo(expected.Result()));
            product.Dispose();
        }
    }

    [Test]
    public void A_warm_product_allocates_nothing([Values("nn", "nt", "tn")] string form, [Values(4, 200)] int rows)
    {
        using MatrixProductCase product = new(rows, 100, 400, form, accumulate: false);
        for (int i = 0; i < 50; i++)
            product.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);

        long before = GC.GetAllocatedBytesForCurrentThread();
        product.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void The_error_measure_fails_what_is_wrong()
    {
        using MatrixProductCase product = new(4, 5, 6, "nn", accumulate: false);
        Assert.That(product.WorstError(), Is.EqualTo(double.PositiveInfinity), "poison");
        product.Multiply(sharedPool, VectorInstructionsOfMachine.Widest);
        Assert.That(product.WorstError(), Is.LessThanOrEqualTo(1));
        product.C[9] += 1e-5f;
        Assert.That(product.WorstError(), Is.GreaterThan(1));
        Assert.That(product.CanariesLive());
        product.C[5] = 0;
        Assert.That(product.CanariesLive(), Is.False);
    }

    private struct NestedJob : IWorkerJob
    {
        public WorkerPool Pool;
        public MatrixProductCase[] Products;

        public readonly void Execute(int index, int worker) => Products[index].Multiply(Pool, VectorInstructionsOfMachine.Widest);
    }
}
