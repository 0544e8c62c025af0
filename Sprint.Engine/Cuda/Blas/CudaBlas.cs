using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// Matrix products of cuBLAS for row-major matrices. One instance serves one stream and one thread at a time. The workspace is the
/// instance's own, so that its products can be captured into a graph and give the same bits each time.
/// </summary>
public sealed class CudaBlas : IDisposable
{
    // What NVIDIA recommends for Hopper; older devices need less.
    private const int WorkspaceBytes = 32 * 1024 * 1024;

    private readonly ICublas library;
    private readonly DriverResource? resource;
    private readonly CudaDeviceVariable<byte>? workspace;
    private CudaMathMode mathMode = CudaMathMode.Standard;
    private CudaStream? stream;
    private bool isDisposed;

    /// <summary>Creates a handle of cuBLAS.</summary>
    /// <param name="stream">The stream that its products go into.</param>
    /// <exception cref="SprintException">cuBLAS is not installed: the sentence says how to get it. Or the device is emulated.</exception>
    public CudaBlas(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Context = stream.Context;
        if (Context.Driver is not NativeCudaDriver)
        {
            throw new SprintException($"cuBLAS runs on a GPU only, not on device {Context.Driver.Name}: use the engine's own matrix product.");
        }

        CudaLibraryFinder.System.Require(CudaLibrary.Blas);
        this.stream = stream;
        using CudaContext.Scope scope = Context.Enter();
        Check(CublasApi.cublasCreate_v2(out nint handle), nameof(CublasApi.cublasCreate_v2));
        resource = Context.Own(handle, static (_, value, _) => _ = CublasApi.cublasDestroy_v2(value));
        try
        {
            workspace = new CudaDeviceVariable<byte>(Context, WorkspaceBytes);
            library = new NativeCublas(handle, workspace.DevicePointer, WorkspaceBytes);
            Check(CublasApi.cublasSetStream_v2(handle, stream.Handle), nameof(CublasApi.cublasSetStream_v2));
            Check(CublasApi.cublasSetWorkspace_v2(handle, workspace.DevicePointer, WorkspaceBytes), nameof(CublasApi.cublasSetWorkspace_v2));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Products over another implementation of the column-major calls.</summary>
    internal CudaBlas(CudaContext context, ICublas library)
    {
        Context = context;
        this.library = library;
    }

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>How float32 products may be computed.</summary>
    public CudaMathMode MathMode
    {
        get => mathMode;
        set
        {
            if (resource is not null)
            {
                using CudaContext.Scope scope = Context.Enter();
                Check(CublasApi.cublasSetMathMode(resource.Value, value), nameof(CublasApi.cublasSetMathMode));
            }

            mathMode = value;
        }
    }

    /// <summary>Lets products go into another stream from now on.</summary>
    /// <param name="stream">The stream, of the same context. It must outlive the products.</param>
    /// <exception cref="CudaException">The stream is of another context.</exception>
    public void SetStream(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        StreamHandle handle = Context.HandleOf(stream);
        if (resource is not null && workspace is not null)
        {
            using CudaContext.Scope scope = Context.Enter();
            Check(CublasApi.cublasSetStream_v2(resource.Value, handle), nameof(CublasApi.cublasSetStream_v2));

            // Setting a stream returns the handle to the library's own workspace.
            Check(CublasApi.cublasSetWorkspace_v2(resource.Value, workspace.DevicePointer, WorkspaceBytes), nameof(CublasApi.cublasSetWorkspace_v2));
        }

        this.stream = stream;
    }

    /// <summary>C = alpha op(A) op(B) + beta C in float32.</summary>
    /// <param name="product">Extents, transpositions, leading dimensions.</param>
    /// <param name="a">A, float32.</param>
    /// <param name="b">B, float32.</param>
    /// <param name="c">C, float32; not read where beta is 0.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="beta">Factor of what C holds: 0 overwrites, 1 adds.</param>
    /// <exception cref="CudaException">cuBLAS refused or failed.</exception>
    public void Multiply(in RowMajorProduct product, DevicePointer a, DevicePointer b, DevicePointer c, float alpha = 1, float beta = 0)
    {
        ColumnMajorProduct columns = product.ToColumnMajor();
        using CudaContext.Scope scope = Enter();
        Check(library.MultiplySingle(columns, alpha, b, a, beta, c), nameof(CublasApi.cublasSgemm_v2), product);
    }

    /// <summary>C = alpha op(A) op(B) + beta C with A and B of one element type and C of its own; sums are float32.</summary>
    /// <param name="product">Extents, transpositions, leading dimensions.</param>
    /// <param name="a">A.</param>
    /// <param name="b">B.</param>
    /// <param name="factorType">Element type of A and B.</param>
    /// <param name="c">C; not read where beta is 0.</param>
    /// <param name="resultType">Element type of C.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="beta">Factor of what C holds.</param>
    /// <exception cref="CudaException">cuBLAS refused or failed.</exception>
    public void Multiply(
        in RowMajorProduct product,
        DevicePointer a,
        DevicePointer b,
        CudaElementType factorType,
        DevicePointer c,
        CudaElementType resultType,
        float alpha = 1,
        float beta = 0)
    {
        ColumnMajorProduct columns = product.ToColumnMajor();
        using CudaContext.Scope scope = Enter();
        Check(library.MultiplyMixed(columns, alpha, b, a, factorType, beta, c, resultType), nameof(CublasApi.cublasGemmEx), product);
    }

    /// <summary>A batch of products, each matrix a fixed number of elements behind the one before.</summary>
    /// <param name="product">Extents, transpositions, leading dimensions of each product.</param>
    /// <param name="a">The first A.</param>
    /// <param name="strideA">Elements from one A to the next; 0 for one A shared by all.</param>
    /// <param name="b">The first B.</param>
    /// <param name="strideB">Elements from one B to the next; 0 for one B shared by all.</param>
    /// <param name="factorType">Element type of A and B.</param>
    /// <param name="c">The first C; not read where beta is 0.</param>
    /// <param name="strideC">Elements from one C to the next.</param>
    /// <param name="resultType">Element type of C.</param>
    /// <param name="count">How many products.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="beta">Factor of what C holds.</param>
    /// <exception cref="CudaException">cuBLAS refused or failed.</exception>
    public void MultiplyBatch(
        in RowMajorProduct product,
        DevicePointer a,
        long strideA,
        DevicePointer b,
        long strideB,
        CudaElementType factorType,
        DevicePointer c,
        long strideC,
        CudaElementType resultType,
        int count,
        float alpha = 1,
        float beta = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ColumnMajorProduct columns = product.ToColumnMajor();
        using CudaContext.Scope scope = Enter();
        Check(
            library.MultiplyBatch(columns, alpha, b, strideB, a, strideA, factorType, beta, c, strideC, resultType, count),
            nameof(CublasApi.cublasGemmStridedBatchedEx),
            product);
    }

    /// <summary>C = finish(op(A) op(B)), sums in float32, by cuBLASLt.</summary>
    /// <param name="product">Extents, transpositions, leading dimensions.</param>
    /// <param name="a">A.</param>
    /// <param name="b">B.</param>
    /// <param name="c">C.</param>
    /// <param name="type">Element type of all matrices.</param>
    /// <param name="epilogue">What becomes of the sums.</param>
    /// <param name="bias">A number for each column of C, or null.</param>
    /// <param name="auxiliary">(m, n) without gaps, or null.</param>
    /// <returns>False where the library has no kernel for it: then nothing was done.</returns>
    /// <exception cref="CudaException">The library failed.</exception>
    internal bool TryMultiply(
        in RowMajorProduct product, DevicePointer a, DevicePointer b, DevicePointer c, CudaElementType type, BlasEpilogue epilogue, DevicePointer bias, DevicePointer auxiliary)
    {
        ColumnMajorProduct columns = product.ToColumnMajor();
        using CudaContext.Scope scope = Enter();
        return library.TryMultiplyFused(columns, epilogue, new FusedOperands(b, a, c, bias, auxiliary), type, stream?.Handle ?? default);
    }

    /// <summary>Frees handle and workspace.</summary>
    public void Dispose()
    {
        isDisposed = true;
        library?.Dispose();
        resource?.Dispose();
        workspace?.Dispose();
    }

    /// <summary>The library's own checks of a handle or stream that is gone are none: it would read freed memory.</summary>
    private CudaContext.Scope Enter()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        _ = stream?.Handle;
        return Context.Enter();
    }

    /// <summary>Turns a status into an error that names the call and the product.</summary>
    internal static void Check<TProduct>(int status, string call, in TProduct product)
        where TProduct : struct
    {
        if (status != 0)
        {
            throw Failure(status, call, $" for {product}");
        }
    }

    private static void Check(int status, string call)
    {
        if (status != 0)
        {
            throw Failure(status, call, "");
        }
    }

    private static CudaException Failure(int status, string call, string of)
    {
        string name = CudaLibraryResolver.HasSymbol(CudaLibrary.Blas, nameof(CublasApi.cublasGetStatusName))
            ? Marshal.PtrToStringUTF8(CublasApi.cublasGetStatusName(status)) ?? "an unknown status"
            : "a status";
        return new CudaException($"{call} failed with {name} ({status}){of}.")
        {
            ErrorCode = status,
            ErrorName = name,
            Call = call,
        };
    }
}
