using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>A kernel that asks for more than there is, or for what is not executed, is refused by name, and the others of its module run.</summary>
public sealed class RefusedFunctionTests
{
    private const string Head = ".version 7.8\n.target sm_80\n.address_size 64\n";
    private const string Good = "\n.visible .entry good(.param .u64 p) { .reg .b64 %a; ld.param.u64 %a, [p]; st.global.u32 [%a], 7; ret; }\n";

    [TestCase("(.param .align 8 .b8 n[4353]) { ret; }", "The kernel bad takes 4353 bytes of parameters; of PTX 7.8 for sm_80 it may take 4352")]
    [TestCase("(.param .align 8 .b8 n[99999999999]) { ret; }", "The kernel bad takes 99999999999 bytes of parameters")]
    [TestCase("(.param .align 8 .b8 n[1099511627776][1099511627776]) { ret; }", "larger than 1 TiB, in kernel bad")]
    [TestCase("() { .reg .b32 %r<999999999>; ret; }", "The function bad declares 999999999 registers %r, of which 65536 are executed, in kernel bad")]
    [TestCase("() { .reg .b32 %r<40000>, %q<40000>; ret; }", null)]
    [TestCase("() { .shared .b8 s[99999999999]; ret; }", "The shared variable s has 99999999999 bytes; a kernel's shared variables may have 16777216, in kernel bad")]
    [TestCase("() { .local .b8 s[99999999999]; ret; }", "The function bad has more than 16 MiB of local variables")]
    [TestCase("() { .local .b8 s[1099511627776][1099511627776]; ret; }", "larger than 1 TiB, in kernel bad")]
    [TestCase("() { .reg .v4 .f32 %v; { mov.f32 %v.x, 0f00000000; } ret; }", "Vector registers are not executed, in kernel bad")]
    [TestCase("() { .reg .b128 %v; ret; }", "\".b128\" is no type of a register that is executed, in kernel bad")]
    public void A_kernel_beyond_limits_hinders_no_other(string bad, string? text)
    {
        using EmulatorHarness harness = new($"{Head}.visible .entry bad{bad}{Good}");
        Assert.That(harness.Module.Module.Kernels, Is.EqualTo(new[] { "bad", "good" }));
        ulong target = harness.Reserve<int>(1);
        harness.Launch("good", new(1), new(1), 0, target);
        Assert.That(harness.Download<int>(target, 1)[0], Is.EqualTo(7));
        if (text is null)
            Assert.That(() => harness.Module.GetKernel("bad"), Throws.Nothing, "registers that nothing names take no place");
        else
            Assert.That(Assert.Throws<EmulationException>(() => harness.Module.GetKernel("bad"))!.Message, Does.Contain(text));
    }

    [Test]
    public void A_kernel_with_too_many_registers_is_refused_when_it_is_asked_for()
    {
        string registers = string.Join(", ", Enumerable.Range(0, 70_000).Select(k => $"%r{k}"));
        using EmulatorHarness harness = new($"{Head}.visible .entry bad() {{ .reg .b32 {registers}; ret; }}{Good}");
        Assert.That(() => harness.Module.GetKernel("good"), Throws.Nothing);
        Assert.That(Assert.Throws<EmulationException>(() => harness.Module.GetKernel("bad"))!.Message, Does.Contain("The function bad uses more than 65536 registers, in kernel bad, PTX line 4"));
    }

    [TestCase("8.1", "sm_70", 32764, true)]
    [TestCase("8.1", "sm_90a", 32765, false)]
    [TestCase("8.0", "sm_90", 4352, true)]
    [TestCase("8.0", "sm_90", 4353, false)]
    [TestCase("8.1", "sm_60", 4353, false)]
    [TestCase("12.0", "sm_120", 20000, true)]
    public void How_many_bytes_of_parameters_a_kernel_may_take_is_a_matter_of_version_and_target(string version, string architecture, int bytes, bool taken)
    {
        using EmulatorHarness harness = new($".version {version}\n.target {architecture}\n.address_size 64\n.visible .entry k(.param .align 8 .b8 n[{bytes}]) {{ ret; }}\n");
        Assert.That(() => harness.Module.GetKernel("k"), taken ? Throws.Nothing : Throws.TypeOf<EmulationException>().With.Message.Contain($"The kernel k takes {bytes} bytes of parameters; of PTX {version} for {architecture} it may take"));
    }

    [Test]
    public void A_function_that_is_not_executed_is_refused_where_it_is_called()
    {
        const string ptx = Head + """
            .func (.reg .b32 %result) old(.reg .b32 %x)
            {
            mov.b32 %result, %x;
            ret;
            }
            .visible .entry k(.param .u32 way)
            {
            .reg .pred %p; .reg .b32 %r;
            .param .b32 argument; .param .b32 result;
            ld.param.u32 %r, [way];
            setp.eq.u32 %p, %r, 0;
            @%p bra DONE;
            st.param.b32 [argument], %r;
            call.uni (result), old, (argument);
            DONE: ret;
            }
            """;
        using EmulatorHarness harness = new(ptx);
        Assert.DoesNotThrow(() => harness.Launch("k", new(1), new(1), 0, 0));
        EmulationException fault = harness.LaunchFault("k", new(1), new(1), 0, 1);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Unsupported));
        Assert.That(fault.Message, Does.StartWith("The function old is not executed: Functions with .reg parameters are not executed").And.Contain("call.uni (result), old, (argument);"));
    }

    [TestCase("() { .reg .b128 %v; ret;", "The body of bad is not closed")]
    [TestCase("(.param .b8 n[1099511627776][1099511627776])", "The head of bad is not closed")]
    public void What_is_not_closed_is_malformed_all_the_same(string bad, string text)
        => Assert.That(Assert.Throws<EmulationException>(() => PtxModule.Parse($"{Head}.visible .entry bad{bad}\n", "open.ptx"))!.Message, Does.Contain(text));

    [Test]
    public void Global_variables_of_functions_are_not_taken_for_each_other()
    {
        using EmulatorHarness harness = new(Head + """
            .visible .entry first(.param .u64 p) { .global .u32 x = 5; .reg .b32 %r; .reg .b64 %a; ld.param.u64 %a, [p]; ld.global.u32 %r, [x]; st.global.u32 [%a], %r; ret; }
            .visible .entry second() { .global .u32 x = 6; ret; }
            """);
        ulong target = harness.Reserve<int>(1);
        harness.Launch("first", new(1), new(1), 0, target);
        Assert.That(harness.Download<int>(target, 1)[0], Is.EqualTo(5));
        Assert.That(Assert.Throws<EmulationException>(() => harness.Module.GetKernel("second"))!.Message, Does.Contain("The variable x has the name of another on line 4").And.Contain("in kernel second"));
    }
}
