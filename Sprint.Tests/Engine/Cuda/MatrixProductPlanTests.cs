using System.Runtime.InteropServices;
using FsCheck;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>How products are cut into blocks, and which are cuBLAS's.</summary>
[TestFixture]
public sealed class MatrixProductPlanTests
{
    [FsCheck.NUnit.Property(MaxTest = 500)]
    public void SplitsCoverTheDepthInWholeStepsAndNoneIsEmpty(PositiveInt seed)
    {
        Random random = new(seed.Get);
        (int m, int n, int k) = (Extent(random), Extent(random), Extent(random));
        MatrixProductPlan plan = MatrixProductPlan.For(MatrixProductForm.BackwardWeight, ElementType.BFloat16, m, n, k);
        Assert.That(plan.SplitDepth % 32, Is.Zero, $"{plan}");
        Assert.That((long)plan.Splits * plan.SplitDepth, Is.GreaterThanOrEqualTo(k), $"{plan}");
        Assert.That((long)(plan.Splits - 1) * plan.SplitDepth, Is.LessThan(k), $"{plan}");
        Assert.That(plan.Splits, Is.EqualTo(1).Or.LessThanOrEqualTo(k / 512), $"{plan}");
        Assert.That(plan.Splits == 1 || plan.Grid.Count <= 512, $"{plan}");
        Assert.That((long)plan.Grid.X * plan.Tile * plan.Tile, Is.GreaterThanOrEqualTo((long)m * n), $"{plan}");
    }

    // XL/2 with 256 samples of 64 kept tokens; a model of the tests; one sample's modulation.
    [TestCase(MatrixProductForm.Forward, 16384, 4608, 1152, 128, 1)]
    [TestCase(MatrixProductForm.BackwardWeight, 1152, 1152, 16384, 128, 6)]
    [TestCase(MatrixProductForm.BackwardWeight, 4608, 1152, 16384, 128, 1)]
    [TestCase(MatrixProductForm.Forward, 16, 24, 96, 64, 1)]
    [TestCase(MatrixProductForm.Forward, 1, 6912, 1152, 64, 2)]
    public void TilesAndSplitsSuitTheShape(MatrixProductForm form, int m, int n, int k, int tile, int splits)
    {
        MatrixProductPlan plan = MatrixProductPlan.For(form, ElementType.BFloat16, m, n, k);
        Assert.That((plan.Tile, plan.Splits), Is.EqualTo((tile, splits)));
    }

    [Test]
    public void ArgumentsLieAsTheKernelReadsThem() =>
        Assert.That((Marshal.SizeOf<MatrixProductArguments>(), (int)Marshal.OffsetOf<MatrixProductArguments>(nameof(MatrixProductArguments.M))), Is.EqualTo((144, 104)));

    [Test]
    public void CublasTakesLargeProductsWithNothingInTheirEpilogue([Values] MatrixProductForm form)
    {
        using CudaDevice device = CudaDevice.Emulated();
        ColumnMajorCublas library = new();
        CudaMatrixProduct product = new(device, () => new CudaBlas(device.Context, library));
        MatrixProductArguments arguments = MatrixProductArguments.Dense(form, 1024, 512, 256) with
        {
            A = new DevicePointer(0x100),
            B = new DevicePointer(0x200),
            Result = new DevicePointer(0x300),
            ResultStride = 1024,
            ResultIsFloat = 1,
            Accumulate = 1,
        };
        product.Multiply(form, ElementType.BFloat16, arguments);
        RowMajorProduct expected = new(form == MatrixProductForm.BackwardWeight, form == MatrixProductForm.Forward, 1024, 512, 256, arguments.StrideA, arguments.StrideB, 1024);
        Assert.That(library.LastCall, Is.EqualTo($"{expected.ToColumnMajor()} 1 0x200 0x100 BFloat16 1 0x300 Float32"));
    }

    [TestCase(MatrixProductOperation.Plain, MatrixProductForm.Forward, "Bias", "0x0")]
    [TestCase(MatrixProductOperation.Gelu, MatrixProductForm.Forward, "Bias, Gelu, Auxiliary", "0x500")]
    [TestCase(MatrixProductOperation.GeluDerivative, MatrixProductForm.BackwardInput, "GeluDerivative, Auxiliary", "0x500")]
    public void OnHopperCublasAlsoTakesBiasAndGelu(MatrixProductOperation operation, MatrixProductForm form, string epilogue, string auxiliary)
    {
        using CudaDevice device = CudaDevice.Emulated();
        ColumnMajorCublas library = new();
        CudaMatrixProduct product = new(device, () => new CudaBlas(device.Context, library), architecture: 90);
        string bias = operation == MatrixProductOperation.GeluDerivative ? "0x0" : "0x400";
        product.Multiply(form, ElementType.BFloat16, Hopper(operation, form));
        RowMajorProduct expected = new(false, form == MatrixProductForm.Forward, 1024, 512, 256, 256, form == MatrixProductForm.Forward ? 256 : 512, 512);
        Assert.That(library.LastCall, Is.EqualTo($"{expected.ToColumnMajor()} {epilogue} 0x200 0x100 0x300 {bias} {auxiliary} BFloat16"));
    }

    [TestCase(80, MatrixProductOperation.Plain, 0, true)]
    [TestCase(90, MatrixProductOperation.GatedResidual, 0, true)]
    [TestCase(90, MatrixProductOperation.Silu, 0, true)]
    [TestCase(90, MatrixProductOperation.Plain, 2, true)]
    [TestCase(90, MatrixProductOperation.Plain, 0, false)]
    public void TheOwnKernelTakesWhatCublasCannotOrWouldDoSlowly(int architecture, MatrixProductOperation operation, int displacement, bool hasKernels)
    {
        using CudaDevice device = CudaDevice.Emulated();
        ColumnMajorCublas library = new() { HasFusedKernels = hasKernels };
        CudaMatrixProduct product = new(device, () => new CudaBlas(device.Context, library), architecture);
        MatrixProductArguments arguments = Hopper(operation, MatrixProductForm.Forward);
        product.Multiply(MatrixProductForm.Forward, ElementType.BFloat16, arguments with { Bias = new DevicePointer(arguments.Bias.Address + (ulong)displacement) });
        Assert.That(library.LastCall, hasKernels ? Is.Empty : Is.Not.Empty);

        // It was launched: on addresses that nobody allocated, which the emulator refuses.
        Assert.That(device.Synchronize, Throws.TypeOf<CudaException>().With.Message.Contains("matrix_product_forward"));
    }

    [TestCase(true, 1024)]
    [TestCase(false, 1023)]
    public void TheOwnKernelTakesTheRest(bool bias, int m)
    {
        using CudaDevice device = CudaDevice.Emulated();
        ColumnMajorCublas library = new();
        CudaMatrixProduct product = new(device, () => new CudaBlas(device.Context, library));
        using Tensor a = device.Workspace(new Shape(1024, 256), ElementType.BFloat16), b = device.Workspace(new Shape(512, 256), ElementType.BFloat16);
        using Tensor c = device.Workspace(new Shape(1024, 512));
        MatrixProductArguments arguments = MatrixProductArguments.Dense(MatrixProductForm.Forward, m, 512, 256) with
        {
            A = MatrixProductArguments.Pointer(a),
            B = MatrixProductArguments.Pointer(b),
            Bias = bias ? MatrixProductArguments.Pointer(b) : default,
        };
        arguments.WriteTo(c, accumulate: false);
        product.Multiply(MatrixProductForm.Forward, ElementType.BFloat16, arguments);
        Assert.That(library.LastCall, Is.Empty);

        // It was launched: on operands that nobody wrote, which the emulator refuses.
        Assert.That(device.Synchronize, Throws.TypeOf<CudaException>().With.Message.Contains("matrix_product_forward"));
    }

    private static MatrixProductArguments Hopper(MatrixProductOperation operation, MatrixProductForm form) => MatrixProductArguments.Dense(form, 1024, 512, 256) with
    {
        A = new DevicePointer(0x100),
        B = new DevicePointer(0x200),
        Result = new DevicePointer(0x300),
        Bias = operation == MatrixProductOperation.GeluDerivative ? default : new DevicePointer(0x400),
        Auxiliary = operation == MatrixProductOperation.Plain ? default : new DevicePointer(0x500),
        Residual = new DevicePointer(0x600),
        Gate = new DevicePointer(0x700),
        GateStride = 512,
        Operation = operation,
    };

    private static int Extent(Random random) => 1 + (int)Math.Pow(2, random.NextDouble() * 17);
}
