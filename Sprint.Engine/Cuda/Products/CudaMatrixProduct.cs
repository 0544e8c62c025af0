namespace Sprint.Engine.Cuda;

/// <summary>
/// Launches matrix products on a device: the engine's own kernels (kernels/matrix_product.cu), or cuBLAS. cuBLAS takes a product of
/// <see cref="LeastBlasFlops"/> at least, where it is installed and the device is a GPU, if its epilogue has nothing to do; from Hopper on, where it measured more than twice as
/// fast, also bfloat16 products with a bias, GELU or GELU's derivative. Everything else is the own kernels', which save a pass over the result for each thing
/// that the epilogue does.
/// </summary>
internal sealed class CudaMatrixProduct
{
    /// <summary>Floating-point operations below which a product takes about as long as its launch.</summary>
    internal const long LeastBlasFlops = 1L << 28;

    private const int ReduceThreads = 256;

    /// <summary>Hopper's tensor cores work in full only for products of four warps together.</summary>
    private const int FirstWarpGroupArchitecture = 90;

    private readonly CudaDevice device;
    private readonly CudaKernelFamily small;
    private readonly CudaKernelFamily large;
    private readonly Func<CudaBlas?> openBlas;
    private readonly int architecture;
    private CudaBlas? blas;
    private bool hasOpenedBlas;

    /// <summary>Creates a launcher that uses cuBLAS where the machine has it.</summary>
    /// <param name="device">The device.</param>
    public CudaMatrixProduct(CudaDevice device)
        : this(device, () => HasBlas(device) ? device.Own(new CudaBlas(device.Stream)) : null)
    {
    }

    /// <summary>Creates a launcher.</summary>
    /// <param name="device">The device.</param>
    /// <param name="openBlas">Gives cuBLAS or null, when a product that it may take comes first; it lives as long as the device.</param>
    /// <param name="architecture">The compute capability to choose for, as one number; null for the device's.</param>
    internal CudaMatrixProduct(CudaDevice device, Func<CudaBlas?> openBlas, int? architecture = null)
    {
        this.device = device;
        this.architecture = architecture ?? device.Context.Device.Architecture;
        small = new CudaKernelFamily(device, static element => KernelCatalog.MatrixProduct(element, MatrixProductPlan.SmallTile));
        large = new CudaKernelFamily(device, static element => KernelCatalog.MatrixProduct(element, MatrixProductPlan.LargeTile));
        this.openBlas = openBlas;
    }

    /// <summary>Puts a product into the device's stream.</summary>
    /// <param name="form">Which operands are stored transposed.</param>
    /// <param name="element">Element type of the operands.</param>
    /// <param name="arguments">Operands, result, epilogue.</param>
    /// <exception cref="CudaException">A launch failed.</exception>
    public void Multiply(MatrixProductForm form, ElementType element, in MatrixProductArguments arguments) =>
        Multiply(MatrixProductPlan.For(form, element, arguments.M, arguments.N, arguments.K), arguments);

    /// <summary>
    /// Whether cuBLAS is there and so much faster that a pass behind it is the lesser cost. An H100's tensor cores work in full only by wgmma, which cuBLAS uses
    /// there: products of XL/2's layers in bfloat16 measured 580 to 840 TFLOP/s, and 300 to 360 by mma.sync. On older GPUs both have the same instructions; newer ones were not measured.
    /// </summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum.</param>
    public bool PrefersBlas(int m, int n, int k) =>
        architecture >= FirstWarpGroupArchitecture && 2L * m * n * k >= LeastBlasFlops && Blas() is not null;

    /// <summary>Puts a product into the device's stream.</summary>
    /// <param name="plan">How it is cut.</param>
    /// <param name="arguments">Operands, result, epilogue, of the plan's extents.</param>
    /// <exception cref="CudaException">A launch failed.</exception>
    internal void Multiply(in MatrixProductPlan plan, MatrixProductArguments arguments)
    {
        if (IsPlain(plan, arguments) && Blas() is { } library)
        {
            MultiplyByBlas(library, plan, arguments);
            return;
        }

        if (FusedEpilogue(plan, arguments) is { } epilogue && Blas() is { } light && light.TryMultiply(
            Product(plan, arguments), arguments.A, arguments.B, arguments.Result, CudaElementType.BFloat16, epilogue, arguments.Bias, arguments.Auxiliary))
        {
            return;
        }

        int splits = plan.Splits;
        using Tensor partial = splits == 1 ? default : device.Workspace(new Shape(splits, plan.M, plan.N));
        arguments.Partial = MatrixProductArguments.Pointer(partial);
        arguments.SplitDepth = plan.SplitDepth;
        arguments.ChooseVectors(plan.Form, plan.Element.Size());
        CudaKernelFamily kernels = plan.Tile == MatrixProductPlan.LargeTile ? large : small;
        kernels.Launch(plan.Element, plan.Kernel, plan.Grid, plan.Threads, new KernelArguments { arguments }, plan.SharedBytes);
        if (splits > 1)
        {
            long items = (long)plan.M * plan.N / (arguments.VectorResult != 0 ? MatrixProductPlan.Pack : 1);
            int blocks = CudaKernelFamily.Blocks(items, ReduceThreads);
            kernels.Launch(plan.Element, "matrix_product_reduce", blocks, ReduceThreads, new KernelArguments { arguments, splits });
        }
    }

    /// <summary>
    /// cuBLAS or null. A failure to open it fails the product at hand: the own kernel in its place would have other bits. The next product tries again, as
    /// what was missing may have been memory.
    /// </summary>
    private CudaBlas? Blas()
    {
        if (!hasOpenedBlas)
        {
            blas = openBlas();
            hasOpenedBlas = true;
        }

        return blas;
    }

    private static bool HasBlas(CudaDevice device) =>
        device.Context.Driver is NativeCudaDriver && CudaLibraryFinder.System.TryLoad(CudaLibrary.Blas, out _);

    private static bool IsPlain(in MatrixProductPlan plan, in MatrixProductArguments arguments) =>
        arguments.Operation == MatrixProductOperation.Plain && arguments.Bias.IsNull && 2L * plan.M * plan.N * plan.K >= LeastBlasFlops;

    /// <summary>What cuBLAS would do with the sums, or null where it would be slower or cannot.</summary>
    private BlasEpilogue? FusedEpilogue(in MatrixProductPlan plan, in MatrixProductArguments arguments)
    {
        const int Pack = 16 / sizeof(ushort);
        ulong addresses = arguments.A.Address | arguments.B.Address | arguments.Result.Address | arguments.Bias.Address | arguments.Auxiliary.Address;
        if (plan.Element != ElementType.BFloat16
            || !PrefersBlas(plan.M, plan.N, plan.K)
            || arguments.ResultIsFloat != 0
            || arguments.Accumulate != 0
            || addresses % 16 != 0
            || (arguments.StrideA | arguments.StrideB | arguments.ResultStride | plan.N) % Pack != 0)
        {
            return null;
        }

        BlasEpilogue bias = arguments.Bias.IsNull ? 0 : BlasEpilogue.Bias;
        BlasEpilogue auxiliary = arguments.Auxiliary.IsNull ? 0 : BlasEpilogue.Auxiliary;
        return arguments.Operation switch
        {
            MatrixProductOperation.Plain when !arguments.Bias.IsNull => bias,
            MatrixProductOperation.Gelu => BlasEpilogue.Gelu | bias | auxiliary,
            MatrixProductOperation.GeluDerivative => BlasEpilogue.GeluDerivative | auxiliary,
            _ => null,
        };
    }

    private static RowMajorProduct Product(in MatrixProductPlan plan, in MatrixProductArguments arguments) => new(
        plan.Form == MatrixProductForm.BackwardWeight,
        plan.Form == MatrixProductForm.Forward,
        plan.M,
        plan.N,
        plan.K,
        arguments.StrideA,
        arguments.StrideB,
        arguments.ResultStride);

    private static void MultiplyByBlas(CudaBlas blas, in MatrixProductPlan plan, in MatrixProductArguments arguments)
    {
        RowMajorProduct product = Product(plan, arguments);
        float beta = arguments.Accumulate != 0 ? 1 : 0;
        if (plan.Element == ElementType.Float32)
        {
            blas.Multiply(product, arguments.A, arguments.B, arguments.Result, alpha: 1, beta);
        }
        else
        {
            CudaElementType result = arguments.ResultIsFloat != 0 ? CudaElementType.Float32 : CudaElementType.BFloat16;
            blas.Multiply(product, arguments.A, arguments.B, CudaElementType.BFloat16, arguments.Result, result, alpha: 1, beta);
        }
    }
}
