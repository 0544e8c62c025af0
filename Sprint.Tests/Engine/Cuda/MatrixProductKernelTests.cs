using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// The kernels of kernels/matrix_product.cu against float64. float32 within 2e-6 of the largest number, bfloat16 within twice the error of
/// an implementation that sums exactly and rounds every intermediate result that it stores.
/// </summary>
[TestFixture(TestDevice.Emulated, 1)]
[TestFixture(TestDevice.Emulated, 2)]
[TestFixture(TestDevice.Emulated, 3)]
[TestFixture(TestDevice.Cuda, 1, Category = "Gpu")]
public sealed class MatrixProductKernelTests(string deviceName, int variant)
{
    private const double Tolerance = 2e-6;

    private static readonly int[][] Extents =
    [
        // m, n, k: tails of tiles, steps, packs; one of each
        [1, 1, 1], [17, 113, 147], [147, 17, 1], [113, 1, 17], [1, 147, 113], [128, 64, 32], [65, 136, 72], [200, 40, 24],
    ];

    private CudaDevice? device;
    private CudaMatrixProduct? product;

    [OneTimeSetUp]
    public void OpenDevice()
    {
        device = (CudaDevice)TestDevice.Open(deviceName, variant);
        product = new CudaMatrixProduct(device);
    }

    [OneTimeTearDown]
    public void CloseDevice() => device?.Dispose();

    [Test]
    public void EveryFormIsThatOfFloat64AtAnyExtent(
        [Values] MatrixProductForm form,
        [Values(ElementType.Float32, ElementType.BFloat16)] ElementType element,
        [Values(64, 128)] int tile,
        [ValueSource(nameof(Extents))] int[] extents)
    {
        (int m, int n, int k) = (extents[0], extents[1], extents[2]);
        Check(new MatrixProductCase(form, element, m, n, k) { Plan = new MatrixProductPlan(form, element, m, n, k, tile, (k + 31) / 32 * 32) }, element);
    }

    [Test]
    public void StridesAlignmentAccumulationAndResultTypeAreFree(
        [Values] MatrixProductForm form,
        [Values(ElementType.Float32, ElementType.BFloat16)] ElementType element,
        [Values(0, 3, 8)] int gap,
        [Values] bool misaligned,
        [Values] bool accumulate)
    {
        foreach (bool resultIsFloat in (bool[])[false, true])
        {
            Check(new MatrixProductCase(form, element, 72, 40, 48) { Gap = gap, Misaligned = misaligned, Accumulate = accumulate, ResultIsFloat = resultIsFloat }, element, resultIsFloat);
        }
    }

    [Test]
    public void EveryOperationOfTheEpilogueIsThatOfFloat64(
        [Values] MatrixProductOperation operation,
        [Values(ElementType.Float32, ElementType.BFloat16)] ElementType element,
        [Values] bool bias,
        [Values(48, 17)] int n,
        [Values(1, 2)] int splits)
    {
        const int M = 70, K = 64;
        MatrixProductForm form = operation is MatrixProductOperation.GeluDerivative or MatrixProductOperation.SiluDerivative or MatrixProductOperation.SwiGluBackward ? MatrixProductForm.BackwardInput : MatrixProductForm.Forward;
        MatrixProductPlan plan = new(form, element, M, n, K, 64, K / splits);
        Check(new MatrixProductCase(form, element, M, n, K) { Operation = operation, HasBias = bias, Plan = plan }, element);
        Check(new MatrixProductCase(form, element, M, n, K) { Operation = operation, HasBias = bias, Plan = plan, Accumulate = true, Gap = 4 }, element);
    }

    [Test]
    public void SplitsOfTheDepthAddUpInOrder(
        [Values] MatrixProductForm form, [Values(ElementType.Float32, ElementType.BFloat16)] ElementType element, [Values(64, 128)] int tile)
    {
        MatrixProductPlan plan = new(form, element, 24, 20, 147, tile, 32);
        Assert.That(plan.Splits, Is.EqualTo(5));
        float[][] runs = [.. Enumerable.Range(0, 2).Select(_ => Check(new MatrixProductCase(form, element, 24, 20, 147) { Plan = plan, Accumulate = true, ResultIsFloat = true }, element, resultIsFloat: true))];
        Comparer.AssertSameBits("the second run", runs[1], runs[0]);
    }

    /// <summary>On a GPU extents of which cuBLAS takes the product; elsewhere the own kernel takes a small one.</summary>
    [Test]
    public void ProductsOfCublasAreThoseOfFloat64(
        [Values] MatrixProductForm form, [Values(ElementType.Float32, ElementType.BFloat16)] ElementType element, [Values] bool resultIsFloat, [Values] bool accumulate, [Values(0, 8)] int gap)
    {
        bool isGpu = !device!.Context.Device.IsEmulated;
        if (isGpu)
        {
            CudaRequirements.RequireLibrary(CudaLibrary.Blas);
        }

        using CudaBlas? blas = isGpu ? new CudaBlas(device.Stream) : null;
        bool isAsked = false;
        CudaMatrixProduct library = new(device, () =>
        {
            isAsked = true;
            return blas;
        });
        (int m, int n, int k) = isGpu ? (512, 640, 512) : (72, 40, 48);
        Check(new MatrixProductCase(form, element, m, n, k) { Gap = gap, Accumulate = accumulate, ResultIsFloat = resultIsFloat }, element, resultIsFloat, library);
        Assert.That(isAsked, Is.EqualTo(isGpu), "whether cuBLAS was asked for");
    }

    /// <summary>On a GPU extents of which cuBLAS takes the product where the GPU is a Hopper, and the own kernel where it is older; elsewhere a small one.</summary>
    [Test]
    public void EpiloguesOfCublasAreThoseOfFloat64(
        [Values(MatrixProductOperation.Plain, MatrixProductOperation.Gelu, MatrixProductOperation.GeluDerivative)] MatrixProductOperation operation, [Values] bool bias, [Values(0, 8)] int gap)
    {
        bool isGpu = !device!.Context.Device.IsEmulated;
        if (isGpu)
        {
            CudaRequirements.RequireLibrary(CudaLibrary.Blas);
        }

        (int m, int n, int k) = isGpu ? (520, 648, 512) : (72, 40, 48);
        MatrixProductForm form = operation == MatrixProductOperation.GeluDerivative ? MatrixProductForm.BackwardInput : MatrixProductForm.Forward;
        bool hasBias = bias && operation != MatrixProductOperation.GeluDerivative;
        bool isOurs = false;
        device.Context.LaunchObserver = new LaunchesSeen(() => isOurs = true);
        try
        {
            Check(new MatrixProductCase(form, ElementType.BFloat16, m, n, k) { Operation = operation, HasBias = hasBias, Gap = gap }, ElementType.BFloat16);
        }
        finally
        {
            device.Context.LaunchObserver = null;
        }

        Assert.That(isOurs, Is.EqualTo(!isGpu || (device.Context.Device.Architecture < 90 && (hasBias || operation != MatrixProductOperation.Plain))), "whether the own kernel was launched");
    }

    /// <summary>C, which is checked.</summary>
    private float[] Check(MatrixProductCase given, ElementType element, bool resultIsFloat = false, CudaMatrixProduct? by = null)
    {
        using MatrixProductCase own = given;
        (float[] result, float[] auxiliary, float[] residual) = own.Run(device!, by ?? product!);
        (double[] expected, double[] expectedAuxiliary, double[] expectedResidual) = own.Expected();
        double tolerance = Tolerance, auxiliaryTolerance = Tolerance, residualTolerance = Tolerance;
        if (element == ElementType.BFloat16)
        {
            (double[] plain, double[] plainAuxiliary, double[] plainResidual) = own.Expected(static value => DeviceElements.Rounded((float)value));
            tolerance = (resultIsFloat ? 0 : 2 * Error(plain, expected)) + Tolerance;
            auxiliaryTolerance = (2 * Error(plainAuxiliary, expectedAuxiliary)) + Tolerance;
            residualTolerance = (2 * Error(plainResidual, expectedResidual)) + Tolerance;
        }

        Comparer.AssertClose("the result", result, expected, tolerance);
        if (given.Operation is MatrixProductOperation.Gelu or MatrixProductOperation.Silu or MatrixProductOperation.GatedResidual or MatrixProductOperation.SwiGlu or MatrixProductOperation.SwiGluBackward)
        {
            Comparer.AssertClose("what the epilogue keeps", auxiliary, expectedAuxiliary, auxiliaryTolerance);
        }

        if (given.Operation is MatrixProductOperation.GatedResidual or MatrixProductOperation.SwiGlu or MatrixProductOperation.SwiGluBackward)
        {
            Comparer.AssertClose("what the epilogue reads and may overwrite", residual, expectedResidual, residualTolerance);
        }

        return result;
    }

    private static double Error(double[] actual, double[] expected) =>
        actual.Zip(expected, static (a, b) => Math.Abs(a - b)).Max() / Math.Max(1e-3, expected.Max(Math.Abs));

    private sealed class LaunchesSeen(Action seen) : ILaunchObserver
    {
        public void Launching(CudaStream stream)
        {
        }

        public void Launched(CudaKernel kernel, CudaStream stream, Dim3 grid, Dim3 block, int dynamicSharedBytes) => seen();
    }
}
