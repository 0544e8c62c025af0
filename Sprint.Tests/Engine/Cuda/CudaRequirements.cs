using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// What a test needs of the machine. CI installs NVRTC, libcuda and cuBLAS (.ci/install-nvrtc); a user may not have them, and is then told so:
/// such a test is inconclusive, never silently passed. Only a missing GPU makes a test ignored.
/// </summary>
internal static class CudaRequirements
{
    /// <summary>NVRTC, or an inconclusive test with the reason.</summary>
    public static CudaRuntimeCompiler RequireNvrtc()
    {
        if (!CudaRuntimeCompiler.TryLoad(out CudaRuntimeCompiler? compiler, out string? reason))
        {
            Assert.Inconclusive(reason);
        }

        return compiler!;
    }

    /// <summary>The library's handle, or an inconclusive test with the reason.</summary>
    public static nint RequireLibrary(CudaLibrary library)
    {
        if (!CudaLibraryFinder.System.TryLoad(library, out nint handle))
        {
            Assert.Inconclusive($"{library.LinuxNames[0]} is not installed.");
        }

        return handle;
    }

    /// <summary>A GPU, or an ignored test.</summary>
    public static CudaContext RequireGpu()
    {
        try
        {
            return new CudaContext(0);
        }
        catch (SprintException missing)
        {
            Assert.Ignore(missing.Message);
            throw;
        }
    }
}
