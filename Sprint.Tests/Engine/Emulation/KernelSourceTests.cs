using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>The PTX beside each kernel source is what NVRTC 11.8 makes of it.</summary>
public sealed partial class KernelSourceTests
{
    [TestCase("ordinary")]
    [TestCase("bugs")]
    [TestCase("language")]
    [TestCase("styles")]
    [TestCase("idioms")]
    [TestCase("recipes")]
    [TestCase("races")]
    [TestCase("warps")]
    [TestCase("lanes")]
    [TestCase("shuffles")]
    [TestCase("schedules")]
    [TestCase("variables")]
    [TestCase("copies")]
    [TestCase("emulator")]
    public void The_ptx_is_up_to_date(string name)
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        if (compiler.Version.ToString() is not "11.8")
            Assert.Inconclusive($"NVRTC {compiler.Version} writes other PTX than 11.8.");
        CudaSource source = new($"{name}.cu", string.Join('\n', EmulatorHarness.Source(name)));
        ReadOnlySpan<byte> image = compiler.Compile(source, new CudaCompilerOptions()).Image.Span;
        string ptx = Encoding.UTF8.GetString(image.TrimEnd((byte)0));
        Assert.That(Lines(ptx), Is.EqualTo(Lines(EmulatorHarness.Resource(name))), $"Compile {name}.cu with {string.Join(' ', new CudaCompilerOptions().ToArguments())} and keep the result as {name}.ptx.");
    }

    // Comments and prototypes number the calls of a whole process.
    private static string[] Lines(string ptx) => [.. ptx.TrimEnd().Split('\n').Select(line => Prototype().Replace(line.Split("//")[0].TrimEnd(), "prototype"))];

    [GeneratedRegex(@"prototype_\d+")]
    private static partial Regex Prototype();
}
