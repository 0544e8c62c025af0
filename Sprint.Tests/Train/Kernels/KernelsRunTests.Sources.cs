using System.Text.Json;
using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Train.Kernels;

/// <content>CUDA sources, which NVRTC compiles.</content>
public sealed partial class KernelsRunTests
{
    private const string Copy = """
        extern "C" __global__ void copy(const float* x, float* y, float factor, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i == 1) printf("one is %f\n", x[i]);
            if (i < n) y[i] = factor * x[i];
        }
        """;

    [Test]
    public void A_source_is_compiled_run_and_may_print()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("copy.cu", Copy);
        string output = Succeed($"run {path} --grid 2 --block 32 --arg f32[50]=iota --arg f32[50]=poison --arg f32:0.5 --arg i32:50");
        Assert.That(output, Does.Contain("one is 1.000000"));
        Assert.That(Row(output, "arg1"), Is.EqualTo("arg1 f32[50] 0 24.5 12.25 0 0"));
        SprintCommand.Refuse(["kernels", .. Split($"run {path} --grid 2 --block 32 --arg f32[50]=iota")], "copy(const float* x, float* y, float factor, int n) takes 4 arguments, but 1 is given");
        using JsonDocument json = JsonDocument.Parse(Succeed($"profile {path} --grid 2 --block 32 --arg f32[50]=iota --arg f32[50]=poison --arg f32:0.5 --arg i32:50 --json"));
        Assert.That(json.RootElement.GetProperty("printed").GetString(), Is.EqualTo("one is 1.000000\n"));
        Assert.That(json.RootElement.GetProperty("single_flops").GetInt64(), Is.EqualTo(50));
    }

    [TestCase("")]
    [TestCase("#include \"sm_61_intrinsics.h\"\n")]
    [TestCase("#include \"sm_61_intrinsics.hpp\"\n")]
    [TestCase("namespace own { __device__ int __dp4a(int a, int b, int c) { return a * b * c; } }\n")]
    public void Dot_products_of_bytes_need_no_header(string first)
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("dot.cu", first + """
            extern "C" __global__ void dot(int a, int b, int* y)
            {
                unsigned ua = a, ub = b;
                char4 ca = reinterpret_cast<char4&>(a), cb = reinterpret_cast<char4&>(b);
                uchar4 va = reinterpret_cast<uchar4&>(a), vb = reinterpret_cast<uchar4&>(b);
                short2 sa = reinterpret_cast<short2&>(a);
                ushort2 ta = reinterpret_cast<ushort2&>(a);
                y[0] = __dp4a(a, b, -5), y[1] = __dp4a(ca, cb, -5), y[2] = __dp4a(ua, ub, 5u), y[3] = __dp4a(va, vb, 5u);
                y[4] = __dp2a_lo(a, b, -5), y[5] = __dp2a_lo(sa, cb, -5), y[6] = __dp2a_lo(ua, ub, 5u), y[7] = __dp2a_lo(ta, vb, 5u);
                y[8] = __dp2a_hi(a, b, -5), y[9] = __dp2a_hi(sa, cb, -5), y[10] = __dp2a_hi(ua, ub, 5u), y[11] = __dp2a_hi(ta, vb, 5u);
            }
            """);
        (uint a, uint b) = (0x81f3057f, 0x7e8002c1);
        string saved = Path.Combine(folder.Path, "out.safetensors");
        Succeed($"run {path} --grid 1 --block 1 --arg i32:{(int)a} --arg i32:{(int)b} --arg i32[12]=poison --save {saved}");
        int[] bytes = [0, 1, 2, 3];
        int signed = bytes.Sum(k => (sbyte)(a >> (8 * k)) * (sbyte)(b >> (8 * k))) - 5, unsigned = bytes.Sum(k => (byte)(a >> (8 * k)) * (byte)(b >> (8 * k))) + 5;
        (int Signed, int Unsigned) low = Halves(0), high = Halves(2);
        using SafetensorsFile file = SafetensorsFile.Open(saved);
        Assert.That(file.ReadInt32("arg2"), Is.EqualTo(new[] { signed, signed, unsigned, unsigned, low.Signed, low.Signed, low.Unsigned, low.Unsigned, high.Signed, high.Signed, high.Unsigned, high.Unsigned }));

        (int Signed, int Unsigned) Halves(int from) => (
            ((short)a * (sbyte)(b >> (8 * from))) + ((short)(a >> 16) * (sbyte)(b >> (8 * (from + 1)))) - 5,
            ((ushort)a * (byte)(b >> (8 * from))) + ((ushort)(a >> 16) * (byte)(b >> (8 * (from + 1)))) + 5);
    }

    [Test]
    public void A_definition_of_a_dot_product_that_a_file_has_for_itself_counts()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("own.cu", "__device__ int __dp4a(int a, int b, int c) { return a + b + c; }\nextern \"C\" __global__ void own(int* y) { y[0] = __dp4a(100, 20, 3); }");
        Assert.That(Row(Succeed($"run {path} --grid 1 --block 1 --arg i32[1]=poison"), "arg0"), Is.EqualTo("arg0 i32[1] 123 123 123 0 0"));
    }

    [Test]
    public void A_source_of_the_engine_runs_by_its_name_where_no_file_has_it()
    {
        CudaRequirements.RequireNvrtc();
        const string Run = "run random.cu --kernel random_uniform --grid 1 --block 256";
        const string Arguments = "--arg i64:1000 --arg u64:1 --arg u64:0 --arg u64:0";
        const string Told = "there is no file random.cu: the engine's own source of that name is taken";
        string before = Environment.CurrentDirectory;
        try
        {
            Environment.CurrentDirectory = folder.Path;
            CommandResult whole = this.Run($"{Run} --arg f32[1000]=poison {Arguments}");
            Assert.That((whole.ExitCode, whole.Error.TrimEnd()), Is.EqualTo((0, Told)));
            Assert.That(Row(whole.Output, "arg0"), Does.Match(@"^arg0 f32\[1000\] 0\.000\d+ 0\.99\d+ 0\.49\d+ 0 0$"));

            CommandResult fault = this.Run($"{Run} --arg f32[990]=poison {Arguments}");
            Assert.That(fault.ExitCode, Is.EqualTo(1));
            Assert.That(fault.Error, Does.StartWith(Told).And.Contain("inlined at random.cu:").And.Match(@"  random\.cu:\d+: store_four\(output, block"));

            folder.Write("mine/common/philox.cuh", "#error of mine\n");
            Assert.That(this.Run($"{Run} --sources mine --arg f32[1000]=poison {Arguments}").Error, Does.Contain("error: #error directive: of mine"));
            folder.Write("random.cu", "extern \"C\" __global__ void random_uniform(int* x) { x[0] = 7; }");
            Assert.That(Row(Succeed($"{Run} --arg i32[1]=poison"), "arg0"), Is.EqualTo("arg0 i32[1] 7 7 7 0 0"));
            SprintCommand.Refuse(["kernels", .. Split($"{Run} --sources mine --arg i32[1]=poison")], "--sources mine is for the engine's kernels, and random.cu is a file of your own");
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    [Test]
    public void A_compilation_error_shows_the_compilers_log()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("wrong.cu", "#define KIND\n__global__ void k(float* x) {\n  x[0] = nothing;\n  y = 1;\n}");
        CommandResult result = Run($"run {path} --grid 1 --block 1");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain($"{path}(3): error: identifier \"nothing\" is undefined").And.Contain($"{path}(4): error"));
        Assert.That(result.Error, Does.Not.Contain("   at "));
    }

    [Test]
    public void Macros_are_taken_joined_or_apart()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("macro.cu", "extern \"C\" __global__ void k(int* x) { x[0] = A + B + C; }");
        Assert.That(Row(Succeed($"run {path} --grid 1 --block 1 -DA=4 -D B=30 -DC --arg i32[1]=poison"), "arg0"), Is.EqualTo("arg0 i32[1] 35 35 35 0 0"));
    }
}
