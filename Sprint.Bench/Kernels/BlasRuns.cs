using Sprint.Bench.Operations;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Bench.Kernels;

/// <summary>The products of linear layers by cuBLAS, timed as the engine's kernels are.</summary>
internal static class BlasRuns
{
    /// <summary>Times.</summary>
    /// <param name="cases">The operations: those that are linear layers are taken.</param>
    /// <param name="figures">The engine's kernels, timed.</param>
    /// <param name="gpu">The GPU.</param>
    /// <param name="blas">cuBLAS on the GPU's stream.</param>
    /// <param name="probe">Measures.</param>
    /// <param name="request">Element type and repeats.</param>
    public static IReadOnlyList<BlasFigure> Time(
        IReadOnlyList<OperationCase> cases, IReadOnlyList<KernelFigure> figures, CudaDevice gpu, CudaBlas blas, KernelProbe probe, KernelsRequest request) =>
        [.. cases.Where(static found => found.Operation.StartsWith("linear", StringComparison.Ordinal)).Select(found =>
        {
            (int rows, int depth, int columns) = Extents(found.Shape);
            KernelFigure own = figures.First(figure => figure.Operation == found && figure.Launch.Kernel == "matrix_product_forward");
            return new BlasFigure(found, rows, columns, depth, own.Seconds, Time(rows, columns, depth, gpu, blas, probe, request));
        })];

    /// <summary>Reads a linear layer's shape: 1024x384 -> 1152.</summary>
    /// <param name="shape">The case's shape.</param>
    public static (int Rows, int Inputs, int Outputs) Extents(string shape)
    {
        string[] parts = shape.Split(["x", " -> "], StringSplitOptions.None);
        return (int.Parse(parts[0]), int.Parse(parts[1]), int.Parse(parts[2]));
    }

    private static double[] Time(int rows, int columns, int depth, CudaDevice gpu, CudaBlas blas, KernelProbe probe, KernelsRequest request)
    {
        using Tensor a = gpu.Allocate(new Shape(rows, depth), request.Element);
        using Tensor b = gpu.Allocate(new Shape(columns, depth), request.Element);
        using Tensor c = gpu.Allocate(new Shape(rows, columns), request.Element);
        CudaElementType type = request.Element == ElementType.BFloat16 ? CudaElementType.BFloat16 : CudaElementType.Float32;
        RowMajorProduct product = RowMajorProduct.Dense(false, true, rows, columns, depth);
        gpu.Clear(a);
        gpu.Clear(b);
        return [.. Enumerable.Range(-1, request.Repeats + 1).Select(_ => probe.Time(
            gpu.Stream, () => blas.Multiply(product, Pointer(a), Pointer(b), type, Pointer(c), type))).Skip(1)];
    }

    private static DevicePointer Pointer(Tensor tensor) => new((ulong)tensor.Address);
}
