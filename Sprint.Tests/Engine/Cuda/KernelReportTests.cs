using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class KernelReportTests
{
    private const string Source = """
        extern "C" __global__ void __launch_bounds__(128) bounded(float* x) { x[threadIdx.x] = 1; }
        extern "C" __global__ void free_size(float* x) { __shared__ float s[12288]; s[threadIdx.x] = x[threadIdx.x]; __syncthreads(); x[threadIdx.x] = s[threadIdx.x ^ 1]; }
        """;

    [Test]
    public void TheBlockIsThatOfTheLaunchBoundsAndOccupancyFollowsFromTheResources()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CompiledProgram program = compiler.Compile(new CudaSource("k.cu", Source), new CudaCompilerOptions { Target = CudaTarget.Cubin(80) });
        IReadOnlyList<KernelReport> reports = KernelReport.Of(program);
        KernelReport bounded = reports.Single(static report => report.Kernel.Mangled == "bounded");
        KernelReport free = reports.Single(static report => report.Kernel.Mangled == "free_size");
        Assert.That((bounded.BlockThreads, free.BlockThreads), Is.EqualTo((128, KernelReport.CustomaryBlockThreads)));
        Assert.That(bounded.Occupancy, Is.EqualTo(new CudaOccupancy(16, 64, 64)));
        Assert.That(free.Occupancy, Is.EqualTo(new CudaOccupancy(3, 24, 64)), "164 KiB hold three blocks of 48 KiB and one reserved");
        Assert.That(KernelReport.Of(program, 1024).Single(static report => report.Kernel.Mangled == "bounded").BlockThreads, Is.EqualTo(128));
        Assert.That(KernelReport.Of(program, 64, 65536).Single(static report => report.Kernel.Mangled == "bounded").Occupancy.Blocks, Is.EqualTo(2));
    }

    [Test]
    public void PtxHasNoReport() => Assert.That(
        static () => KernelReport.Of(new CompiledProgram { Target = CudaTarget.Ptx(80), Image = default }),
        Throws.InstanceOf<SprintException>().With.Message.EqualTo("PTX (compute_80) has no registers yet: ask for a report of machine code, e.g. of sm_80."));
}
