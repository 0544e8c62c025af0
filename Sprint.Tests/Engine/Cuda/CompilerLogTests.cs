using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class CompilerLogTests
{
    private const string Report = """
        token_drop.cu(3): warning #177-D: variable "unused" was declared but never referenced

        ptxas info    : 12 bytes gmem, 8 bytes cmem[3]
        ptxas info    : Compiling entry function 'first' for 'sm_90'
        ptxas info    : Function properties for helper
        ptxas         .     64 bytes stack frame, 60 bytes spill stores, 56 bytes spill loads
        ptxas info    : Function properties for first
        ptxas         .     16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
        ptxas info    : Used 40 registers, used 1 barriers, 16 bytes cumulative stack size, 2048+16 bytes smem, 400 bytes cmem[0], 20 bytes cmem[2]
        ptxas info    : Compile time = 12.5 ms
        ptxas info    : Compiling entry function 'second' for 'sm_90'
        ptxas info    : Function properties for second
        ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
        ptxas info    : Used 8 registers, 352 bytes cmem[0]
        """;

    [Test]
    public void AssemblerReportIsReadKernelByKernel() => Assert.That(
        KernelResources.Parse(Report),
        Is.EqualTo(new[]
        {
            new KernelResources("first", "sm_90", 40, 16, 4, 8, 2048, 420),
            new KernelResources("second", "sm_90", 8, 0, 0, 0, 0, 352),
        }));

    [Test]
    public void MessagesAreLeftWhenTheReportIsTakenAway() =>
        Assert.That(KernelResources.StripReport(Report), Is.EqualTo("token_drop.cu(3): warning #177-D: variable \"unused\" was declared but never referenced"));

    [TestCase("a.cu(12): error: expected a \";\"", "a.cu", 12, CudaDiagnosticSeverity.Error, "expected a \";\"")]
    [TestCase("dir/b.cuh(3): warning #20-D: odd", "dir/b.cuh", 3, CudaDiagnosticSeverity.Warning, "odd")]
    [TestCase("C:/my kernels/c.cu(4): error: bad", "C:/my kernels/c.cu", 4, CudaDiagnosticSeverity.Error, "bad")]
    [TestCase("d.cu(1): catastrophic error: cannot open source file \"x\"", "d.cu", 1, CudaDiagnosticSeverity.Error, "cannot open source file \"x\"")]
    [TestCase("At end of source: error: expected a \"}\"", "", 0, CudaDiagnosticSeverity.Error, "expected a \"}\"")]
    [TestCase("nvrtc: error: invalid value for --gpu-architecture (-arch)", "", 0, CudaDiagnosticSeverity.Error, "invalid value for --gpu-architecture (-arch)")]
    [TestCase("ptxas error   : Entry function 'f' uses too much shared data", "", 0, CudaDiagnosticSeverity.Error, "Entry function 'f' uses too much shared data")]
    [TestCase("ptxas warning : Stack size is not known", "", 0, CudaDiagnosticSeverity.Warning, "Stack size is not known")]
    public void MessagesAreRead(string log, string file, int line, CudaDiagnosticSeverity severity, string message) =>
        Assert.That(CudaDiagnostic.Parse(log), Is.EqualTo(new[] { new CudaDiagnostic(file, line, severity, message) }));

    [Test]
    public void SummaryLineIsNoMessage() => Assert.That(CudaDiagnostic.Parse("4 errors detected in the compilation of \"a.cu\".\n"), Is.Empty);
}
