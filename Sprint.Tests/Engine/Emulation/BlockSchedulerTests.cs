using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Blocks take turns where one waits or never ends, so that what a launch does and reports is the same for any number of workers.</summary>
public sealed class BlockSchedulerTests
{
    // endless: the first blocks go round without end, with or without a look at memory; one traps. exchange: the second block computes for so many rounds, then adds 1 to a word where that is
    // even, and the first where it is odd, until it is large enough; then the first traps. The sixth does at once.
    private const string Ptx = """
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry endless(.param .u64 flag, .param .u32 polls, .param .u32 faulty, .param .u32 endless_blocks)
        {
            .reg .pred %p<4>;
            .reg .b32 %r<7>;
            .reg .b64 %rd<3>;
            ld.param.u64 %rd1, [flag];
            ld.param.u32 %r1, [polls];
            ld.param.u32 %r2, [faulty];
            ld.param.u32 %r6, [endless_blocks];
            mov.u32 %r3, %ctaid.x;
            setp.eq.u32 %p1, %r3, %r2;
            @%p1 trap;
            setp.ge.u32 %p2, %r3, %r6;
            @%p2 ret;
            setp.ne.u32 %p3, %r1, 0;
        AGAIN:
            @%p3 ld.volatile.global.u32 %r4, [%rd1];
            add.u32 %r5, %r3, 1;
            bra AGAIN;
        }
        .visible .entry exchange(.param .u64 word, .param .u32 rounds, .param .u32 exchanges)
        {
            .reg .pred %p<3>;
            .reg .b32 %r<7>;
            .reg .b64 %rd<2>;
            ld.param.u64 %rd1, [word];
            ld.param.u32 %r1, [rounds];
            ld.param.u32 %r2, [exchanges];
            mov.u32 %r3, %ctaid.x;
            setp.eq.u32 %p1, %r3, 5;
            @%p1 trap;
            setp.gt.u32 %p1, %r3, 1;
            @%p1 ret;
            setp.eq.u32 %p2, %r3, 0;
            mov.u32 %r4, 0;
            @%p2 bra AGAIN;
        ROUND:
            add.u32 %r4, %r4, 1;
            setp.lt.u32 %p1, %r4, %r1;
            @%p1 bra ROUND;
        AGAIN:
            ld.volatile.global.u32 %r5, [%rd1];
            and.b32 %r6, %r5, 1;
            setp.eq.u32 %p1, %r6, %r3;
            @%p1 bra AGAIN;
            add.u32 %r6, %r5, 1;
            st.volatile.global.u32 [%rd1], %r6;
            setp.lt.u32 %p1, %r5, %r2;
            @%p1 bra AGAIN;
            @%p2 trap;
            ret;
        }
        """;

    [Test]
    public void A_block_that_never_ends_hides_no_fault_of_a_later_one([Values(1, 2, 7)] int workers, [Values] bool polls) =>
        AssertNamed(EmulationFault.Trap, 5, workers, polls, budget: polls ? 4_000_000 : 40_000_000, faulty: 5, endless: 3);

    [Test]
    public void However_small_the_budget_a_block_that_never_ends_hides_no_fault_of_a_later_one([Values(1, 2, 7)] int workers, [Values] bool polls, [Values(100_000, 1_000_000)] int budget) =>
        AssertNamed(EmulationFault.Trap, 5, workers, polls, budget, faulty: 5, endless: 3);

    [Test]
    public void A_hundred_blocks_that_never_end_hide_no_fault_of_a_later_one([Values(1, 2, 7)] int workers, [Values] bool polls) =>
        AssertNamed(EmulationFault.Trap, 100, workers, polls, budget: 1_000_000, faulty: 100, endless: 100, blocks: 102);

    [Test]
    public void Of_blocks_that_never_end_the_first_is_named([Values(1, 2, 7)] int workers, [Values] bool polls) =>
        AssertNamed(EmulationFault.InstructionBudget, 0, workers, polls, budget: polls ? 1_000_000 : 20_000_000, faulty: 100, endless: 3);

    [Test]
    public void Blocks_that_wait_for_one_that_cannot_begin_before_they_end_are_stopped([Values(1, 2)] int workers)
    {
        // 108 multiprocessors of an A100 hold one block each of so much shared memory.
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        harness.Options = new EmulationOptions { Workers = workers, InstructionBudget = 2_000_000 };
        EmulationException fault = harness.LaunchFault("blocks_meet", new(109), new(64), 100_000, harness.Reserve<int>(109 * 64), harness.Upload(new int[1]), harness.Reserve<int>(2 * 109 * 64));
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.InstructionBudget), fault.Message);
        harness.Options = harness.Options with { InstructionBudget = EmulationOptions.Default.InstructionBudget };
        Assert.DoesNotThrow(() => harness.Launch("blocks_meet", new(108), new(64), 100_000, harness.Reserve<int>(108 * 64), harness.Upload(new int[1]), harness.Reserve<int>(2 * 108 * 64)));
    }

    [TestCase(4_000_000, 1)]
    [TestCase(1, 2000)]
    public void A_block_that_still_comes_to_its_fault_with_the_help_of_others_is_named_whatever_came_before_elsewhere(int rounds, int exchanges)
    {
        foreach (int workers in (int[])[1, 2, 7])
        {
            using EmulatorHarness harness = new(Ptx);
            harness.Options = new EmulationOptions { Workers = workers };
            EmulationException fault = harness.LaunchFault("exchange", new(9), new(1), 0, harness.Upload(new int[1]), rounds, exchanges);
            Assert.That((fault.Fault, fault.Block), Is.EqualTo((EmulationFault.Trap, (LaunchIndex?)new LaunchIndex(0, 0, 0))), $"{workers} workers: {fault.Message}");
        }
    }

    private static void AssertNamed(EmulationFault expected, uint block, int workers, bool polls, int budget, int faulty, int endless, uint blocks = 9)
    {
        using EmulatorHarness harness = new(Ptx);
        harness.Options = new EmulationOptions { Workers = workers, InstructionBudget = budget };
        EmulationException fault = harness.LaunchFault("endless", new(blocks), new(32), 0, harness.Upload(new int[1]), polls ? 1 : 0, faulty, endless);
        Assert.That(fault.Fault, Is.EqualTo(expected), fault.Message);
        Assert.That(fault.Block, Is.EqualTo(new LaunchIndex(block, 0, 0)));
    }
}
