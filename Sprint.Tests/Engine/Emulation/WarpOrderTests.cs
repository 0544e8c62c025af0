using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// What orders threads of a block besides barriers: a fence, a word that is written behind it and its reader. What lacks a part of that is found under every
/// schedule and for any number of workers; what has all is clean and computes what its source says.
/// </summary>
public sealed class WarpOrderTests
{
    private const int Blocks = 4;

    private delegate void Launch(EmulatorHarness harness, int repaired);

    private static readonly Dictionary<string, (EmulationFault Fault, Launch Launch)> Bugs = new()
    {
        ["counted_too_soon"] = (EmulationFault.GlobalMemoryRace, (h, repaired) => Run(h, "counted_too_soon", 64, Zeros(h, Blocks * 64), Zeros(h, 1), h.Reserve<int>(64), repaired)),
        ["shared_behind_fences"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "shared_behind_fences", 64, h.Reserve<int>(32), repaired)),
        ["global_behind_fences"] = (EmulationFault.GlobalMemoryRace, (h, repaired) => Run(h, "global_behind_fences", 64, Zeros(h, Blocks * 32), Zeros(h, Blocks), h.Reserve<int>(Blocks * 32), repaired)),
        ["flag_before_fence"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "flag_before_fence", 64, h.Reserve<int>(Blocks), repaired)),
        ["shared_lock_unfenced"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "shared_lock_unfenced", 64, h.Reserve<int>(Blocks), repaired)),
        ["hearsay"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "hearsay", 96, h.Reserve<int>(Blocks), repaired)),
        ["shared_counter_reset"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "shared_counter_reset", 64, h.Reserve<int>(Blocks * 64), repaired)),
        ["uncached_in_shared"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "uncached_in_shared", 64, h.Reserve<int>(Blocks * 64), repaired)),
        ["group_reads_first"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "group_reads_first", 64, h.Reserve<int>(Blocks * 64), repaired)),
        ["strong_and_plain 0"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "strong_and_plain", 64, h.Reserve<int>(Blocks), 0, repaired)),
        ["strong_and_plain 1"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "strong_and_plain", 64, h.Reserve<int>(Blocks), 1, repaired)),
        ["strong_and_plain 2"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "strong_and_plain", 64, h.Reserve<int>(Blocks), 2, repaired)),
        ["strong_and_plain 3"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "strong_and_plain", 64, h.Reserve<int>(Blocks), 3, repaired)),
        ["half_warps_meet"] = (EmulationFault.SharedMemoryRace, (h, repaired) => Run(h, "half_warps_meet", 64, h.Reserve<int>(Blocks * 64), repaired)),
    };

    private static readonly Dictionary<string, Action<EmulatorHarness>> Ordered = new()
    {
        ["warps_in_turn"] = h =>
        {
            ulong sums = h.Reserve<int>(Blocks);
            Run(h, "warps_in_turn", 128, h.Reserve<int>(Blocks), Zeros(h, Blocks), sums);
            Assert.That(h.Download<int>(sums, Blocks), Has.All.EqualTo(10010));
        },
        ["locks_of_lanes"] = h =>
        {
            ulong sums = h.Reserve<int>(Blocks * 64);
            Run(h, "locks_of_lanes", 64, Zeros(h, Blocks), h.Reserve<int>(Blocks), sums);
            Assert.That(h.Download<int>(sums, Blocks * 64), Has.All.EqualTo(2016 * 10001));
        },
        ["last_warp_goes_on"] = h =>
        {
            ulong parts = h.Reserve<int>(Blocks * 4);
            Run(h, "last_warp_goes_on", 96, h.Reserve<int>(Blocks), h.Reserve<int>(Blocks * 4), parts);
            Assert.That(h.Download<int>(parts, Blocks * 4), Has.All.EqualTo(6));
        },
        ["released_in_block"] = h =>
        {
            ulong target = h.Reserve<int>(Blocks * 32);
            Run(h, "released_in_block", 64, target);
            Assert.That(h.Download<int>(target, Blocks * 32), Is.EqualTo(Enumerable.Range(0, Blocks * 32).Select(k => (31 - k % 32) * 3)));
        },
        ["copies_with_flags"] = h =>
        {
            ulong target = h.Reserve<int>(3 * 128);
            h.Launch("copies_with_flags", new(1), new(64), 0, h.Upload(Enumerable.Range(0, 3 * 128).ToArray()), target, 3);
            Assert.That(h.Download<int>(target, 3 * 128), Is.EqualTo(Enumerable.Range(0, 3 * 128).Select(k => k / 128 * 128 + (31 - k % 128 / 4) * 4 + k % 4)));
        },
        ["round_trip"] = h =>
        {
            ulong target = h.Reserve<int>(1);
            h.Launch("round_trip", new(2), new(64), 0, h.Reserve<int>(1), Zeros(h, 1), Zeros(h, 1), target);
            Assert.That(h.Download<int>(target, 1)[0], Is.EqualTo(11));
        },
        ["flags_by_pointer"] = h =>
        {
            for (int global = 0; global < 2; global++)
            {
                ulong target = h.Reserve<int>(Blocks * 32);
                Run(h, "flags_by_pointer", 64, h.Reserve<int>(Blocks * 32), Zeros(h, Blocks), target, global);
                Assert.That(h.Download<int>(target, Blocks * 32), Is.EqualTo(Enumerable.Range(0, Blocks * 32).Select(k => 31 - k % 32)));
            }
        },
    };

    private static IEnumerable<string> BugNames => Bugs.Keys;

    private static IEnumerable<string> OrderedNames => Ordered.Keys;

    private static void Run(EmulatorHarness harness, string kernel, uint threads, params object[] arguments) => harness.Launch(kernel, new(Blocks), new(threads), 0, arguments);

    private static ulong Zeros(EmulatorHarness harness, int count) => harness.Upload(new int[count]);

    /// <summary>Whoever counts first: the warp of the thread that clears, or another, which then reads what nobody has written.</summary>
    [Test]
    public void A_counter_that_one_who_counts_has_cleared_is_found_under_every_schedule([Values(1, 2, 7)] int workers)
    {
        using EmulatorHarness repaired = EmulatorHarness.FromResource("warps");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("warps");
            harness.Options = repaired.Options = options;
            EmulationException fault = Assert.Throws<EmulationException>(() => Run(harness, "cleared_by_counter", 64, harness.Reserve<int>(Blocks * 64), 0), $"seed {options.ScheduleSeed}")!;
            Assert.That(fault.Fault, Is.EqualTo(EmulationFault.SharedMemoryRace).Or.EqualTo(EmulationFault.Uninitialised), fault.Message);
            Assert.DoesNotThrow(() => Run(repaired, "cleared_by_counter", 64, repaired.Reserve<int>(Blocks * 64), 1), $"seed {options.ScheduleSeed}");
        }
    }

    [Test]
    public void What_lacks_a_part_of_the_order_is_found_under_every_schedule_with_kernel_block_thread_and_both_lines([ValueSource(nameof(BugNames))] string bug, [Values(1, 2, 7)] int workers)
    {
        string kernel = bug.Split(' ')[0];
        int[] places = EmulatorHarness.LinesThatEnd("warps", "BUG " + kernel, "LATE " + kernel);
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("warps");
            harness.Options = options;
            EmulationException fault = Assert.Throws<EmulationException>(() => Bugs[bug].Launch(harness, 0), $"seed {options.ScheduleSeed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(fault.Fault, Is.EqualTo(Bugs[bug].Fault), fault.Message);
                Assert.That(fault.Kernel, Is.EqualTo(kernel));
                Assert.That(fault.Block, Is.Not.Null);
                Assert.That(fault.Thread, Is.Not.Null);
                Assert.That(places, Does.Contain(fault.SourceLine), fault.Message);
                Assert.That(places.Any(place => fault.Detail.Contains($"at warps.cu:{place} ", StringComparison.Ordinal)), fault.Message);
            }
        }
    }

    [Test]
    public void Its_repair_is_clean_under_every_schedule([ValueSource(nameof(BugNames))] string kernel, [Values(1, 2, 7)] int workers)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("warps");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Assert.DoesNotThrow(() => Bugs[kernel].Launch(harness, 1), $"seed {options.ScheduleSeed}");
        }
    }

    [Test]
    public void Threads_that_order_each_other_by_words_of_memory_are_clean_and_right([ValueSource(nameof(OrderedNames))] string kernel, [Values(1, 2, 7)] int workers)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("warps");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Ordered[kernel](harness);
        }
    }
}
