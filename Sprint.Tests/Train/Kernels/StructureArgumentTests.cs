using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Engine.Cuda;
using Sprint.Train;

namespace Sprint.Tests.Train.Kernels;

/// <summary>Structures by value among the arguments of <c>kernels run</c>.</summary>
[TestFixture]
public sealed class StructureArgumentTests
{
    // y[i] = s.factor * s.in.x[i] below s.in.count, of struct { char tag; struct { const float* x; int count; } in; float factor; } s.
    private const string Scale = """
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry scale(.param .align 8 .b8 s[32], .param .u64 y)
        {
        .reg .pred %p; .reg .b32 %i, %n; .reg .f32 %f, %v; .reg .b64 %x, %y, %o;
        mov.u32 %i, %tid.x; ld.param.u32 %n, [s+16]; setp.ge.s32 %p, %i, %n; @%p bra END;
        ld.param.u64 %x, [s+8]; ld.param.f32 %f, [s+24]; ld.param.u64 %y, [y];
        mul.wide.u32 %o, %i, 4; add.u64 %x, %x, %o; add.u64 %y, %y, %o; ld.global.f32 %v, [%x]; mul.f32 %v, %v, %f; st.global.f32 [%y], %v;
        END: ret;
        }
        """;

    [TestCase("struct:{i32:7}", 4, 4, "0")]
    [TestCase("struct:{f32[1024]=ones,i32:7,f32:1.5}", 16, 8, "0 8 12")]
    [TestCase("struct:{i8:1,f32[4,128]=zeros,i8:2}", 24, 8, "0 8 16")]
    [TestCase("struct:{ i8:1 , i16:2 , i8:3 }", 6, 2, "0 2 4")]
    [TestCase("struct:{i32:1,f64:2,i8:3}", 24, 8, "0 8 16")]
    [TestCase("struct:{i8:1,struct:{i8:2,i32:3},i8:4}", 16, 4, "0 4 12")]
    [TestCase("struct:{i8:1,bytes:000000,f32:2}", 8, 4, "0 1 4")]
    [TestCase("struct:{bf16:1,bool:true,f16:2,u64:3}", 16, 8, "0 2 4 8")]
    public void Members_lie_where_Cpp_has_them(string text, int size, int alignment, string offsets)
    {
        var structure = (StructureArgument)KernelArgument.Parse(text);
        Assert.That((structure.Size, structure.Alignment, string.Join(' ', structure.Offsets)), Is.EqualTo((size, alignment, offsets)));
    }

    [TestCase("struct:", "is no structure: write struct:{ARG,ARG,...}")]
    [TestCase("struct:{i32:7", "is no structure: write struct:{ARG,ARG,...}")]
    [TestCase("struct:i32:7", "is no structure: write struct:{ARG,ARG,...}")]
    [TestCase("struct:{}", "has an empty member")]
    [TestCase("struct:{i32:7,}", "has an empty member")]
    [TestCase("struct:{i32:7}}", "has brackets that do not match")]
    [TestCase("struct:{f32[4=ones,i32:7}", "has brackets that do not match")]
    [TestCase("struct:{i32:7,f32:x}", "its member 'f32:x' has the value 'x', which is no number for f32")]
    [TestCase("struct:{i32:7,struct:{f32:1,half:2}}", "its member 'struct:{f32:1,half:2}': its member 'half:2' has the type 'half'")]
    [TestCase("struct:{nonsense}", "its member 'nonsense' is no argument")]
    public void A_mistake_names_the_member(string text, string sentence) =>
        Assert.That(() => KernelArgument.Parse(text), Throws.TypeOf<SprintException>().With.Message.StartsWith($"--arg '{text}'").And.Message.Contains(sentence));

    [Test]
    public void Structures_within_structures_have_an_end()
    {
        Assert.That(KernelArgument.Parse(Nested(16)).Size, Is.EqualTo(4));
        Assert.That(() => KernelArgument.Parse(Nested(100_000)), Throws.TypeOf<SprintException>().With.Message.Contains("has more than 16 structures within each other"));

        static string Nested(int levels) => string.Concat(Enumerable.Repeat("struct:{", levels)) + "i32:7" + new string('}', levels);
    }

    [Test]
    public void Buffers_of_a_structure_are_read_shown_saved_and_taken_again_by_argument_and_member()
    {
        using TemporaryFolder folder = new();
        string run = $"run {folder.Write("scale.ptx", Scale)} --grid 1 --block 64 --arg";
        string saved = Path.Combine(folder.Path, "out.safetensors");
        string output = Succeed($"{run} struct:{{i8:1,struct:{{f32[40]=iota,i32:40}},f32:0.5}} --arg f32[40]=poison --save {saved}");
        Assert.That(output, Does.Match(@"arg0\.1\.0 +f32\[40\] +0 +39 +19\.5 +0 +0").And.Match(@"arg1 +f32\[40\] +0 +19\.5 +9\.75 +0 +0").And.Contain("2 buffers are saved"));
        using (SafetensorsFile file = SafetensorsFile.Open(saved))
        {
            Assert.That(file.Entries.Select(static entry => entry.Name), Is.EqualTo(new[] { "arg0.1.0", "arg1" }));
            Assert.That(file.ReadFloats("arg0.1.0"), Is.EqualTo(Enumerable.Range(0, 40).Select(static i => (float)i)));
        }

        output = Succeed($"{run} struct:{{i8:1,struct:{{@{saved}#arg0.1.0,i32:40}},f32:2}} --arg f32[40]=poison");
        Assert.That(output, Does.Match(@"arg1 +f32\[40\] +0 +78 +39 +0 +0"));
        CommandResult fault = SprintCommand.Run(["kernels", .. $"{run} struct:{{i8:1,struct:{{f32[39]=ones,i32:40}},f32:2}} --arg f32[40]=poison".Split(' ')]);
        Assert.That(fault.ExitCode, Is.EqualTo(1), fault.Error);
        Assert.That(fault.Error, Does.Contain("ends 4 bytes behind the allocation of 156 bytes"));
    }

    [Test]
    public void A_race_through_a_pointer_of_a_structure_names_the_argument()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("race.ptx", """
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry race(.param .u32 n, .param .align 8 .b8 s[24])
            {
            .reg .b32 %b; .reg .b64 %x;
            ld.param.u64 %x, [s+8]; mov.u32 %b, %ctaid.x; st.global.u32 [%x], %b;
            ret;
            }
            """);
        CommandResult fault = SprintCommand.Run(["kernels", .. $"run {path} --grid 4 --block 1 --arg i32:1 --arg struct:{{i32:1,i32[1]=poison,f32:1}}".Split(' ')]);
        Assert.That(fault.ExitCode, Is.EqualTo(1), fault.Error);
        Assert.That(fault.Error, Does.StartWith("A race in global memory: a store of 4 bytes").And.Contain("(argument 1)"));
    }

    [Test]
    public void Members_of_a_structure_have_normal_numbers_of_their_own()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("none.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry none(.param .u64 x, .param .align 8 .b8 s[16], .param .u64 y)\n{\nret;\n}\n");
        string saved = Path.Combine(folder.Path, "out.safetensors");
        float[][] numbers = [.. new[] { "1", "2" }.Select(Draw).SelectMany(static drawn => drawn)];
        Assert.That(numbers.Select(static drawn => drawn[0]).Distinct().Count(), Is.EqualTo(8));

        float[][] Draw(string seed)
        {
            Succeed($"run {path} --grid 1 --block 1 --arg f32[9]=normal --arg struct:{{f32[9]=normal,f32[9]=normal}} --arg f32[9]=normal --seed {seed} --save {saved}");
            using SafetensorsFile file = SafetensorsFile.Open(saved);
            return [.. new[] { "arg0", "arg1.0", "arg1.1", "arg2" }.Select(file.ReadFloats)];
        }
    }

    [TestCase("struct:{f32[40]=ones,i32:40}", "argument 0 'struct:{f32[40]=ones,i32:40}' is a structure of 16 bytes with members at 0, 8, but parameter 0 of scale is 32 bytes", "write members that take 32 bytes, bytes:00 for one of padding")]
    [TestCase("struct:{f32[40]=ones,i32:40} --arg struct:{f32[4]=zeros}", "argument 0")]
    [TestCase("f32[40]=ones", "is a buffer of f32, but parameter 0 of scale is 32 bytes", "write struct:{ARG,ARG,...} of 32 bytes, or bytes: and 64 hexadecimal digits")]
    public void A_structure_of_another_size_is_named_with_both(string argument, params string[] parts)
    {
        using TemporaryFolder folder = new();
        string line = $"run {folder.Write("scale.ptx", Scale)} --grid 1 --block 64 --arg {argument}{(argument.Contains("--arg", StringComparison.Ordinal) ? "" : " --arg f32[40]=poison")}";
        SprintCommand.Refuse(["kernels", .. line.Split(' ')], parts);
    }

    [Test]
    public void The_compiler_lays_a_structure_out_in_the_same_way()
    {
        CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string path = folder.Write("k.cu", """
            struct Inner { char a; double* x; short b; };
            struct Outer { bool flag; Inner in; float f; char c; };
            extern "C" __global__ void k(int first, Outer s, int* y) { y[0] = first + s.flag + s.in.a + (int)s.in.x[1] + s.in.b + (int)s.f + s.c; }
            """);
        const string Structure = "struct:{bool:true,struct:{i8:2,f64[2]=iota,i16:3},f32:4,i8:5}";
        string run = $"run {path} --grid 1 --block 1 --arg i32:10 --arg";
        Assert.That(Succeed($"{run} {Structure} --arg i32[1]=poison"), Does.Match(@"arg2 +i32\[1\] +26 +26 +26 "));
        SprintCommand.Refuse(
            ["kernels", .. $"{run} struct:{{i32:1}} --arg i32[1]=poison".Split(' ')],
            "argument 1 'struct:{i32:1}' is a structure of 4 bytes with members at 0, but parameter 1 of k(int first, Outer s, int* y) is of type Outer (40 bytes): write members that take 40 bytes");
        SprintCommand.Refuse(
            ["kernels", .. $"{run} {Structure} --arg struct:{{i32[1]=poison}}".Split(' ')],
            "argument 2 'struct:{i32[1]=poison}' is a structure by value, but parameter 2 of k(int first, Outer s, int* y) is of type int*: write i32[1024]=zeros");
    }

    [Test]
    public void An_array_of_structures_is_a_buffer_of_its_bytes()
    {
        CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string path = folder.Write("points.cu", """
            struct Point { float x; short kind; double mass; };
            extern "C" __global__ void make(Point* p) { p[threadIdx.x] = Point{threadIdx.x * 0.5f, (short)threadIdx.x, 2.0}; }
            extern "C" __global__ void weigh(const Point* p, float* y) { y[threadIdx.x] = p[threadIdx.x].x + p[threadIdx.x].kind + (float)p[threadIdx.x].mass; }
            """);
        string saved = Path.Combine(folder.Path, "points.safetensors");
        string launch = "--grid 1 --block 4 --arg";
        Assert.That(Succeed($"run {path} --kernel make {launch} u8[64]=poison --save {saved}"), Does.Match(@"arg0 +u8\[64\] .* 0 +8 "), "padding is never written");
        Assert.That(Succeed($"run {path} --kernel weigh {launch} u8[64]@{saved}#arg0 --arg f32[4]=poison"), Does.Match(@"arg1 +f32\[4\] +2 +6\.5 +4\.25 "));
        SprintCommand.Refuse(
            ["kernels", .. $"run {path} --kernel weigh {launch} struct:{{f32:1,i16:2,f64:3}} --arg f32[4]=poison".Split(' ')],
            "is a structure by value, but parameter 0 of weigh(const Point* p, float* y) is of type const Point*: write the bytes of an array of structures, as in u8[16]@FILE.safetensors#NAME");
    }

    private static string Succeed(string line) => SprintCommand.Succeed(["kernels", .. line.Split(' ')]);
}
