using System.Text;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class CudaRuntimeCompilerTests
{
    private const string Scale = """
        #include "factor.cuh"
        template <typename T> __global__ void scale(T* x, int n) {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i < n) x[i] *= FACTOR * OFFSET;
        }
        extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; }
        """;

    private static CudaSource Source(string text) =>
        new("scale.cu", text) { Headers = new Dictionary<string, string> { ["factor.cuh"] = "#define FACTOR 3\n" } };

    [Test]
    public void VersionAndArchitecturesAreKnown()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        Assert.That(compiler.Version, Is.GreaterThanOrEqualTo(CudaRuntimeCompiler.MinimumVersion));
        Assert.That(compiler.SupportedArchitectures, Does.Contain(80).And.Contain(90).And.Ordered);
    }

    [Test]
    public void PtxHasHeadersMacrosAndInstantiatedTemplates()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CompiledProgram program = compiler.Compile(
            Source(Scale), new CudaCompilerOptions { Macros = [new CudaMacro("OFFSET", "7")], NameExpressions = ["scale<double>"] });
        string ptx = Encoding.UTF8.GetString(program.Image.Span);
        Assert.That(ptx, Does.Contain(".target sm_80"));
        Assert.That(ptx, Does.Contain($".entry {program.LoweredNames["scale<double>"]}("));
        Assert.That(ptx, Does.Contain("0d4035000000000000"), "21.0, the product of header and macro");
        Assert.That(ptx, Does.Not.EndWith("\0"));
        Assert.That(program.Resources, Is.Empty);
    }

    [Test]
    public void PtxDoesNotDependOnTheCurrentFolder()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CompiledProgram program = compiler.Compile(Source("#define OFFSET 1\n" + Scale), new CudaCompilerOptions());
        string ptx = Encoding.UTF8.GetString(program.Image.Span);
        Assert.That(ptx, Does.Contain("\"scale.cu\""));
        Assert.That(ptx, Does.Not.Contain(Environment.CurrentDirectory));
    }

    [Test]
    public void CubinReportsRegistersSpillsAndSharedMemory()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        const string Text = """
            extern "C" __global__ void small(float* x) { __shared__ float s[64]; s[threadIdx.x] = x[threadIdx.x]; __syncthreads(); x[threadIdx.x] = s[63 - threadIdx.x]; }
            extern "C" __global__ void __launch_bounds__(1024, 2) large(float* x, int n) {
                float v[96];
                #pragma unroll
                for (int i = 0; i < 96; i++) v[i] = x[i * n];
                __syncthreads();
                #pragma unroll
                for (int i = 0; i < 96; i++) x[i * n + 1] = v[95 - i] * v[i];
            }
            """;
        CompiledProgram program = compiler.Compile(new CudaSource("resources.cu", Text), new CudaCompilerOptions { Target = CudaTarget.Cubin(80) });
        Assert.That(KernelImageReader.IsElf(program.Image.Span), Is.True);
        KernelResources small = program.Resources.Single(static kernel => kernel.Kernel == "small");
        KernelResources large = program.Resources.Single(static kernel => kernel.Kernel == "large");
        Assert.That(small.Architecture, Is.EqualTo("sm_80"));
        Assert.That(small.SharedBytes, Is.EqualTo(256));
        Assert.That(small.Registers, Is.InRange(1, 64));
        Assert.That((small.StackBytes, small.SpillStoreBytes, small.SpillLoadBytes), Is.EqualTo((0, 0, 0)));
        Assert.That(large.Registers, Is.EqualTo(32));
        Assert.That(large.SpillStoreBytes, Is.Positive);
        Assert.That(large.SpillLoadBytes, Is.Positive);
        Assert.That(program.Log, Is.Empty);
    }

    [Test]
    public void WarningsOfASuccessfulCompilationSurface()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CompiledProgram program = compiler.Compile(
            new CudaSource("warns.cu", "extern \"C\" __global__ void f(int* x) {\n  int unused = 1;\n  x[0] = 2;\n}\n"),
            new CudaCompilerOptions { Target = CudaTarget.Cubin(80) });
        CudaDiagnostic warning = program.Diagnostics.Single();
        Assert.That((warning.File, warning.Line, warning.Severity), Is.EqualTo(("warns.cu", 2, CudaDiagnosticSeverity.Warning)));
        Assert.That(warning.Message, Does.Contain("unused"));
    }

    [Test]
    public void ErrorsNameFileAndLineAlsoInHeaders()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CudaSource source = new("broken.cu", "#include \"deep/inner.cuh\"\nextern \"C\" __global__ void f(int* x) {\n  x[0] = missing;\n}\n")
        {
            Headers = new Dictionary<string, string> { ["deep/inner.cuh"] = "\n\nint* wrong = nothing;\n" },
        };
        CudaCompilationException failure = Assert.Throws<CudaCompilationException>(() => compiler.Compile(source, new CudaCompilerOptions()))!;
        Assert.That(failure.Message, Does.StartWith("broken.cu does not compile at deep/inner.cuh(3):"));
        Assert.That(failure.Message, Does.Contain("broken.cu(3): error: identifier \"missing\" is undefined"));
        Assert.That(failure.Diagnostics.Select(static message => (message.File, message.Line)), Does.Contain(("broken.cu", 3)).And.Contain(("deep/inner.cuh", 3)));
        Assert.That(failure.ErrorName, Is.EqualTo("NVRTC_ERROR_COMPILATION"));
    }

    [Test]
    public void TooMuchSharedMemoryIsNamedAlsoWhereTheCompilerKeepsSilent()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CudaCompilationException failure = Assert.Throws<CudaCompilationException>(() => compiler.Compile(
            new CudaSource("shared.cu", "extern \"C\" __global__ void f(float* x) { __shared__ float s[20000]; s[threadIdx.x] = x[0]; __syncthreads(); x[0] = s[threadIdx.x * 3]; }"),
            new CudaCompilerOptions { Target = CudaTarget.Cubin(80) }))!;
        Assert.That(failure.Message, Does.Contain("kernel f declares 80000 bytes of static shared memory").Or.Contain("uses too much shared data"));
    }

    [Test]
    public void MissingHeaderIsNamedWithTheLineThatIncludesIt()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CudaCompilationException failure = Assert.Throws<CudaCompilationException>(
            () => compiler.Compile(new CudaSource("a.cu", "\n#include \"none.cuh\"\n"), new CudaCompilerOptions()))!;
        Assert.That(failure.Message, Does.StartWith("a.cu does not compile at a.cu(2):"));
        Assert.That(failure.Log, Does.Contain("none.cuh"));
    }

    [Test]
    public void UnknownOptionsAndArchitecturesAreRefusedByName()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CudaSource source = new("a.cu", "");
        Assert.That(
            Assert.Throws<CudaException>(() => compiler.Compile(source, new CudaCompilerOptions { Additional = ["--no-such-option"] })).Message,
            Does.Contain("no-such-option").And.Contain("nvrtcCompileProgram"));
        Assert.That(
            Assert.Throws<SprintException>(() => compiler.Compile(source, new CudaCompilerOptions { Target = CudaTarget.Cubin(33) })).Message,
            Does.Contain("does not know sm_33").And.Contain("80"));
        Assert.That(
            Assert.Throws<CudaCompilationException>(() => compiler.Compile(source, new CudaCompilerOptions { NameExpressions = ["no_such<int>"] })).Message,
            Does.Contain("no_such"));
    }

    [Test]
    public void ProgramsCompileOnSeveralThreadsAtOnce()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        byte[][] images = new byte[4][];
        Parallel.For(0, images.Length, i => images[i] = compiler.Compile(Source("#define OFFSET 5\n" + Scale), new CudaCompilerOptions()).Image.ToArray());
        Assert.That(images, Has.All.EqualTo(images[0]));
    }
}
