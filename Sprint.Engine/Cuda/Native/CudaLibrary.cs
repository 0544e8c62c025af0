namespace Sprint.Engine.Cuda;

/// <summary>One native library of CUDA: the names it goes by, what it is for, and how to get it.</summary>
/// <param name="Key">The name that P/Invoke declarations use.</param>
/// <param name="Purpose">What the library is and does, as the subject of a sentence.</param>
/// <param name="HowToGet">What to do when it is missing, as an imperative clause.</param>
/// <param name="LinuxNames">File names on Linux, newest first.</param>
/// <param name="WindowsNames">File names on Windows, newest first.</param>
/// <param name="LinuxCompanion">Files beside it that the library looks for by name alone when it runs, on Linux, with an asterisk for the version; null for none.</param>
/// <param name="WindowsCompanion">The same on Windows.</param>
internal sealed record CudaLibrary(
    string Key,
    string Purpose,
    string HowToGet,
    string[] LinuxNames,
    string[] WindowsNames,
    string? LinuxCompanion = null,
    string? WindowsCompanion = null)
{
    /// <summary>The user-space part of the NVIDIA driver.</summary>
    public const string DriverKey = "cuda";

    /// <summary>The run-time compiler.</summary>
    public const string CompilerKey = "nvrtc";

    /// <summary>The matrix products of NVIDIA.</summary>
    public const string BlasKey = "cublas";

    /// <summary>The part of cuBLAS whose products have an epilogue.</summary>
    public const string CublasLtKey = "cublasLt";

    /// <summary>libcuda comes with the NVIDIA driver, never with the toolkit.</summary>
    public static CudaLibrary Driver { get; } = new(
        DriverKey,
        "The NVIDIA driver library, which runs kernels on the GPU,",
        "install the NVIDIA driver (450 or newer; `nvidia-smi` shows whether it works), or run with --device cpu or --device emulated, which need no GPU",
        ["libcuda.so.1", "libcuda.so"],
        ["nvcuda.dll"]);

    /// <summary>NVRTC, from 11.8 (soname 11.2) to 13.</summary>
    public static CudaLibrary Compiler { get; } = new(
        CompilerKey,
        "NVRTC, which compiles the CUDA sources in kernels/ at run time,",
        "install the CUDA toolkit 11.8 or newer or only its NVRTC package (cuda-nvrtc-12-8 of NVIDIA, libnvrtc12 of Ubuntu, libnvrtc11.2 of Debian), or set CUDA_PATH to the toolkit's folder",
        ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"],
        ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"],
        "libnvrtc-builtins.so.*",
        "nvrtc-builtins64_*.dll");

    /// <summary>cuBLAS, from 11 to 13.</summary>
    public static CudaLibrary Blas { get; } = new(
        BlasKey,
        "cuBLAS, which computes large matrix products on the GPU,",
        "install the CUDA toolkit 11.8 or newer or only its cuBLAS package (libcublas-12-8 of NVIDIA, libcublas12 of Ubuntu, libcublas11 of Debian), or set CUDA_PATH to the toolkit's folder",
        ["libcublas.so.13", "libcublas.so.12", "libcublas.so.11", "libcublas.so"],
        ["cublas64_13.dll", "cublas64_12.dll", "cublas64_11.dll"]);

    /// <summary>cuBLASLt: on Linux a dependency of cuBLAS, through whose handle its symbols are found, so that both are of one version.</summary>
    public static CudaLibrary CublasLt { get; } = OperatingSystem.IsWindows()
        ? Blas with { Key = CublasLtKey, WindowsNames = ["cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"] }
        : Blas;

    /// <summary>The file names on the given operating system.</summary>
    public string[] Names(bool windows) => windows ? WindowsNames : LinuxNames;

    /// <summary>The files beside it on the given operating system, or null.</summary>
    public string? Companion(bool windows) => windows ? WindowsCompanion : LinuxCompanion;
}
