using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Malformed modules, launches beyond limits: one clear error, and the process goes on.</summary>
public sealed class HostileInputTests
{
    private const string Head = ".version 7.8\n.target sm_80\n.address_size 64\n";

    [TestCase("", ".version")]
    [TestCase("not ptx at all", "no directive of a PTX module")]
    [TestCase(Head + ".visible .entry k() { ret;", "not closed")]
    [TestCase(Head + ".visible .entry k() { /* ", "comment is not closed")]
    [TestCase(Head + ".file 1 \"abc", "string is not closed")]
    [TestCase(Head + ".visible .entry k() { .reg .b32 %r<5>; mov.u32 %r9, 1; ret; }", "%r9 is beyond the 5 declared")]
    [TestCase(Head + ".visible .entry k() { .reg .b32 %r<99999999999>; ret; }", "not between")]
    [TestCase(Head + ".visible .entry k() { @%p bra L; L: ret; }", "guard")]
    [TestCase(Head + ".global .b8 x[99999999999999999999];", "not an integer")]
    [TestCase(Head + ".global .b8 x[1099511627776][1099511627776];", "larger than 1 TiB")]
    [TestCase(Head + ".global .u32 x[2] = {1, 2, 3};", "more initial values")]
    [TestCase(Head + ".global .u32 x = 0f12;", "hexadecimal digits")]
    [TestCase(".version 7.8\n.target sm_80\n.address_size 32\n", "address_size 64")]
    [TestCase(".version seven\n.target sm_80\n.address_size 64\n", "\"seven\" is no version of the PTX ISA, such as 7.8")]
    [TestCase(".version 78\n.target sm_80\n.address_size 64\n", "\"78\" is no version of the PTX ISA, such as 7.8")]
    [TestCase(".version 1.4\n.target sm_80\n.address_size 64\n", "executed from version 2.0 on")]
    [TestCase(Head + Head, "A second .version begins another module")]
    [TestCase(Head + ".file 1 \"a.cu\"\n.file 1 \"b.cu\"", "The file number 1 is declared twice")]
    [TestCase(".version 7.8\n.target gfx90\n.address_size 64\n", "\"gfx90\" is no target, such as sm_80 or sm_90a")]
    [TestCase(".version 7.8\n.target sm_13\n.address_size 64\n", "executed for sm_20 and later")]
    [TestCase(".version 7.8\n.address_size 64\n.visible .entry k() { ret; }", "The module has no .target directive")]
    [TestCase(Head + ".visible .entry k() { .reg .b32 %r; mov.u32 %r, 99999999999999999999; ret; }", "not a number, or one of more than 64 bits")]
    [TestCase(Head + ".visible .entry k() { .reg .b64 %r; st.global.u32 [%r+99999999999999999999], 1; ret; }", "not a number, or one of more than 64 bits")]
    [TestCase(Head + ".visible .entry k() { .reg .b64 %r; st.global.u32 [%r+1.5], 1; ret; }", "where an integer is needed")]
    [TestCase(Head + ".visible .entry k() { .reg .b64 %r; st.global.u32 [1.5], 1; ret; }", "where an integer is needed")]
    [TestCase(Head + ".visible .entry k() { .reg .b32 %r; mov.u32 %r, 1+0f3f800000; ret; }", "where an integer is needed")]
    [TestCase(Head + ".global .u32 x = 1.5;", "The initial value is a floating-point number, and the variable of type .u32")]
    [TestCase(Head + ".global .f32 x[2] = {0f00000000, 1};", "The initial value is an integer, and the variable of type .f32")]
    [TestCase(Head + ".shared .align 3 .b8 s[8];", "The alignment 3 is no power of two")]
    [TestCase(Head + "\u0001", "U+0001")]
    public void A_malformed_module_is_refused_with_its_line(string ptx, string text)
    {
        EmulationException error = Assert.Throws<EmulationException>(() => PtxModule.Parse(ptx, "bad.ptx"))!;
        Assert.That(error.Message, Does.Contain(text));
        Assert.That(error.Message, Does.Contain("bad.ptx"));
        Assert.That(error.PtxLine, Is.GreaterThan(0));
    }

    [Test]
    public void Later_versions_and_targets_run_as_far_as_their_instructions_are_known([Values("8.4", "9.1", "12.0")] string version, [Values("sm_90a", "sm_120f", "sm_200")] string architecture)
    {
        string head = $".version {version}\n.target {architecture}\n.address_size 64\n";
        using EmulatorHarness harness = new(head + """
            .visible .entry known(.param .u64 p) { .reg .b64 %a; ld.param.u64 %a, [p]; st.global.u32 [%a], 7; ret; }
            .visible .entry unknown(.param .u64 p) { .reg .b64 %a; ld.param.u64 %a, [p]; st.global.u32 [%a], 8; frobnicate.later.u32 %a, %a; ret; }
            """);
        ulong target = harness.Reserve<int>(1);
        harness.Launch("known", new(1), new(1), 0, target);
        Assert.That(harness.Download<int>(target, 1)[0], Is.EqualTo(7));
        EmulationException refusal = harness.LaunchFault("unknown", new(1), new(1), 0, target);
        Assert.That(refusal.Fault, Is.EqualTo(EmulationFault.Unsupported), refusal.Message);
        Assert.That(refusal.Message, Does.Contain("frobnicate.later.u32"));
    }

    [Test]
    public void A_shared_variable_beyond_all_measure_is_refused_with_the_limit()
    {
        using EmulatorHarness harness = new(Head + ".visible .entry k() { .shared .b8 big[20000000]; .reg .b32 %r; mov.u32 %r, big; ret; }");
        EmulationException refusal = Assert.Throws<EmulationException>(() => harness.Module.GetKernel("k"))!;
        Assert.That(refusal.Message, Does.Contain("The shared variable big has 20000000 bytes; a kernel's shared variables may have 16777216"));
    }

    [Test]
    public void Deep_nesting_is_refused_before_the_stack_ends()
    {
        string braces = Head + ".visible .entry k() {" + new string('{', 100_000);
        Assert.That(Assert.Throws<EmulationException>(() => PtxModule.Parse(braces, "deep"))!.Message, Does.Contain("nested"));
        string values = Head + ".global .u32 x[1] = " + new string('{', 100_000);
        Assert.That(Assert.Throws<EmulationException>(() => PtxModule.Parse(values, "deep"))!.Message, Does.Contain("nested"));
    }

    [TestCase("wmma.async.commit_group;")]
    [TestCase("wmma.mma.sync;")]
    [TestCase("bar.red;")]
    [TestCase("cp.async;")]
    [TestCase("ldmatrix;")]
    [TestCase("mma;")]
    public void An_instruction_without_its_operands_is_refused(string instruction)
    {
        using EmulatorHarness harness = new(Head + $".visible .entry k() {{ .reg .b32 %r<2>; mov.u32 %r0, %r1; {instruction} ret; }}");
        EmulationException fault = harness.LaunchFault("k", new(1), new(32), 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Unsupported).Or.EqualTo(EmulationFault.Syntax), fault.Message);
        Assert.That(fault.Message, Does.Contain(instruction));
    }

    [Test]
    public void A_million_lines_are_read_and_run()
    {
        System.Text.StringBuilder text = new(Head + ".visible .entry k(.param .u64 p) { .reg .b32 %r; .reg .b64 %d;\nmov.u32 %r, 0;\n");
        for (int k = 0; k < 1_000_000; k++)
            text.Append("add.u32 %r, %r, 1;\n");
        text.Append("ld.param.u64 %d, [p];\nst.global.u32 [%d], %r;\nret; }\n");
        using EmulatorHarness harness = new(text.ToString());
        ulong target = harness.Reserve<int>(1);
        harness.Launch("k", new(1), new(1), 0, target);
        Assert.That(harness.Download<int>(target, 1)[0], Is.EqualTo(1_000_000));
    }

    [Test]
    public void Endless_recursion_and_arrays_that_no_thread_has_room_for_are_refused()
    {
        const string recursion = Head + """
            .func f(.param .b32 x) { .local .align 4 .b8 depot[64]; .param .b32 y; .reg .b32 %r; mov.u32 %r, 1; st.param.b32 [y], %r; call.uni f, (y); ret; }
            .visible .entry k() { .param .b32 y; .reg .b32 %r; mov.u32 %r, 1; st.param.b32 [y], %r; call.uni f, (y); ret; }
            """;
        using EmulatorHarness harness = new(recursion);
        Assert.That(harness.LaunchFault("k", new(4), new(128), 0).Fault, Is.EqualTo(EmulationFault.StackOverflow));
        foreach (string array in new[] { ".local .align 4 .b8 a[900000000000];", ".local .align 4 .b8 a[2000000000];", ".shared .align 4 .b8 a[2000000000];", ".reg .b64 %d<4000000>;" })
        {
            SprintException error = Assert.Catch<SprintException>(() =>
            {
                using EmulatorHarness large = new(Head + $".visible .entry k() {{ {array} ret; }}");
                large.Launch("k", new(1), new(1024), 0);
            })!;
            Assert.That(error.Message, Is.Not.Empty);
        }
    }

    [Test]
    public void Any_cut_of_a_real_module_parses_or_is_refused_cleanly()
    {
        string ptx = EmulatorHarness.Resource("language");
        Random random = new(1);
        for (int run = 0; run < 150; run++)
        {
            int start = random.Next(ptx.Length), length = random.Next(1, 40);
            string damaged = run % 2 == 0 ? ptx[..start] : ptx.Remove(start, Math.Min(length, ptx.Length - start));
            try
            {
                using EmulatedMemory memory = new();
                EmulatedModule module = new(PtxModule.Parse(damaged, "damaged"), memory);
                foreach (string kernel in module.Module.Kernels)
                    module.GetKernel(kernel);
            }
            catch (SprintException error)
            {
                Assert.That(error.Message, Is.Not.Empty);
            }
        }
    }

    [Test]
    public void Damaged_kernels_run_to_an_end_or_to_a_clean_fault()
    {
        string ptx = EmulatorHarness.Resource("ordinary");
        string[] lines = ptx.Split('\n');
        int[] instructions = [.. Enumerable.Range(0, lines.Length).Where(k => lines[k].StartsWith('\t') && lines[k].EndsWith(';'))];
        Random random = new(2);
        for (int run = 0; run < 25; run++)
        {
            string[] damaged = [.. lines];
            for (int k = 0; k < 30; k++)
                damaged[instructions[random.Next(instructions.Length)]] = lines[instructions[random.Next(instructions.Length)]];
            try
            {
                using EmulatorHarness harness = new(string.Join('\n', damaged), "damaged");
                harness.Options = new EmulationOptions { InstructionBudget = 20_000, Workers = 1 };
                ulong data = harness.Upload(new float[4096]);
                harness.Launch("gemm", new(2, 2), new(16, 16), 0, data, data + 4096, data + 8192, 20, 20, 20);
            }
            catch (SprintException error)
            {
                Assert.That(error.Message, Is.Not.Empty);
            }
        }
    }

    [Test]
    public void A_texture_is_refused_where_it_is_read_and_is_no_hindrance_to_other_kernels()
    {
        const string ptx = Head + """
            .visible .entry reads(.param .u64 texture)
            {
            .reg .f32 %f<8>; .reg .b32 %r<2>; .reg .b64 %d<2>;
            ld.param.u64 %d0, [texture];
            mov.u32 %r1, 0;
            mov.f32 %f5, 0f00000000;
            tex.a2d.v4.f32.f32 {%f1, %f2, %f3, %f4}, [%d0, {%r1, %f5, %f5, %f5}];
            ret;
            }
            .visible .entry loads(.param .u64 x)
            {
            .reg .b32 %r<2>; .reg .b64 %d<2>;
            ld.param.u64 %d0, [x];
            ld.global.u32 %r0, [%d0, 4];
            ret;
            }
            .visible .entry other() { ret; }
            """;
        using EmulatorHarness harness = new(ptx);
        Assert.DoesNotThrow(() => harness.Launch("other", new(1), new(32), 0));
        EmulationException fault = harness.LaunchFault("reads", new(1), new(32), 0, 1UL);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Unsupported));
        Assert.That(fault.Message, Does.Contain("tex.a2d.v4.f32.f32").And.Contain("kernel reads"));
        Assert.That(harness.LaunchFault("loads", new(1), new(32), 0, 1UL).Fault, Is.EqualTo(EmulationFault.Unsupported), "an address of a load has one part");
    }

    [TestCase("call.uni (result), malloc, (argument);", "malloc")]
    [TestCase("call.uni free, (argument);", "free")]
    [TestCase("call.uni (result), cudaGetParameterBufferV2, (argument);", "cudaGetParameterBufferV2")]
    [TestCase("call.uni (status), cudaLaunchDeviceV2, (argument);", "cudaLaunchDeviceV2")]
    [TestCase("mbarrier.init.shared.b64 [%r0], 32;", "mbarrier.init.shared.b64")]
    [TestCase("mbarrier.arrive.shared.b64 %d0, [%r0];", "mbarrier.arrive.shared.b64")]
    [TestCase("tex.1d.v4.f32.s32 {%f0, %f0, %f0, %f0}, [%d0, {%r0}];", "tex.1d.v4.f32.s32")]
    [TestCase("suld.b.1d.b32.trap {%r0}, [%d0, {%r0}];", "suld.b.1d.b32.trap")]
    [TestCase("sust.b.1d.b32.trap [%d0, {%r0}], {%r0};", "sust.b.1d.b32.trap")]
    [TestCase("cvt.rn.bf16.u32 %h0, %r0;", "cvt.rn.bf16.u32 needs .target sm_90 or higher; the module is for sm_80")]
    [TestCase("cvt.rz.tf32.f32 %r0, %f0;", "cvt.rz.tf32.f32 needs .target sm_90 or higher; the module is for sm_80")]
    [TestCase("cvt.f16.bf16 %h0, %h0;", "cvt.f16.bf16 needs .target sm_90 or higher; the module is for sm_80")]
    [TestCase("cvt.pack.sat.u8.s32 %r0, %r0, %r0;", "cvt.pack.sat.u8.s32")]
    public void What_the_emulated_device_lacks_is_refused_by_name_and_line_where_it_is_reached(string instruction, string text)
    {
        string ptx = $$"""
            {{Head}}
            .extern .func (.param .b64 pointer) malloc(.param .b64 size);
            .extern .func free(.param .b64 pointer);
            .extern .func (.param .b64 buffer) cudaGetParameterBufferV2(.param .b64 kernel);
            .extern .func (.param .b32 status) cudaLaunchDeviceV2(.param .b64 buffer);
            .file 1 "lacks.cu"
            .visible .entry k(.param .u32 way)
            {
            .reg .pred %p; .reg .b16 %h<2>; .reg .b32 %r<2>; .reg .b64 %d<2>; .reg .f32 %f<2>;
            .param .b64 argument; .param .b64 result; .param .b32 status;
            .loc 1 11 3
            ld.param.u32 %r0, [way];
            mov.b64 %d0, 16;
            mov.b32 %f0, %r0;
            mov.b16 %h0, 1;
            st.param.b64 [argument], %d0;
            setp.eq.u32 %p, %r0, 0;
            @%p bra DONE;
            .loc 1 12 5
            {{instruction}}
            DONE: ret;
            }
            """;
        using EmulatorHarness harness = new(ptx);
        Assert.DoesNotThrow(() => harness.Launch("k", new(1), new(32), 0, 0));
        EmulationException fault = harness.LaunchFault("k", new(1), new(32), 0, 1);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Unsupported), fault.Message);
        Assert.That(fault.Detail, Does.Contain(text));
        Assert.That(fault.Message, Does.Contain("at lacks.cu:12").And.Contain(instruction[(instruction.LastIndexOf("; ", StringComparison.Ordinal) + 1)..].Trim()));
    }

    [TestCase("bra NOWHERE;", "The label NOWHERE is not declared, in kernel k, PTX line 7")]
    [TestCase("brx.idx %r, NOWHERE;", "The branch table NOWHERE is not declared, in kernel k, PTX line 7")]
    public void A_branch_without_a_target_is_refused_with_its_line(string branch, string text)
    {
        using EmulatorHarness harness = new($"{Head}.visible .entry k()\n{{\n.reg .b32 %r;\n{branch}\nret;\n}}\n");
        Assert.That(Assert.Throws<EmulationException>(() => harness.Module.GetKernel("k"))!.Message, Does.Contain(text));
    }

    /// <summary>Compilers give line 0 to what they have merged of several lines.</summary>
    [Test]
    public void What_has_no_line_of_its_own_is_named_with_the_line_before()
    {
        const string ptx = Head + """
            .file 1 "merged.cu"
            .visible .entry k()
            {
            .loc 1 21 3
            bar.sync 3;
            .loc 1 0 0
            bar.sync 16;
            ret;
            }
            """;
        using EmulatorHarness harness = new(ptx);
        EmulationException fault = harness.LaunchFault("k", new(1), new(32), 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.BarrierDivergence), fault.Message);
        Assert.That(fault.Message, Does.StartWith("Barrier 16 does not exist: a block has 16").And.Contain("at merged.cu:21"));
    }

    [Test]
    public void Operands_that_do_not_fit_are_refused_when_they_are_reached_and_not_before()
    {
        const string ptx = Head + """
            .visible .entry k(.param .u32 way)
            {
            .reg .pred %p; .reg .b32 %r<3>; .reg .b64 %d<3>;
            ld.param.u32 %r0, [way];
            setp.eq.u32 %p, %r0, 0;
            @%p bra DONE;
            add.u32 %r1, %d1, 1;
            DONE: ret;
            }
            """;
        using EmulatorHarness harness = new(ptx);
        Assert.DoesNotThrow(() => harness.Launch("k", new(1), new(32), 0, 0));
        EmulationException fault = harness.LaunchFault("k", new(1), new(32), 0, 1);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Unsupported));
        Assert.That(fault.Message, Does.Contain("%d1 has 8 bytes where the instruction takes 4").And.Contain("add.u32 %r1, %d1, 1;"));
    }

    [Test]
    public void Launches_beyond_limits_are_refused()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("bugs");
        ulong target = harness.Reserve<int>(2048);
        void Refused(string text, LaunchIndex grid, LaunchIndex block, int shared)
            => Assert.That(harness.LaunchFault("missing_barrier_repaired", grid, block, shared, target).Message, Does.Contain(text));
        Refused("1025 threads", new(1), new(1025), 0);
        Refused("2048 threads", new(1), new(32, 64), 0);
        Refused("(1,1,65)", new(1), new(1, 1, 65), 0);
        Refused("The grid (0,1,1)", new(0), new(32), 0);
        Refused("The grid (1,65536,1)", new(1, 65536), new(32), 0);
        Refused("of shared memory", new(1), new(32), 200 * 1024);
        Refused("of shared memory", new(1), new(32), -1);
        Assert.That(Assert.Throws<EmulationException>(() => new EmulatedLaunch(harness.Module.GetKernel("endless"), new(1), new(1), 0, new byte[4]))!.Message, Does.Contain("passes 4 bytes of parameters, but the kernel takes 12"));
        Assert.That(Assert.Throws<SprintException>(() => harness.Module.GetKernel("nothing"))!.Message, Does.Contain("no kernel nothing"));
    }

    [Test]
    public void Memory_refuses_what_is_not_inside_one_live_allocation()
    {
        using EmulatedMemory memory = new(1 << 20);
        ulong address = memory.Allocate(100);
        byte[] bytes = new byte[101];
        Assert.That(Assert.Throws<SprintException>(() => memory.Write(address, bytes))!.Message, Does.Contain("beyond the end"));
        Assert.That(Assert.Throws<SprintException>(() => memory.Read(12345, bytes))!.Message, Does.Contain("nothing is allocated"));
        Assert.That(Assert.Throws<SprintException>(() => memory.Allocate(2 << 20))!.Message, Does.Contain("out of memory"));
        memory.Free(address);
        Assert.That(Assert.Throws<SprintException>(() => memory.Free(address))!.Message, Does.Contain("freed before"));
        Assert.That(Assert.Throws<SprintException>(() => memory.Write(address, bytes))!.Message, Does.Contain("which was freed"));
        Assert.That(memory.AllocatedBytes, Is.Zero);
    }
}
