using NUnit.Framework;
using Sprint.Tests.Engine.Cuda;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Train.Kernels;

/// <content>What a kernel does wrongly.</content>
public sealed partial class KernelsRunTests
{
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

    [TestCase("/dev/zero")]
    [TestCase("{folder}/pipe")]
    public void A_source_without_an_end_is_not_quoted(string source)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", Path.Combine(folder.Path, "pipe")))
            make.WaitForExit();
        string path = folder.Write("endless.ptx", $".version 7.8\n.target sm_80\n.address_size 64\n.file 1 \"{Place(source)}\"\n.visible .entry k(.param .u64 p)\n{{\n.reg .b64 %a; ld.param.u64 %a, [p];\n.loc 1 1 1\nst.global.u32 [%a+400], 1;\nret;\n}}\n");
        CommandResult result = Run($"run {path} --grid 1 --block 1 --arg i32[64]=poison");
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(result.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(2).And.Exactly(1).Contains($"at {Place(source)}:1"));
    }

    [Test]
    public void A_line_of_an_unknown_file_is_not_named_and_a_long_one_is_cut()
    {
        string wide = new('x', 100_000);
        folder.Write("wide.cu", wide);
        string path = folder.Write("wide.ptx", $".version 7.8\n.target sm_80\n.address_size 64\n.file 1 \"wide.cu\"\n.visible .entry k(.param .u64 p)\n{{\n.reg .b64 %a; .reg .b32 %{wide}; ld.param.u64 %a, [p];\n.loc 1 1 1\nst.global.u32 [%a+400], %{wide};\nret;\n}}\n"
            + ".visible .entry q(.param .u64 p)\n{\n.reg .b64 %a; ld.param.u64 %a, [p];\n.loc 9 77 1\nst.global.u32 [%a+400], 1;\nret;\n}\n");
        CommandResult result = Run($"run {path} --kernel k --grid 1 --block 1 --arg i32[64]=poison");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Has.Length.LessThan(3000));
        Assert.That(Run($"run {path} --kernel q --grid 1 --block 1 --arg i32[64]=poison").Error, Does.Contain("in kernel q, block (0,0,0), thread (0,0,0), PTX line 16"));
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
}
