using System.Text;
using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class KernelImageReaderTests
{
    private const string Source = """
        struct Parameters { float a[3]; double b; };
        extern "C" __global__ void many(float* x, const float* y, float a, int n, Parameters p, char c, unsigned long long s, short h) { x[n] = a + p.b + c + s + h + y[0]; }
        extern "C" __global__ void none() { }
        """;

    private static readonly (int Offset, int Size)[] Layout = [(0, 8), (8, 8), (16, 4), (20, 4), (24, 24), (48, 1), (56, 8), (64, 2)];

    [Test]
    public void ParametersOfPtxAreRead()
    {
        const string Ptx = """
            .visible .entry other(.param .u64 other_param_0) { ret; }
            .visible .entry many(
            	.param .u64 many_param_0,
            	.param .u64 .ptr .global .align 16 many_param_1,
            	.param .f32 many_param_2,
            	.param .align 8 .b8 many_param_3[24],
            	.param .u8 many_param_4
            )
            .maxntid 256, 1, 1
            { ret; }
            .visible .entry many2() { ret; }
            """;
        Assert.That(KernelImageReader.TryReadParameters(Encoding.UTF8.GetBytes(Ptx), "many", out KernelParameter[]? parameters), Is.True);
        Assert.That(
            parameters,
            Is.EqualTo(new[]
            {
                new KernelParameter(0, 8, KernelParameterKind.IntegerOrPointer),
                new KernelParameter(8, 8, KernelParameterKind.IntegerOrPointer),
                new KernelParameter(16, 4, KernelParameterKind.FloatingPoint),
                new KernelParameter(24, 24, KernelParameterKind.Bytes),
                new KernelParameter(48, 1, KernelParameterKind.IntegerOrPointer),
            }));
        Assert.That(KernelImageReader.TryReadParameters(Encoding.UTF8.GetBytes(Ptx), "many2", out parameters), Is.True);
        Assert.That(parameters, Is.Empty);
        Assert.That(KernelImageReader.TryReadParameters(Encoding.UTF8.GetBytes(Ptx), "man", out _), Is.False);
    }

    [Test]
    public void ParametersOfCompiledImagesAreRead([Values] CudaImageKind kind, [Values(80, 90)] int architecture)
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        CompiledProgram program = compiler.Compile(new CudaSource("many.cu", Source), new CudaCompilerOptions { Target = new CudaTarget(kind, architecture) });
        Assert.That(KernelImageReader.TryReadParameters(program.Image.Span, "many", out KernelParameter[]? many), Is.True);
        Assert.That(many!.Select(static parameter => (parameter.Offset, parameter.Size)), Is.EqualTo(Layout));
        Assert.That(KernelImageReader.TryReadParameters(program.Image.Span, "none", out KernelParameter[]? none), Is.True);
        Assert.That(none, Is.Empty);
        Assert.That(KernelImageReader.TryReadParameters(program.Image.Span, "absent", out _), Is.False);
    }

    [Test]
    public void TruncatedAndCorruptCubinsAreReadWithoutACrash()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        byte[] image = compiler.Compile(new CudaSource("many.cu", Source), new CudaCompilerOptions { Target = CudaTarget.Cubin(80), LineInformation = false }).Image.ToArray();
        KernelImageReader.TryReadParameters(image, "many", out KernelParameter[]? whole);
        Assert.That(KernelImageReader.TryReadParameters(image.AsSpan(0, image.Length / 2), "many", out _), Is.False);
        for (int length = 0; length < image.Length; length += 7)
        {
            if (KernelImageReader.TryReadParameters(image.AsSpan(0, length), "many", out KernelParameter[]? part))
            {
                Assert.That(part, Is.EqualTo(whole));
            }
        }

        Random random = new(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] broken = (byte[])image.Clone();
            broken[random.Next(64)] = (byte)random.Next(256);
            broken[random.Next(image.Length)] = (byte)random.Next(256);
            Assert.That(() => KernelImageReader.TryReadParameters(broken, "many", out _), Throws.Nothing);
        }
    }
}
