using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Launches whose blocks are all there at once and meet at the barrier of CUDA's cooperative groups.</summary>
public sealed class CooperativeLaunchTests
{
    private EmulatorHarness harness = null!;

    [SetUp]
    public void Load()
    {
        harness = EmulatorHarness.FromResource("cooperative");
        harness.IsCooperative = true;
    }

    [TearDown]
    public void Unload() => harness.Dispose();

    [Test]
    public void Blocks_meet_again_and_again_for_any_number_of_workers_and_any_schedule([Values(1, 2, 7)] int workers, [Values(0ul, 1ul, 2ul)] ulong seed)
    {
        const int Rounds = 5;
        harness.Options = new EmulationOptions { Workers = workers, ScheduleSeed = seed };
        int[] numbers = [.. Enumerable.Range(0, 1000)];
        (ulong from, ulong to) = (harness.Upload(numbers), harness.Reserve<int>(numbers.Length));
        long allocated = harness.Memory.AllocatedBytes;
        for (int launch = 1; launch <= 2; launch++)
        {
            harness.Launch("grid_reverse", new(3, 2, 2), new(8, 4, 2), 0, from, to, numbers.Length, Rounds);
            (from, to) = (to, from);
            Assert.That(harness.Download<int>(from, numbers.Length), Is.EqualTo(launch % 2 == 0 ? numbers.Select(static i => i + 2 * Rounds) : numbers.Reverse().Select(static i => i + Rounds)));
        }

        Assert.That(harness.Memory.AllocatedBytes, Is.EqualTo(allocated), "the place where blocks meet is given back");
    }

    [Test]
    public void As_many_blocks_meet_as_the_device_holds()
    {
        // 2048 threads of each of 108 multiprocessors.
        int[] ones = new int[216 * 1024];
        (ulong from, ulong to) = (harness.Upload(ones), harness.Reserve<int>(ones.Length));
        harness.Launch("grid_reverse", new(216), new(1024), 0, from, to, ones.Length, 2);
        Assert.That(harness.Download<int>(from, ones.Length), Has.All.EqualTo(2));
        EmulationException refused = harness.LaunchFault("grid_reverse", new(217), new(1024), 0, from, to, ones.Length, 2);
        Assert.That(refused.Fault, Is.EqualTo(EmulationFault.Launch));
        Assert.That(refused.Message, Does.Contain("All 217 blocks of a cooperative launch must be there at once; the device holds 216 of 1024 threads and 0 bytes of shared memory"));
        refused = harness.LaunchFault("grid_reverse", new(109), new(64), 100_000, from, to, ones.Length, 2);
        Assert.That(refused.Message, Does.Contain("All 109 blocks of a cooperative launch must be there at once; the device holds 108 of 64 threads and 100000 bytes of shared memory"));
    }

    [Test]
    public void More_than_the_host_has_for_blocks_is_refused()
    {
        using EmulatorHarness large = new("""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry k()
            {
            .local .align 8 .b8 room[16384];
            ret;
            }
            """)
        { IsCooperative = true };
        EmulationException refused = large.LaunchFault("k", new(100), new(1024), 0);
        Assert.That(refused.Message, Does.Match("All 100 blocks of a cooperative launch must be there at once and take 3[0-9]{7} bytes of the host each; the emulator gives them 1073741824"));
        large.IsCooperative = false;
        Assert.DoesNotThrow(() => large.Launch("k", new(100), new(1024), 0));
    }

    [Test]
    public void Only_a_cooperative_launch_is_a_valid_group_of_all_blocks([Values] bool cooperative)
    {
        harness.IsCooperative = cooperative;
        ulong output = harness.Reserve<int>(6 * 32);
        harness.Launch("grid_facts", new(6), new(32), 0, output);
        Assert.That(harness.Download<int>(output, 6 * 32), Has.All.EqualTo(cooperative ? 192 : -1));
    }

    [Test]
    public void Without_the_barrier_what_other_blocks_wrote_is_a_fault_whatever_the_order([Values(1, 2, 7)] int workers, [Values(0ul, 1ul, 2ul)] ulong seed)
    {
        harness.Options = new EmulationOptions { Workers = workers, ScheduleSeed = seed };
        (ulong partial, ulong sum) = (harness.Reserve<int>(9), harness.Upload(new int[1]));
        EmulationException fault = harness.LaunchFault("grid_sum", new(9), new(64), 0, partial, sum, 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.GlobalMemoryRace).Or.EqualTo(EmulationFault.Uninitialised), fault.Message);
        Assert.That(EmulatorHarness.Source("cooperative")[fault.SourceLine!.Value - 1], Does.Contain("BUG grid_sum").Or.Contain("partial[blockIdx.x] = "));
        harness.Launch("grid_sum", new(9), new(64), 0, harness.Reserve<int>(9), sum, 1);
        Assert.That(harness.Download<int>(sum, 1), Is.EqualTo(new[] { 45 }));
    }

    [Test]
    public void A_barrier_that_a_block_never_comes_to_ends_with_the_instruction_budget([Values(1, 2)] int workers)
    {
        harness.Options = new EmulationOptions { Workers = workers, InstructionBudget = 1_000_000 };
        ulong output = harness.Reserve<int>(4);
        long allocated = harness.Memory.AllocatedBytes;
        EmulationException fault = harness.LaunchFault("grid_barrier_missed", new(4), new(64), 0, output, 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.InstructionBudget), fault.Message);
        Assert.That(EmulatorHarness.Source("cooperative")[fault.CallerLine!.Value - 1], Does.Contain("BUG grid_barrier_missed"));
        Assert.That(harness.Memory.AllocatedBytes, Is.EqualTo(allocated));
        Assert.DoesNotThrow(() => harness.Launch("grid_barrier_missed", new(4), new(64), 0, output, 1));
    }

    [Test]
    public void An_ordinary_launch_traps_at_the_barrier_and_says_why()
    {
        harness.IsCooperative = false;
        EmulationException fault = harness.LaunchFault("grid_sum", new(2), new(64), 0, harness.Reserve<int>(2), harness.Reserve<int>(1), 1);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Launch));
        Assert.That(fault.Message, Does.StartWith("The kernel executed trap, as grid.sync() does without a cooperative launch, in kernel grid_sum"));
    }
}
