using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>The counters against counts made by hand.</summary>
public sealed class CounterTests
{
    private static string Kernel(string body) => $$"""
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry test(.param .u64 data)
        {
        .shared .align 16 .b8 s[16384];
        .reg .pred %p; .reg .b32 %t, %u, %v, %w; .reg .f32 %f; .reg .b64 %a, %b;
        ld.param.u64 %a, [data];
        mov.u32 %t, %tid.x;
        {{body}}
        ret;
        }
        """;

    private static LaunchStatistics Run(string body, int threads = 32)
    {
        using EmulatorHarness harness = new(Kernel(body));
        harness.Options = new EmulationOptions { Counters = true, Workers = 2 };
        return harness.Launch("test", new(1), new((uint)threads), 0, harness.Upload(new float[8192]));
    }

    [TestCase(4, 4, 4)]
    [TestCase(8, 8, 4)]
    [TestCase(32, 32, 4)]
    [TestCase(128, 32, 4)]
    [TestCase(0, 1, 1)]
    public void Sectors_of_a_strided_load_are_counted(int stride, int sectors, int ideal)
    {
        LaunchStatistics statistics = Run($"mad.wide.u32 %b, %t, {stride}, %a; ld.global.f32 %f, [%b];");
        Assert.That(statistics.GlobalRequests, Is.EqualTo(1));
        Assert.That(statistics.GlobalSectors, Is.EqualTo(sectors));
        Assert.That(statistics.GlobalIdealSectors, Is.EqualTo(ideal));
        Assert.That(statistics.Global, Is.EqualTo(new SpaceTraffic(128, 0)));
    }

    [TestCase(4, 0)]
    [TestCase(8, 1)]
    [TestCase(16, 3)]
    [TestCase(128, 31)]
    [TestCase(132, 0)]
    [TestCase(0, 0)]
    public void Bank_conflicts_of_a_strided_store_are_counted(int stride, int conflicts)
    {
        LaunchStatistics statistics = Run($"mul.lo.u32 %u, %t, {stride}; {(stride == 0 ? "setp.eq.u32 %p, %t, 0; @%p st.shared.b32 [%u], %t; bar.warp.sync -1; ld.shared.b32 %v, [%u];" : "st.shared.b32 [%u], %t;")}");
        Assert.That(statistics.SharedBankConflicts, Is.EqualTo(conflicts));
    }

    [TestCase("and.b32 %u, %t, 0;", 32, 31)]
    [TestCase("and.b32 %u, %t, 3; shl.b32 %u, %u, 2;", 8, 7)]
    [TestCase("and.b32 %u, %t, 1; shl.b32 %u, %u, 7;", 32, 31)]
    [TestCase("shl.b32 %u, %t, 2;", 1, 0)]
    public void Atomic_operations_on_one_word_or_bank_are_served_one_after_another(string address, int wavefronts, int conflicts)
    {
        LaunchStatistics statistics = Run($"shl.b32 %v, %t, 2; st.shared.b32 [%v], %t; st.shared.b32 [%v+128], %t; bar.sync 0; {address} red.shared.add.u32 [%u], 1;");
        Assert.That(statistics.SharedWavefronts, Is.EqualTo(2 + wavefronts));
        Assert.That(statistics.SharedBankConflicts, Is.EqualTo(conflicts));
    }

    [Test]
    public void Instructions_and_operations_are_counted_by_kind_with_active_lanes()
    {
        LaunchStatistics statistics = Run("setp.lt.u32 %p, %t, 8; mov.f32 %f, 0f3F800000; fma.rn.f32 %f, %f, %f, %f; @%p add.f32 %f, %f, %f; @%p bra L; add.u32 %u, %t, 1; L: bar.sync 0;", 40);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(statistics.SingleFlops, Is.EqualTo(2 * 40 + 8));
            Assert.That(statistics.LaneInstructionsOf(InstructionKind.SingleArithmetic), Is.EqualTo(40 + 8));
            Assert.That(statistics.WarpInstructionsOf(InstructionKind.SingleArithmetic), Is.EqualTo(2 + 1));
            Assert.That(statistics.LaneInstructionsOf(InstructionKind.IntegerArithmetic), Is.EqualTo(40 + 32));
            Assert.That(statistics.WarpInstructionsOf(InstructionKind.Barrier), Is.EqualTo(2));
            Assert.That(statistics.Branches, Is.EqualTo(2));
            Assert.That(statistics.DivergentBranches, Is.EqualTo(1));
        }
    }

    // Lanes leave the loop one after another, and in it half of them go another way: whose turn it is shows in how many instructions warps execute.
    [Test]
    public void A_block_counts_the_same_whatever_blocks_its_worker_executed_before([Values(2, 3)] int workers)
    {
        const string Body = """
            mad.lo.u32 %v, %t, 3, 100;
            mov.u32 %u, 0;
            LOOP: and.b32 %w, %t, 1; setp.eq.u32 %p, %w, 0; @%p bra EVEN;
            add.u32 %u, %u, 1; bra NEXT;
            EVEN: add.u32 %u, %u, 1;
            NEXT: setp.lt.u32 %p, %u, %v; @%p bra LOOP;
            """;
        LaunchStatistics Run(int workers)
        {
            using EmulatorHarness harness = new(Kernel(Body));
            harness.Options = new EmulationOptions { Counters = true, Workers = workers };
            return harness.Launch("test", new(64), new(32), 0, harness.Upload(new float[1]));
        }

        Assert.That(Run(workers).WarpInstructions, Is.EqualTo(Run(1).WarpInstructions));
    }
}
