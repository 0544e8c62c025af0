using Sprint.Engine.Cuda;

namespace Sprint.Engine.Measurement;

/// <summary>A plain matrix product by the engine's kernels and by cuBLAS, on one GPU.</summary>
/// <param name="Form">Which operands are stored transposed.</param>
/// <param name="Element">How operands and result are stored.</param>
/// <param name="M">Rows of the result.</param>
/// <param name="N">Columns of the result.</param>
/// <param name="K">Terms of each sum.</param>
/// <param name="Seconds">Median time of the engine's kernel.</param>
/// <param name="BlasSeconds">Median time of cuBLAS, or null where it is not installed.</param>
public sealed record ProductComparison(MatrixProductForm Form, ElementType Element, int M, int N, int K, double Seconds, double? BlasSeconds)
{
    private const int Runs = 11;

    /// <summary>Floating-point operations.</summary>
    public long Flops => 2L * M * N * K;

    /// <summary>Times the products of a block's MLP.</summary>
    /// <param name="device">A GPU.</param>
    /// <param name="shape">The extents.</param>
    public static IReadOnlyList<ProductComparison> Run(CudaDevice device, KernelShape shape)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(shape);
        (int rows, int width, int wide) = (shape.Batch * shape.Kept, shape.Width, 4 * shape.Width);
        using CudaBlas? blas = CudaLibraryFinder.System.TryLoad(CudaLibrary.Blas, out _) ? new CudaBlas(device.Stream) : null;
        List<ProductComparison> comparisons = [];
        foreach (ElementType element in new[] { ElementType.BFloat16, ElementType.Float32 })
        {
            comparisons.Add(Run(device, blas, MatrixProductForm.Forward, element, rows, wide, width));
            comparisons.Add(Run(device, blas, MatrixProductForm.BackwardInput, element, rows, width, wide));
            comparisons.Add(Run(device, blas, MatrixProductForm.BackwardWeight, element, wide, width, rows));
        }

        return comparisons;
    }

    private static ProductComparison Run(CudaDevice device, CudaBlas? blas, MatrixProductForm form, ElementType element, int m, int n, int k)
    {
        using Tensor a = Zeros(device, m, k, element), b = Zeros(device, k, n, element), c = Zeros(device, m, n, element);
        CudaMatrixProduct own = new(device, static () => null), library = new(device, () => blas);
        MatrixProductArguments arguments = MatrixProductArguments.Dense(form, m, n, k);
        (arguments.A, arguments.B) = (MatrixProductArguments.Pointer(a), MatrixProductArguments.Pointer(b));
        arguments.WriteTo(c, accumulate: false);
        return new ProductComparison(
            form, element, m, n, k, Median(device, () => own.Multiply(form, element, arguments)), blas is null ? null : Median(device, () => library.Multiply(form, element, arguments)));
    }

    private static Tensor Zeros(CudaDevice device, int rows, int columns, ElementType element)
    {
        Tensor tensor = device.Allocate(new Shape(rows, columns), element);
        device.Clear(tensor);
        return tensor;
    }

    private static double Median(CudaDevice device, Action multiply)
    {
        multiply();
        multiply();
        return MedianTime.Of(device, Runs, multiply);
    }
}
