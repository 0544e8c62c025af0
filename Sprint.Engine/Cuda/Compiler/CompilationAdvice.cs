using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>What to do about the errors that files of others give most often in NVRTC, which compiles device code only and brings no header files.</summary>
internal static partial class CompilationAdvice
{
    private const string Guard = "put host code between #ifndef __CUDACC_RTC__ and #endif, or into a file of its own";

    // Of the C++ library, without those that libcu++ or the engine has for device code.
    private static readonly HashSet<string> HostHeaders =
    [
        "any", "bitset", "cctype", "cerrno", "charconv", "clocale", "codecvt", "concepts", "condition_variable", "coroutine", "csetjmp", "csignal", "cstdarg", "cwchar", "cwctype",
        "deque", "exception", "execution", "expected", "filesystem", "format", "forward_list", "fstream", "future", "iomanip", "ios", "iosfwd", "iostream", "istream", "list", "locale", "map", "mdspan",
        "memory", "memory_resource", "mutex", "new", "numbers", "numeric", "optional", "ostream", "print", "queue", "random", "ranges", "regex", "set", "shared_mutex", "source_location", "span", "sstream",
        "stack", "stdexcept", "stop_token", "streambuf", "string", "string_view", "system_error", "thread", "typeindex", "typeinfo", "unordered_map", "unordered_set", "valarray", "variant", "vector",
        "ctype.h", "dirent.h", "errno.h", "fcntl.h", "getopt.h", "mpi.h", "nccl.h", "omp.h", "pthread.h", "setjmp.h", "signal.h", "stdarg.h", "sys/stat.h", "sys/time.h", "sys/types.h", "unistd.h", "windows.h",
        "cublas.h", "cublasLt.h", "cublas_v2.h", "cudnn.h", "cufft.h", "cusolverDn.h", "cusparse.h", "curand.h", "nvml.h", "nvrtc.h", "helper_cuda.h", "helper_functions.h", "helper_timer.h",
    ];

    // Of libcu++ since CUDA 11.8.
    private static readonly HashSet<string> DeviceHeaders = ["atomic", "barrier", "bit", "chrono", "complex", "ctime", "iterator", "latch", "ratio", "semaphore"];

    /// <summary>One sentence about the first error that there is advice for, or null.</summary>
    public static string? Find(IReadOnlyList<CudaDiagnostic> diagnostics)
    {
        foreach (CudaDiagnostic diagnostic in diagnostics.Where(static message => message.Severity == CudaDiagnosticSeverity.Error))
        {
            if (MissingHeader().Match(diagnostic.Message) is { Success: true } missing)
            {
                return About(missing.Groups["name"].Value);
            }

            if (diagnostic.Message.Contains("host functions are not allowed", StringComparison.Ordinal))
            {
                return $"line {diagnostic.Line} of {diagnostic.File} begins a function of the host, and NVRTC compiles device code only: {Guard}, or mark the function __device__";
            }

            if (HostCall().Match(diagnostic.Message) is { Success: true } call)
            {
                return $"{call.Groups["name"].Value} is a function of the host, and NVRTC compiles device code only: {Guard}";
            }
        }

        return null;
    }

    private static string About(string header)
    {
        if (HostHeaders.Contains(header))
        {
            return $"NVRTC compiles device code only and has no header of host code such as {header}: put what needs it between #ifndef __CUDACC_RTC__ and #endif, or make PTX of the file with nvcc -ptx -lineinfo -arch=sm_80, or with clang, and run that";
        }

        if (DeviceHeaders.Contains(header))
        {
            return $"NVRTC brings no {header}: include <cuda/std/{header}> of libcu++, which is part of the CUDA toolkit's headers (CUDA_PATH, or -I and their folder)";
        }

        if (header.StartsWith("cuda/", StringComparison.Ordinal) || header.StartsWith("nv/", StringComparison.Ordinal))
        {
            return $"{header} is part of libcu++: install the CUDA toolkit's headers (libcu++-dev of Debian, cuda-cccl-12-8 of NVIDIA), set CUDA_PATH to the toolkit's folder, or name the headers' folder with -I";
        }

        return ToolkitHeader().IsMatch(header)
            ? $"{header} is part of the CUDA toolkit: install its headers (nvidia-cuda-dev of Debian and Ubuntu, cuda-cudart-dev-12-8 of NVIDIA), set CUDA_PATH to the toolkit's folder, or name the headers' folder with -I"
            : $"{header} was not found: name its folder with -I";
    }

    [GeneratedRegex("(?:could not|cannot) open source file \"(?<name>[^\"]+)\"")]
    private static partial Regex MissingHeader();

    [GeneratedRegex(@"(?:identifier|function) ""(?<name>cuda[A-Z]\w*|main)\b[^""]*"" (?:is undefined|was referenced but not defined)")]
    private static partial Regex HostCall();

    [GeneratedRegex(@"^(cuda\w*|cooperative_groups(/\w+)?|mma|curand_\w+|sm_\w+|device_\w+|vector_\w+|math_\w+|channel_descriptor|texture_\w+|surface_\w+|crt/\w+|cub/.+|thrust/.+|cuComplex)(\.h|\.hpp|\.cuh)?$")]
    private static partial Regex ToolkitHeader();
}
