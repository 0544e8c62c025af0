using System.Reflection;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>Leads the assembly's P/Invoke declarations of "cuda", "nvrtc", "cublas" and "cublasLt" to the libraries that the finder finds.</summary>
internal static class CudaLibraryResolver
{
    private static readonly Lazy<bool> Registration = new(static () =>
    {
        NativeLibrary.SetDllImportResolver(typeof(CudaLibraryResolver).Assembly, Resolve);
        return true;
    });

    /// <summary>Registers the resolver once. Every class of P/Invoke declarations calls it before its first call.</summary>
    public static void Register() => _ = Registration.Value;

    /// <summary>Whether the library has the symbol: newer drivers have more of them.</summary>
    public static bool HasSymbol(CudaLibrary library, string symbol) =>
        CudaLibraryFinder.System.TryLoad(library, out var handle) && NativeLibrary.TryGetExport(handle, symbol, out _);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) => name switch
    {
        CudaLibrary.DriverKey => CudaLibraryFinder.System.Require(CudaLibrary.Driver),
        CudaLibrary.CompilerKey => CudaLibraryFinder.System.Require(CudaLibrary.Compiler),
        CudaLibrary.BlasKey => CudaLibraryFinder.System.Require(CudaLibrary.Blas),
        CudaLibrary.CublasLtKey => CudaLibraryFinder.System.Require(CudaLibrary.CublasLt),
        _ => 0,
    };
}
