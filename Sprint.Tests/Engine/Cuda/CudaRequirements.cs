using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// What a test needs of the machine: NVIDIA's libraries, which CI installs (.ci/install-nvrtc), or a GPU. Where it is missing the test is
/// ignored, with a reason that names it, and the run's last line counts it as skipped. Tests of operations and kernels on <c>cpu</c> and
/// <c>emulated</c> need none of it and never skip: the kernels come as PTX with the project.
/// </summary>
internal static class CudaRequirements
{
    private static readonly Lock Gate = new();
    private static CudaContext? held;

    /// <summary>NVRTC, or an ignored test: of what only the compiler shows.</summary>
    public static CudaRuntimeCompiler RequireNvrtc()
    {
        if (!CudaRuntimeCompiler.TryLoad(out CudaRuntimeCompiler? compiler, out string? reason))
        {
            Assert.Ignore($"needs NVRTC: {reason}");
        }

        return compiler!;
    }

    /// <summary>The library's handle, or an ignored test.</summary>
    public static nint RequireLibrary(CudaLibrary library)
    {
        if (!CudaLibraryFinder.System.TryLoad(library, out nint handle))
        {
            Assert.Ignore($"needs {library.LinuxNames[0]}: it is not installed");
        }

        return handle;
    }

    /// <summary>
    /// A GPU, or an ignored test. One context is held for the life of the process: without it the driver would build up and tear down the device's own, a second
    /// of work, with each device that a test opens. Each test finds the memory given back; a context that a fault lost is let go.
    /// </summary>
    public static CudaContext RequireGpu()
    {
        lock (Gate)
        {
            try
            {
                held?.Synchronize();
                held?.TrimMemoryPool();
            }
            catch (CudaException failure) when (failure.IsContextLost)
            {
                held!.Dispose();
                held = null;
            }

            try
            {
                held ??= new CudaContext(0);
                return new CudaContext(0);
            }
            catch (SprintException missing)
            {
                Assert.Ignore($"needs a GPU: {missing.Message}");
                throw;
            }
        }
    }
}
