using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Float32 matrix products <c>C = A B</c> or <c>C += A B</c> on all cores, with what follows the product applied to each piece of C while it
/// is in cache. B is packed by all workers into panels as wide as a tile; A is read in place or packed by each worker for itself.
/// An element of C is the sum, in order, of blocks of at most 384 products, each block one chain of fused multiply-adds over k: the same bits for any
/// number of threads, any vector width with fused multiply-add, and whatever the other rows and columns are.
/// </summary>
internal static unsafe class MatrixProduct
{
    /// <summary>Computes the product with the widest vectors of the machine.</summary>
    /// <typeparam name="TEpilogue">What is done to the finished elements.</typeparam>
    /// <param name="pool">The threads.</param>
    /// <param name="a">A, of <paramref name="rows"/> x <paramref name="depth"/>.</param>
    /// <param name="b">B, of <paramref name="depth"/> x <paramref name="columns"/>.</param>
    /// <param name="c">C, row-major, of <paramref name="rows"/> x <paramref name="columns"/>; it overlaps neither A nor B.</param>
    /// <param name="cStride">Elements from one row of C to the next.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="columns">Columns of B and C.</param>
    /// <param name="depth">Columns of A and rows of B; 0 makes the product 0.</param>
    /// <param name="accumulate">Whether the product is added to C.</param>
    /// <param name="epilogue">What is done to the finished elements.</param>
    /// <remarks>Called from inside a job of the pool it runs on the calling thread alone.</remarks>
    public static void Multiply<TEpilogue>(
        WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, long cStride, int rows, int columns, int depth, bool accumulate, TEpilogue epilogue)
        where TEpilogue : struct, IMatrixEpilogue
        => Multiply(pool, a, b, c, cStride, rows, columns, depth, accumulate, epilogue, VectorInstructionsOfMachine.Widest);

    /// <summary>Computes the product with nothing done to it afterwards.</summary>
    /// <inheritdoc cref="Multiply{TEpilogue}(WorkerPool, MatrixOperand, MatrixOperand, float*, long, int, int, int, bool, TEpilogue)"/>
    public static void Multiply(WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, long cStride, int rows, int columns, int depth, bool accumulate = false)
        => Multiply(pool, a, b, c, cStride, rows, columns, depth, accumulate, default(NoEpilogue));

    /// <summary>Computes the product and, where A has to be packed anyway, the sums of A's rows with it.</summary>
    /// <param name="pool">The threads.</param>
    /// <param name="a">A, of <paramref name="rows"/> x <paramref name="depth"/>.</param>
    /// <param name="b">B, of <paramref name="depth"/> x <paramref name="columns"/>.</param>
    /// <param name="c">C, row-major without gaps, of <paramref name="rows"/> x <paramref name="columns"/>.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="columns">Columns of B and C.</param>
    /// <param name="depth">Columns of A and rows of B.</param>
    /// <param name="accumulate">Whether the product is added to C.</param>
    /// <param name="rowSums">Where the sums go; the default asks for none.</param>
    /// <returns>Whether the sums were computed: always, unless none were asked for, A's rows lie contiguously or C has no elements.</returns>
    public static bool MultiplySummingRows(
        WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, int rows, int columns, int depth, bool accumulate, MatrixRowSums rowSums)
    {
        bool sums = rowSums.IsWanted && !a.RowsContiguous && rows > 0 && columns > 0;
        Multiply(pool, a, b, c, columns, rows, columns, depth, accumulate, default(NoEpilogue), VectorInstructionsOfMachine.Widest, sums ? rowSums : default);
        return sums;
    }

    /// <summary>Computes the product with vectors of a given width, in software where the machine lacks them.</summary>
    /// <inheritdoc cref="Multiply{TEpilogue}(WorkerPool, MatrixOperand, MatrixOperand, float*, long, int, int, int, bool, TEpilogue)"/>
    internal static void Multiply<TEpilogue>(
        WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, long cStride, int rows, int columns, int depth, bool accumulate, TEpilogue epilogue, VectorInstructions vectors, MatrixRowSums rowSums = default)
        where TEpilogue : struct, IMatrixEpilogue
    {
        if (rows <= 0 || columns <= 0)
            return;

        switch (vectors)
        {
            case VectorInstructions.Vector512:
                new MatrixProductJob<VectorLanes512, Vector512<float>, TileNumber8, TileNumber3, TEpilogue>(
                    pool, a, b, c, cStride, rows, columns, depth, accumulate, epilogue, rowSums).Run();
                break;
            case VectorInstructions.Vector256:
                new MatrixProductJob<VectorLanes256, Vector256<float>, TileNumber6, TileNumber2, TEpilogue>(
                    pool, a, b, c, cStride, rows, columns, depth, accumulate, epilogue, rowSums).Run();
                break;
            default:
                RunVector128(pool, a, b, c, cStride, rows, columns, depth, accumulate, epilogue, rowSums);
                break;
        }
    }

    // Arm has 32 registers of this width, x86 has 16.
    private static void RunVector128<TEpilogue>(
        WorkerPool pool, MatrixOperand a, MatrixOperand b, float* c, long cStride, int rows, int columns, int depth, bool accumulate, TEpilogue epilogue, MatrixRowSums rowSums)
        where TEpilogue : struct, IMatrixEpilogue
    {
        if (System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported)
        {
            new MatrixProductJob<VectorLanes128, Vector128<float>, TileNumber8, TileNumber3, TEpilogue>(
                pool, a, b, c, cStride, rows, columns, depth, accumulate, epilogue, rowSums).Run();
        }
        else
        {
            new MatrixProductJob<VectorLanes128, Vector128<float>, TileNumber6, TileNumber2, TEpilogue>(
                pool, a, b, c, cStride, rows, columns, depth, accumulate, epilogue, rowSums).Run();
        }
    }
}
