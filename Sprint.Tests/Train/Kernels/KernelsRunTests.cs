using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Engine.Cuda;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Train.Kernels;

/// <summary>The commands <c>kernels run</c> and <c>kernels profile</c>, mostly on PTX, which needs no compiler.</summary>
[TestFixture]
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

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Write()
    {
        folder = new TemporaryFolder();
        folder.Write("bugs.ptx", EmulatorHarness.Resource("bugs"));
        folder.Write("hostile.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<99999999999>;\nret;\n}\n");
        folder.Write("broken.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\nfly away;\n}\n");
        folder.Write("no.ptx", "int main() {}");
        folder.Write("great.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n.shared .align 4 .b8 s[80000];\nret;\n}\n");
    }

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Buffers_are_summarised_and_saved_by_their_argument()
    {
        string saved = Path.Combine(folder.Path, "out.safetensors");
        string output = Succeed("run {bugs} --kernel off_by_one_repaired --grid 2 --block 64 --arg i32[100]=iota --arg i32[101]=poison --arg i32:100 --save " + saved);
        Assert.That(Row(output, "arg0"), Is.EqualTo("arg0 i32[100] 0 99 49.5 0 0"));
        Assert.That(Row(output, "arg1"), Is.EqualTo("arg1 i32[101] 0 99 49.5 0 1"), "one element is never written");
        using SafetensorsFile file = SafetensorsFile.Open(saved);
        Assert.That(file.Entries.Select(static entry => entry.Name), Is.EqualTo(new[] { "arg0", "arg1" }));
        Assert.That(file.ReadInt32("arg1").Take(100), Is.EqualTo(Enumerable.Range(0, 100)));
    }

    [Test]
    public void A_saved_buffer_is_an_argument_with_its_own_type_and_shape()
    {
        string saved = Path.Combine(folder.Path, "out.safetensors");
        const string Launch = "run {bugs} --kernel off_by_one_repaired --grid 2 --block 64";
        Succeed($"{Launch} --arg i32[10,10]=iota --arg i32[100]=poison --arg i32:100 --save {saved}");
        Assert.That(Row(Succeed($"{Launch} --arg @{saved}#arg0 --arg i32[100]=poison --arg i32:100"), "arg0"), Is.EqualTo("arg0 i32[10,10] 0 99 49.5 0 0"));
    }

    [Test]
    public void A_schedule_of_its_own_changes_the_order_of_warps_and_no_number()
    {
        folder.Write("order.ptx", """
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry order(.param .u64 counter, .param .u64 order, .param .u64 numbers)
            {
            .reg .pred %p; .reg .b32 %t, %u; .reg .b64 %c, %o, %b;
            ld.param.u64 %c, [counter]; ld.param.u64 %o, [order];
            mov.u32 %t, %tid.x; and.b32 %u, %t, 31; setp.ne.u32 %p, %u, 0; @%p bra END;
            atom.global.add.u32 %u, [%c], 1; mul.wide.u32 %b, %u, 4; add.u64 %o, %o, %b; shr.u32 %u, %t, 5; st.global.u32 [%o], %u;
            END: ret;
            }
            """);
        (int[] Order, float[] Numbers) Launch(string seeds)
        {
            string saved = Path.Combine(folder.Path, "out.safetensors");
            Succeed($"run {Path.Combine(folder.Path, "order.ptx")} --grid 1 --block 1024 --arg i32[1]=zeros --arg i32[32]=poison --arg f32[8]=normal --save {saved} {seeds}");
            using SafetensorsFile file = SafetensorsFile.Open(saved);
            return (file.ReadInt32("arg1"), file.ReadFloats("arg2"));
        }

        (int[] order, float[] numbers) = Launch("--seed 3");
        Assert.That(order, Is.EquivalentTo(Enumerable.Range(0, 32)));
        (int[] same, float[] sameNumbers) = Launch("--seed 3 --schedule 3");
        Assert.That(same, Is.EqualTo(order));
        Assert.That(sameNumbers, Is.EqualTo(numbers));
        (int[] other, float[] otherNumbers) = Launch("--seed 3 --schedule 4");
        Assert.That(other, Is.Not.EqualTo(order).And.EquivalentTo(order));
        Assert.That(otherNumbers, Is.EqualTo(numbers));
    }

    [Test]
    public void The_number_of_workers_changes_neither_result_nor_report_nor_profile_nor_fault()
    {
        string saved = Path.Combine(folder.Path, "out.safetensors");
        string races = folder.Write("races.ptx", EmulatorHarness.Resource("races"));
        string[][] told = [.. new[] { 1, 2, 7 }.Select(workers => new[]
        {
            Succeed($"run {races} --workers {workers} --kernel blocks_meet --grid 24 --block 64 --arg i32[1536]=poison --arg u32[1]=zeros --arg i32[3072]=poison --save {saved}"),
            Convert.ToHexString(File.ReadAllBytes(saved)),
            Succeed($"profile {{bugs}} --workers {workers} --kernel off_by_one_repaired --grid 24 --block 64 --arg i32[1536]=iota --arg i32[1536]=poison --arg i32:1536 --json"),
            Address().Replace(Run($"run {{bugs}} --workers {workers} --kernel off_by_one --grid 24 --block 64 --arg i32[640]=iota --arg i32[640]=poison --arg i32:640").Error, "ADDRESS"),
        })];
        Assert.That(told[0][3], Does.Contain("in kernel off_by_one, block (10,0,0), thread (0,0,0)"), "the first of the blocks at fault");
        Assert.That(told[1], Is.EqualTo(told[0]));
        Assert.That(told[2], Is.EqualTo(told[0]));
    }

    [Test]
    public void Blocks_meet_in_a_cooperative_launch_alone()
    {
        string path = folder.Write("cooperative.ptx", EmulatorHarness.Resource("cooperative"));
        const string Sum = "--kernel grid_sum --block 64 --arg i32[9]=poison --arg i32[1]=zeros --arg i32:1";
        Assert.That(Row(Succeed($"run {path} --grid 9 --cooperative {Sum}"), "arg1"), Is.EqualTo("arg1 i32[1] 45 45 45 0 0"));
        Assert.That(Succeed($"profile {path} --grid 9 --cooperative {Sum}"), Does.Contain("grid_sum, grid 9x1x1"));
        CommandResult fault = Run($"run {path} --grid 9 {Sum}");
        Assert.That(fault.ExitCode, Is.EqualTo(1), fault.Error);
        Assert.That(fault.Error, Does.StartWith("The kernel executed trap, as grid.sync() does without a cooperative launch").And.Contain("grid_sum was launched with grid 9x1x1 and block 64x1x1; --cooperative launches it so that its blocks may meet"));
        SprintCommand.Refuse(["kernels", .. Split($"run {path} --grid 4000 --cooperative {Sum}")], "Kernel grid_sum was launched cooperatively with 4000 blocks, which must be resident at once; this device holds 3456: 32 of 64 threads");
    }

    [TestCase("missing_barrier --block 128 --arg i32[128]=poison")]
    [TestCase("off_by_one --block 65 --arg i32[64]=iota --arg i32[64]=poison --arg i32:64")]
    [TestCase("write_write --block 64 --arg i32[64]=poison --arg i32:0")]
    [TestCase("null_pointer --block 64 --arg i32[64]=poison --arg u64:0 --arg i32:0")]
    [TestCase("misaligned_vector --block 4 --arg f32[32]=iota --arg f32[32]=poison --arg i32:1")]
    public void A_fault_names_kernel_block_thread_and_line_and_quotes_the_source(string launch)
    {
        folder.Write("bugs.cu", string.Join('\n', EmulatorHarness.Source("bugs")));
        string kernel = launch.Split(' ')[0];
        CommandResult result = Run($"run {{bugs}} --grid 1 --kernel {launch}");
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(result.Error, Does.Contain($"in kernel {kernel}, block (0,0,0), thread ("));
        Assert.That(result.Error, Does.Contain("bugs.cu:").And.Contain($"// BUG {kernel}").And.Contain($"{kernel} was launched with grid 1x1x1"));
        Assert.That(result.Error, Does.Not.Contain("   at "));
    }

    [Test]
    public void A_fault_in_an_inlined_function_quotes_its_line_and_that_of_the_kernel_that_calls_it()
    {
        folder.Write("helper.cuh", "// a helper\n__device__ void put(int* p, int i) { p[i] = 1; }\n");
        folder.Write("main.cu", "#include \"helper.cuh\"\nextern \"C\" __global__ void k(int* p)\n{\n    put(p, 64); // beyond the end\n}\n");
        string path = folder.Write("main.ptx", """
            .version 7.8
            .target sm_80
            .address_size 64
            .file 1 "main.cu"
            .file 2 "helper.cuh"
            .visible .entry k(.param .u64 p)
            {
            .reg .b64 %a; .reg .b32 %r;
            .loc 1 4 5
            ld.param.u64 %a, [p];
            mov.u32 %r, 1;
            .loc 2 2 44, function_name $put, inlined_at 1 4 5
            st.global.u32 [%a+256], %r;
            ret;
            }
            """);
        CommandResult result = Run($"run {path} --grid 1 --block 1 --arg i32[64]=poison");
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(result.Error, Does.Contain("at helper.cuh:2, inlined at main.cu:4"));
        Assert.That(result.Error, Does.Contain("helper.cuh:2: __device__ void put(int* p, int i) { p[i] = 1; }").And.Contain("main.cu:4: put(p, 64); // beyond the end"));
    }

    [Test]
    public void A_race_between_blocks_is_an_error_and_early_returns_before_a_barrier_a_hint()
    {
        string races = folder.Write("races.ptx", EmulatorHarness.Resource("races"));
        CommandResult race = Run($"run {races} --kernel same_element --grid 2 --block 64 --arg i32[192]=poison --arg i32:0");
        Assert.That(race.ExitCode, Is.EqualTo(1), race.Error);
        Assert.That(race.Error, Does.Contain("A race in global memory").And.Contain("(argument 0)").And.Contain("of block ("));
        const string Early = "{bugs} --kernel early_return --grid 1 --block 64 --arg i32[40]=iota --arg i32[40]=poison --arg i32:40";
        const string Hint = "1 time a warp came to __syncthreads() some of whose threads had returned: let all threads come to it and guard the work instead";
        Assert.That(Succeed($"run {Early}"), Does.Contain(Hint));
        Assert.That(Succeed($"profile {Early}"), Does.Contain("came to __syncthreads() some of whose"));
        string lanes = folder.Write("lanes.ptx", EmulatorHarness.Resource("lanes"));
        string named = $"{lanes} --kernel return_and_reduce --grid 1 --block 64 --arg i32[48]=iota --arg i32[48]=poison --arg i32:48";
        Assert.That(Succeed($"run {named}"), Does.Contain("4 times the mask of a shuffle, a vote or __syncwarp() named threads that had returned"));
        Assert.That(Succeed($"profile {named}"), Does.Contain("named threads that had returned"));
    }

    [Test]
    public void What_the_emulator_does_not_execute_is_refused_with_its_line()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("heap.cu", "extern \"C\" __global__ void k(int* x)\n{\n    int* p = (int*)malloc(16); // the device's heap\n    x[0] = p != nullptr;\n}");
        CommandResult result = Run($"run {path} --grid 1 --block 1 --arg i32[1]=poison");
        Assert.That(result.ExitCode, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain($"at {path}:3").And.Contain($"  {path}:3: int* p = (int*)malloc(16); // the device's heap").And.Contain("malloc"));
    }

    [Test]
    public void An_empty_path_is_told() => SprintCommand.Refuse(["kernels", "run", "", "--grid", "1", "--block", "1"], "FILE is empty: name a .cu or .ptx file");

    [Test]
    public void The_process_runs_the_next_kernel_after_a_fault()
    {
        Assert.That(Run("run {bugs} --grid 1 --kernel missing_barrier --block 128 --arg i32[128]=poison").ExitCode, Is.EqualTo(1));
        Succeed("run {bugs} --grid 1 --kernel missing_barrier_repaired --block 128 --arg i32[128]=poison");
    }

    [Test]
    public void An_endless_kernel_ends_with_its_budget()
    {
        string path = folder.Write("spin.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry spin()\n{\nL: bra L;\n}\n");
        CommandResult result = Run($"run {path} --grid 1 --block 1 --budget 10000");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("more than the budget of 10000").And.Contain("--budget allows more"));
    }

    [TestCase("run {bugs} --block 1 --kernel missing_barrier", "--grid is missing: Blocks.")]
    [TestCase("run", "is missing")]
    [TestCase("run {folder}/none.cu --grid 1 --block 1", "there is no file {folder}/none.cu: name a .cu or .ptx file")]
    [TestCase("run {folder} --grid 1 --block 1", "is a folder")]
    [TestCase("run {folder}/no.ptx --grid 1 --block 1", "is not PTX: it begins with 'int main() {}'")]
    [TestCase("run {folder}/broken.ptx --grid 1 --block 1", "fly", "PTX line 6")]
    [TestCase("run {folder}/hostile.ptx --grid 1 --block 1 --arg f32[1]=zeros", "hostile.ptx")]
    [TestCase("run {bugs} --grid 1 --block 1", "kernels, so --kernel must name one of")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel absent", "has no kernel 'absent': it has", "off_by_one")]
    [TestCase("run {folder}/great.ptx --grid 1 --block 1", "Kernel k declares 80000 bytes of static shared memory, of which 49152 are the most on any GPU: use dynamic shared memory")]
    [TestCase("run {bugs} --grid 0 --block 1 --kernel missing_barrier", "--grid 0: write X, X,Y or X,Y,Z, each a whole number from 1")]
    [TestCase("run {bugs} --grid 1,2,3,4 --block 1 --kernel missing_barrier", "--grid 1,2,3,4: write")]
    [TestCase("run {bugs} --grid 1 --block x --kernel missing_barrier", "--block x: write")]
    [TestCase("run {bugs} --grid 1 --block 2000 --kernel missing_barrier --arg i32[1]=zeros", "2000 threads")]
    [TestCase("run {bugs} --grid 1,70000 --block 1 --kernel missing_barrier --arg i32[1]=zeros", "1x70000x1")]
    [TestCase("run {bugs} --grid 1 --block 1 --shared 1000000 --kernel missing_barrier --arg i32[1]=zeros", "1000000 bytes of dynamic shared memory")]
    [TestCase("run {bugs} --grid 1 --block 1 --shared -1 --kernel missing_barrier", "--shared -1 must be 0 or more")]
    [TestCase("run {bugs} --grid 1 --block 1 --seed -1 --kernel missing_barrier", "--seed -1 must be 0 or more")]
    [TestCase("run {bugs} --grid 1 --block 1 --schedule -1 --kernel missing_barrier", "--schedule -1 must be 0 or more")]
    [TestCase("run {bugs} --grid 1 --block 1 --budget 0 --kernel missing_barrier", "--budget 0 must be at least 1")]
    [TestCase("run {bugs} --grid 1 --block 1 --workers -1 --kernel missing_barrier", "--workers -1 must be from 0 (as many as there are cores) to 1024")]
    [TestCase("run {bugs} --grid 1 --block 1 --workers 5000 --kernel missing_barrier", "--workers 5000 must be from 0 (as many as there are cores) to 1024")]
    [TestCase("run {bugs} --grid 1 --block 1 --workers many --kernel missing_barrier", "--workers 'many' is not a whole number")]
    [TestCase("run {bugs} --grid 1 --block 1 --device gpu --kernel missing_barrier", "device 'gpu' runs no kernels: choose emulated, cuda or cuda:N")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier", "missing_barrier takes 1 argument, but 0 are given with --arg: 8 bytes (integer or pointer)")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel off_by_one --arg i32[1]=zeros --arg i32[1]=zeros --arg f32:1", "argument 2 'f32:1' is f32, but parameter 2 of off_by_one is 4 bytes (integer or pointer): write i32:1")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel off_by_one --arg i32[1]=zeros --arg i32[1]=zeros --arg i64:1", "argument 2 'i64:1' is 8 bytes, but parameter 2 of off_by_one is 4 bytes (integer or pointer): write i32:1")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel off_by_one --arg i32[1]=zeros --arg i32[1]=zeros --arg i32[1]=zeros", "argument 2 'i32[1]=zeros' is a buffer of i32, but parameter 2 of off_by_one is 4 bytes (integer or pointer): write i32:1")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg bytes:00", "argument 0 'bytes:00' is 1 byte, but parameter 0 of missing_barrier is 8 bytes (integer or pointer): write i64:1 or f32[1024]=zeros")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg nonsense", "--arg 'nonsense' is no argument: write TYPE:VALUE")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg i32[4]@{folder}/none.safetensors#x", "none.safetensors")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg @{folder}/none.safetensors#x", "{folder}/none.safetensors", "there is no such file")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg @{folder}/none", "--arg '@{folder}/none' names no tensor")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg i32[4]=zeros --save out.npz", "--save 'out.npz' must end in .safetensors")]
    [TestCase("run {bugs} --grid 1 --block 1 -D 1X=2", "-D 1X=2: a macro is NAME or NAME=VALUE")]
    [TestCase("run {bugs} --grid 1 --block 1 -I{folder}/none", "-I {folder}/none: there is no such folder")]
    [TestCase("run {bugs} --grid 1 --block 1 --fast", "'--fast' is no option of sprint kernels run")]
    [TestCase("profile {bugs} --grid 1 --block 1 --device cuda --kernel missing_barrier --arg i32[4]=zeros", "a GPU does not count what a kernel executes")]
    public void A_mistake_is_one_line(string line, params string[] parts) =>
        SprintCommand.Refuse(["kernels", .. Split(line)], [.. parts.Select(Place)]);

    [Test]
    public void A_profile_counts_what_ran()
    {
        const string Launch = "{bugs} --kernel off_by_one_repaired --grid 2 --block 64 --arg i32[128]=iota --arg i32[128]=poison --arg i32:128";
        string output = Succeed($"profile {Launch}");
        Assert.That(Row(output, "global bytes read"), Is.EqualTo("global bytes read 512"));
        Assert.That(output, Does.Contain("100.0 % sector efficiency").And.Contain("bound by memory"));

        using JsonDocument json = JsonDocument.Parse(Succeed($"profile {Launch} --json"));
        JsonElement root = json.RootElement;
        Assert.That(root.GetProperty("kernel").GetString(), Is.EqualTo("off_by_one_repaired"));
        Assert.That(root.GetProperty("grid").EnumerateArray().Select(static extent => extent.GetInt32()), Is.EqualTo(new[] { 2, 1, 1 }));
        Assert.That(root.GetProperty("global_bytes_written").GetInt64(), Is.EqualTo(512));
        Assert.That(root.GetProperty("global_sectors").GetInt64(), Is.EqualTo(32), "128 numbers of 4 bytes, read and written, in sectors of 32 bytes");
        Assert.That(root.GetProperty("roofline").GetProperty("A100").GetProperty("bound").GetString(), Is.EqualTo("memory"));
        Assert.That(root.GetProperty("roofline").GetProperty("A100").GetProperty("seconds").GetDouble(), Is.EqualTo(1024 / 1555e9).Within(1e-15));
    }

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

    [Test]
    public void Types_of_a_mangled_kernel_are_checked()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("typed.cu", "struct P { int a; float b; };\n__global__ void typed(P p, const float4* x, unsigned short* bits, long long n, bool flag) { if (flag) bits[0] = p.a + (int)n + (int)x[0].x; }");
        string run = $"run {path} --grid 1 --block 1 --arg bytes:0500000000000000";
        string output = Succeed($"{run} --arg f32[4]=ones --arg bf16[2]=poison --arg i64:2 --arg bool:true");
        Assert.That(Row(output, "arg2"), Does.EndWith(" 0 1"), "5 + 2 + 1 in 16 bits, and one element never written");
        const string Signature = "of typed(P, const float4*, unsigned short*, long long, bool) is of type";
        Refuse($"{run} --arg f64[4]=ones --arg bf16[2]=poison --arg i64:2 --arg bool:true", $"argument 1 'f64[4]=ones' is a buffer of f64, but parameter 1 {Signature} const float4*: write f32[4]=ones");
        Refuse($"{run} --arg f32[6]=ones --arg bf16[2]=poison --arg i64:2 --arg bool:true", $"argument 1 'f32[6]=ones' is a buffer of 6 elements, but parameter 1 {Signature} const float4*: write a multiple of 4 elements");
        Refuse($"{run} --arg f32[4]=ones --arg f32[2]=zeros --arg i64:2 --arg bool:true", $"parameter 2 {Signature} unsigned short*: write u16[2]=zeros");
        Refuse($"{run} --arg f32[4]=ones --arg u64:7 --arg i64:2 --arg bool:true", $"argument 2 'u64:7' is u64 by value, but parameter 2 {Signature} unsigned short*: write u16[1024]=zeros, or u64:0 for a null pointer");
        Refuse($"{run} --arg f32[4]=ones --arg bf16[2]=zeros --arg f32[4]=ones --arg bool:true", $"argument 3 'f32[4]=ones' is a buffer of f32, but parameter 3 {Signature} long long: write i64:1");
        Refuse($"{run} --arg f32[4]=ones --arg bf16[2]=zeros --arg u64:9223372036854775808 --arg bool:true", $"is beyond i64, but parameter 3 {Signature} long long: write i64:-9223372036854775808 for the same bits");
        Refuse($"{run} --arg f32[4]=ones --arg bf16[2]=zeros --arg i64:2 --arg u8:1", $"argument 4 'u8:1' is u8, but parameter 4 {Signature} bool: write bool:true");
        Refuse($"run {path} --grid 1 --block 1 --arg f64:5 --arg f32[4]=ones --arg bf16[2]=zeros --arg i64:2 --arg bool:true", $"argument 0 'f64:5' is f64, but parameter 0 {Signature} P (8 bytes): write struct:{{ARG,ARG,...}} of 8 bytes, or bytes: and 16 hexadecimal digits");
        Refuse($"run {path} --grid 1 --block 1 --arg bytes:05 --arg f32[4]=ones --arg bf16[2]=zeros --arg i64:2 --arg bool:true", $"argument 0 'bytes:05' is 1 byte, but parameter 0 {Signature} P (8 bytes): write struct:{{ARG,ARG,...}} of 8 bytes, or bytes: and 16 hexadecimal digits");
        Refuse($"{run} --arg f64:0 --arg bf16[2]=zeros --arg i64:2 --arg bool:true", $"argument 1 'f64:0' is f64 by value, but parameter 1 {Signature} const float4*: write f32[1024]=zeros, or u64:0 for a null pointer");

        void Refuse(string line, string part) => SprintCommand.Refuse(["kernels", .. Split(line)], part);
    }

    [TestCase("f64[4]=normal", "write f32[4]=normal")]
    [TestCase("@{folder}/in.safetensors#ids", "is a buffer of i32", "name a tensor that is stored as f32")]
    [TestCase("@{folder}/in.safetensors#wide", "is a buffer of f64", "write f32[2,2]@{folder}/in.safetensors#wide")]
    public void The_compiler_tells_the_types_of_an_extern_C_kernel(string argument, params string[] parts)
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("k.cu", "#define REAL real\ntypedef float real;\nextern \"C\" __global__ void k(const REAL* x, float* y) { y[0] = x[0]; }");
        var writer = new SafetensorsWriter();
        writer.Add("ids", [4], new[] { 5, 6, 7, 8 });
        writer.AddBytes("wide", SafetensorsDataType.F64, [2, 2], new byte[32]);
        writer.Save(Path.Combine(folder.Path, "in.safetensors"));
        string run = $"run {path} --grid 1 --block 1";
        Succeed($"{run} --arg f32[4]=ones --arg f32[1]=poison");
        Succeed($"{run} --arg f32[4]@{{folder}}/in.safetensors#wide --arg f32[1]=poison");
        SprintCommand.Refuse(["kernels", .. Split($"{run} --arg {argument} --arg f32[1]=poison")], [Place($"argument 0 '{argument}'"), "but parameter 0 of k(const REAL* x, float* y) is of type const float*: ", .. parts.Select(Place)]);
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

    [GeneratedRegex("0x[0-9A-F]+")]
    private static partial Regex Address();

    private CommandResult Run(string line) => SprintCommand.Run(["kernels", .. Split(line)]);

    private string Succeed(string line) => SprintCommand.Succeed(["kernels", .. Split(line)]);

    private string[] Split(string line) => [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Place)];

    private string Place(string text) => text
        .Replace("{bugs}", Path.Combine(folder.Path, "bugs.ptx"), StringComparison.Ordinal)
        .Replace("{folder}", folder.Path, StringComparison.Ordinal);

    /// <summary>The row of a table that begins so, with single spaces.</summary>
    private static string Row(string output, string beginning) =>
        output.Split('\n').Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Trim()).First(line => line.StartsWith(beginning, StringComparison.Ordinal));
}
