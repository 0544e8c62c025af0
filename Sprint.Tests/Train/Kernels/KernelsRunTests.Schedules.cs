using NUnit.Framework;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Train.Kernels;

/// <content>Launches under several schedules.</content>
public sealed partial class KernelsRunTests
{
    [Test]
    public void A_fault_that_only_some_schedules_show_is_told_with_the_first_of_them_and_found_again_under_it()
    {
        string path = folder.Write("schedules.ptx", EmulatorHarness.Resource("schedules"));
        const string Launch = "--kernel behind_unlock --workers 1 --grid 2 --block 64 --arg i32[1]=zeros --arg i32[1]=zeros --arg";
        CommandResult fault = Run($"run {path} {Launch} i32:0 --schedules 18");
        Assert.That(fault.ExitCode, Is.EqualTo(1), fault.Error);
        string schedule = fault.Error[(fault.Error.LastIndexOf(", under --schedule ", StringComparison.Ordinal) + ", under --schedule ".Length)..].Trim();
        Assert.That(Address().Replace(Run($"run {path} {Launch} i32:0 --schedule {schedule}").Error, "ADDRESS"), Is.EqualTo(Address().Replace(fault.Error, "ADDRESS")));
        Succeed($"run {path} {Launch} i32:0 --schedules {schedule}");
        Assert.That(Succeed($"run {path} {Launch} i32:1 --schedules 18"), Does.Contain("under 18 schedules the buffers hold the same"));
    }

    [Test]
    public void Buffers_that_depend_on_the_schedule_are_told_with_an_element_and_its_schedule()
    {
        string path = folder.Write("tickets.ptx", """
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry tickets(.param .u64 counter, .param .u64 order)
            {
            .reg .b32 %b, %u; .reg .b64 %c, %o, %k;
            ld.param.u64 %c, [counter]; ld.param.u64 %o, [order];
            mov.u32 %b, %ctaid.x; mul.wide.u32 %k, %b, 4; add.u64 %o, %o, %k;
            atom.global.add.u32 %u, [%c], 1; st.global.u32 [%o], %u;
            ret;
            }
            """);
        const string Launch = "--workers 1 --grid 8 --block 1 --arg i32[1]=zeros --arg i32[8]=poison";
        string output = Succeed($"run {path} {Launch} --schedules 5");
        Assert.That(output, Does.Match(@"arg1 depends on the schedule: [2-8] of 8 elements are not the same as under --schedule 0; element \d is \d at first and \d under --schedule [1-4]\s"));
        Assert.That(output, Does.Not.Contain("arg0 depends").And.Not.Contain("hold the same"));
        Assert.That(Succeed($"run {path} {Launch}"), Does.Not.Contain("schedule"));
    }
}
