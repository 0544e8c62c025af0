using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Every promised detection finds its planted bug, with kernel, block, thread and line; the repaired kernel is clean.</summary>
public sealed class DetectionTests
{
    private EmulatorHarness harness = null!;

    [SetUp]
    public void Load() => harness = EmulatorHarness.FromResource("bugs");

    [TearDown]
    public void Unload() => harness.Dispose();

    private static void AssertFound(EmulationException fault, EmulationFault kind, string kernel, string text, LaunchIndex? thread = null)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault.Fault, Is.EqualTo(kind), fault.Message);
            Assert.That(fault.Kernel, Is.EqualTo(kernel));
            Assert.That(fault.Block, Is.Not.Null);
            Assert.That(fault.Thread, thread is null ? Is.Not.Null : Is.EqualTo(thread));
            Assert.That(fault.SourceFile, Is.EqualTo("bugs.cu"));
            Assert.That(fault.SourceLine, Is.EqualTo(LineOf(kernel)), fault.Message);
            Assert.That(fault.Instruction, Is.Not.Empty);
            Assert.That(fault.Message, Does.Contain(text));
        }
    }

    private static int LineOf(string kernel)
    {
        string[] lines = EmulatorHarness.Source("bugs");
        return Array.FindIndex(lines, line => line.EndsWith("// BUG " + kernel, StringComparison.Ordinal)) + 1;
    }

    private ulong Zeros(int count) => harness.Upload(new int[count]);

    [Test]
    public void A_missing_barrier_is_a_race_for_every_seed([Range(0, 9)] int seed)
    {
        harness.Options = new EmulationOptions { ScheduleSeed = (ulong)seed, Workers = 1 };
        EmulationException fault = harness.LaunchFault("missing_barrier", new(3), new(128), 0, harness.Reserve<int>(128));
        // Either the read comes first or the write it collides with: both lines are in the message.
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.SharedMemoryRace).Or.EqualTo(EmulationFault.Uninitialised), fault.Message);
        Assert.That(fault.Kernel, Is.EqualTo("missing_barrier"));
        Assert.That(fault.Message, Does.Contain($"bugs.cu:{LineOf("missing_barrier")}"));
    }

    [Test]
    public void The_repaired_barrier_is_clean()
    {
        ulong target = harness.Reserve<int>(128);
        harness.Launch("missing_barrier_repaired", new(3), new(128), 0, target);
        Assert.That(harness.Download<int>(target, 128), Is.EqualTo(Enumerable.Range(0, 128).Select(k => 127 - k)));
    }

    [TestCase("write_write", 64, "a store by thread")]
    [TestCase("warp_synchronous", 32, "a store by thread")]
    [TestCase("plain_read_of_atomic", 64, "have neither barrier nor __syncwarp() between them")]
    public void A_race_is_found_and_its_repair_is_clean(string kernel, int threads, string text)
    {
        AssertFound(harness.LaunchFault(kernel, new(2), new((uint)threads), 0, Zeros(64), 0), EmulationFault.SharedMemoryRace, kernel, text);
        Assert.DoesNotThrow(() => harness.Launch(kernel, new(2), new((uint)threads), 0, Zeros(64), 1));
    }

    [Test]
    public void A_write_after_an_unordered_read_is_found_in_either_order([Range(0, 5)] int seed)
    {
        harness.Options = new EmulationOptions { ScheduleSeed = (ulong)seed };
        EmulationException fault = harness.LaunchFault("write_after_read", new(2), new(64), 0, Zeros(64), 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.SharedMemoryRace));
        Assert.That(fault.Message, Does.Contain($"bugs.cu:{LineOf("write_after_read")}"));
        Assert.DoesNotThrow(() => harness.Launch("write_after_read", new(2), new(64), 0, Zeros(64), 1));
    }

    [Test]
    public void An_index_one_too_far_is_found_with_its_thread()
    {
        ulong source = harness.Upload(new int[100]);
        AssertFound(harness.LaunchFault("off_by_one", new(4), new(32), 0, source, harness.Reserve<int>(100), 100),
            EmulationFault.OutOfBounds, "off_by_one", "which ends 4 bytes behind the allocation of 400 bytes", new LaunchIndex(4, 0, 0));
        Assert.DoesNotThrow(() => harness.Launch("off_by_one_repaired", new(4), new(32), 0, source, harness.Reserve<int>(100), 100));
    }

    [Test]
    public void Shared_and_local_overruns_and_null_pointers_are_found()
    {
        AssertFound(harness.LaunchFault("shared_overrun", new(1), new(64), 256, Zeros(64), 0), EmulationFault.OutOfBounds, "shared_overrun", "which ends 4 bytes behind d (256 bytes)", new LaunchIndex(63, 0, 0));
        AssertFound(harness.LaunchFault("local_overrun", new(1), new(64), 0, Zeros(64), 4), EmulationFault.OutOfBounds, "local_overrun", "local memory");
        AssertFound(harness.LaunchFault("null_pointer", new(1), new(64), 0, Zeros(64), 0ul, 0), EmulationFault.OutOfBounds, "null_pointer", "null pointer", new LaunchIndex(5, 0, 0));
        Assert.DoesNotThrow(() => harness.Launch("shared_overrun", new(1), new(64), 256, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("local_overrun", new(1), new(64), 0, Zeros(64), 3));
        Assert.DoesNotThrow(() => harness.Launch("null_pointer", new(1), new(64), 0, Zeros(64), 0ul, 1));
    }

    [Test]
    public void A_misaligned_vector_is_found()
    {
        ulong source = harness.Upload(new float[132]);
        AssertFound(harness.LaunchFault("misaligned_vector", new(1), new(32), 0, source, harness.Reserve<float>(128), 1), EmulationFault.Misaligned, "misaligned_vector", "no multiple of 16", new LaunchIndex(0, 0, 0));
        Assert.DoesNotThrow(() => harness.Launch("misaligned_vector", new(1), new(32), 0, source, harness.Reserve<float>(128), 4));
    }

    [Test]
    public void Reads_of_what_was_never_written_are_found_in_every_space()
    {
        ulong source = harness.Reserve<float>(64);
        harness.Memory.Write(source, new byte[4 * 40]);
        AssertFound(harness.LaunchFault("uninitialised_global", new(1), new(64), 0, source, harness.Reserve<float>(64)), EmulationFault.Uninitialised, "uninitialised_global", "byte 160 of the allocation", new LaunchIndex(40, 0, 0));
        AssertFound(harness.LaunchFault("uninitialised_shared", new(1), new(64), 0, Zeros(64), 0), EmulationFault.Uninitialised, "uninitialised_shared", "shared memory", new LaunchIndex(0, 0, 0));
        AssertFound(harness.LaunchFault("uninitialised_local", new(1), new(64), 0, Zeros(64), 5, 6), EmulationFault.Uninitialised, "uninitialised_local", "local memory");
        AssertFound(harness.LaunchFault("uninitialised_register", new(1), new(64), 0, Zeros(64), 0), EmulationFault.Uninitialised, "uninitialised_register", "register r");
        harness.Memory.Write(source, new byte[4 * 64]);
        Assert.DoesNotThrow(() => harness.Launch("uninitialised_global", new(1), new(64), 0, source, harness.Reserve<float>(64)));
        Assert.DoesNotThrow(() => harness.Launch("uninitialised_shared", new(1), new(64), 0, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("uninitialised_local", new(1), new(64), 0, Zeros(64), 8, 6));
        Assert.DoesNotThrow(() => harness.Launch("uninitialised_register", new(1), new(64), 0, Zeros(64), 1));
    }

    [Test]
    public void Poisoned_memory_counts_as_never_written()
    {
        ulong source = harness.Upload(new float[64]);
        harness.Memory.Poison(source + 20, 4);
        AssertFound(harness.LaunchFault("uninitialised_global", new(1), new(64), 0, source, harness.Reserve<float>(64)), EmulationFault.Uninitialised, "uninitialised_global", "byte 20", new LaunchIndex(5, 0, 0));
    }

    [Test]
    public void Poison_leaves_what_was_written_elsewhere_in_the_allocation_written()
    {
        ulong source = harness.Reserve<float>(64);
        harness.Memory.Write(source, new byte[4 * 32]);
        harness.Memory.Poison(source + 20, 4);
        bool[] written = new bool[4 * 64];
        harness.Memory.ReadInitialised(source, written);
        Assert.That(written, Is.EqualTo(Enumerable.Range(0, written.Length).Select(static i => i is < 20 or >= 24 and < 128)));
    }

    [Test]
    public void Barriers_under_divergence_and_deadlocks_are_found()
    {
        AssertFound(harness.LaunchFault("divergent_barrier", new(1), new(64), 0, Zeros(64), 0), EmulationFault.BarrierDivergence, "divergent_barrier", "under divergence");
        AssertFound(harness.LaunchFault("divergent_warps", new(1), new(64), 0, Zeros(64), 0), EmulationFault.BarrierDivergence, "divergent_warps", "under divergence");
        EmulationException deadlock = harness.LaunchFault("deadlock", new(1), new(64), 0, Zeros(64), 0);
        Assert.That(deadlock.Fault, Is.EqualTo(EmulationFault.Deadlock));
        Assert.That(deadlock.Message, Does.Contain($"bugs.cu:{LineOf("deadlock")}").And.Contain("barrier 1").And.Contain("barrier 2"));
        Assert.DoesNotThrow(() => harness.Launch("divergent_barrier", new(1), new(64), 0, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("divergent_warps", new(1), new(64), 0, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("deadlock", new(1), new(64), 0, Zeros(64), 1));
    }

    [Test]
    public void Lanes_that_skip_a_barrier_and_end_are_found_but_not_those_that_return_early([Values(1, 2, 3)] int seed)
    {
        harness.Options = new EmulationOptions { ScheduleSeed = (ulong)seed };
        AssertFound(harness.LaunchFault("half_warp_barrier", new(2), new(64), 0, Zeros(64), 0), EmulationFault.BarrierDivergence, "half_warp_barrier", "lanes 16-31 of the warp ended without coming to it", null);
        Assert.That(harness.Launch("half_warp_barrier", new(2), new(64), 0, Zeros(64), 1).PartialBarriers, Is.Zero);
        LaunchStatistics early = harness.Launch("early_return", new(3), new(64), 0, harness.Upload(Enumerable.Range(0, 150).ToArray()), harness.Reserve<int>(150), 150);
        Assert.That(early.PartialBarriers, Is.EqualTo(1), "threads 150 to 159 return in the last block's first warp, 160 to 191 are a warp of their own");
        Assert.That(harness.Launch("early_return", new(3), new(64), 0, Zeros(192), harness.Reserve<int>(192), 192).PartialBarriers, Is.Zero);
    }

    [Test]
    public void A_shuffle_may_name_ended_lanes_but_not_read_them()
    {
        Assert.DoesNotThrow(() => harness.Launch("shuffle_from_ended_lane", new(1), new(32), 0, Zeros(64), 32));
        Assert.DoesNotThrow(() => harness.Launch("shuffle_names_ended_lanes", new(1), new(32), 0, Zeros(64)));
        Assert.That(harness.LaunchFault("shuffle_from_ended_lane", new(1), new(32), 0, Zeros(64), 20).Detail, Does.Contain("which has ended"));
    }

    [Test]
    public void Bad_member_masks_are_found()
    {
        AssertFound(harness.LaunchFault("bad_shuffle_mask", new(1), new(32), 0, Zeros(64), 0), EmulationFault.WarpSynchronization, "bad_shuffle_mask", "lanes that never come");
        AssertFound(harness.LaunchFault("shuffle_without_itself", new(1), new(32), 0, Zeros(64), 0), EmulationFault.WarpSynchronization, "shuffle_without_itself", "does not name it", new LaunchIndex(16, 0, 0));
        AssertFound(harness.LaunchFault("shuffle_from_ended_lane", new(1), new(32), 0, Zeros(64), 20), EmulationFault.WarpSynchronization, "shuffle_from_ended_lane", "lane 20, which has ended", new LaunchIndex(19, 0, 0));
        Assert.DoesNotThrow(() => harness.Launch("bad_shuffle_mask", new(1), new(32), 0, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("shuffle_without_itself", new(1), new(32), 0, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("shuffle_from_ended_lane", new(1), new(32), 0, Zeros(64), 32));
    }

    [Test]
    public void Writes_to_constant_data_and_to_the_read_only_path_are_found()
    {
        AssertFound(harness.LaunchFault("constant_write", new(1), new(32), 0, Zeros(64), 0), EmulationFault.ReadOnlyWrite, "constant_write", "the variable fixed of 16 bytes, which is constant");
        ulong data = Zeros(64);
        AssertFound(harness.LaunchFault("restrict_lie", new(1), new(64), 0, data, data), EmulationFault.ReadOnlyWrite, "restrict_lie", "read-only path");
        Assert.DoesNotThrow(() => harness.Launch("constant_write", new(1), new(4), 0, Zeros(64), 1));
        Assert.DoesNotThrow(() => harness.Launch("restrict_lie", new(1), new(64), 0, data, Zeros(64)));
        Assert.DoesNotThrow(() => harness.Launch("restrict_lie", new(1), new(32), 0, data, data + 128), "another part of the same allocation");
    }

    [Test]
    public void Use_after_free_is_found()
    {
        ulong source = harness.Upload(new float[64]);
        harness.Memory.Free(source);
        AssertFound(harness.LaunchFault("uninitialised_global", new(1), new(64), 0, source, harness.Reserve<float>(64)), EmulationFault.UseAfterFree, "uninitialised_global", "was freed");
    }

    [Test]
    public void Reading_an_asynchronous_copy_before_waiting_is_found()
    {
        ulong source = harness.Upload(new int[128]);
        AssertFound(harness.LaunchFault("early_read_of_copy", new(1), new(32), 0, source, Zeros(128), 0), EmulationFault.SharedMemoryRace, "early_read_of_copy", "asynchronous copy");
        Assert.DoesNotThrow(() => harness.Launch("early_read_of_copy", new(1), new(32), 0, source, Zeros(128), 1));
    }

    [Test]
    public void Traps_assertions_and_unknown_instructions_stop_with_their_line()
    {
        AssertFound(harness.LaunchFault("trapped", new(2), new(32), 0, Zeros(64), 0), EmulationFault.Trap, "trapped", "trap", new LaunchIndex(3, 0, 0));
        AssertFound(harness.LaunchFault("asserted", new(2), new(32), 0, Zeros(64), 0), EmulationFault.Assertion, "asserted", "\"x > 0\" of model.cu:12", new LaunchIndex(9, 0, 0));
        AssertFound(harness.LaunchFault("unknown_instruction", new(2), new(32), 0, Zeros(64), 0), EmulationFault.Unsupported, "unknown_instruction", "vadd.s32.s32.s32");
        foreach (string kernel in new[] { "trapped", "asserted", "unknown_instruction" })
            Assert.DoesNotThrow(() => harness.Launch(kernel, new(2), new(32), 0, Zeros(64), 1));
    }

    [Test]
    public void A_kernel_that_never_ends_is_stopped_by_the_budget_and_the_process_goes_on()
    {
        harness.Options = new EmulationOptions { InstructionBudget = 100_000 };
        EmulationException fault = harness.LaunchFault("endless", new(2), new(32), 0, Zeros(1), 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.InstructionBudget));
        Assert.That(fault.Message, Does.Contain("100000"));
        Assert.DoesNotThrow(() => harness.Launch("endless", new(2), new(32), 0, Zeros(1), 1));
    }

    [Test]
    public void The_reported_fault_does_not_depend_on_workers([Values(1, 2, 7)] int workers)
    {
        harness.Options = new EmulationOptions { Workers = workers };
        ulong source = harness.Upload(new int[100]);
        EmulationException fault = harness.LaunchFault("off_by_one", new(40), new(8), 0, source, harness.Reserve<int>(100), 300);
        Assert.That(fault.Block, Is.EqualTo(new LaunchIndex(12, 0, 0)));
        Assert.That(fault.Thread, Is.EqualTo(new LaunchIndex(4, 0, 0)));
    }
}
