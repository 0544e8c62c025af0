using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Races in global memory are found under every schedule and for any number of workers; kernels whose blocks order each other, and the repaired ones, are clean.</summary>
public sealed class GlobalRaceTests
{
    private const int Blocks = 3;

    private delegate LaunchStatistics Launch(EmulatorHarness harness, int repaired);

    private static readonly Dictionary<string, Launch> Bugs = new()
    {
        ["missing_publication"] = (h, repaired) => Run(h, "missing_publication", Zeros(h, Blocks), Zeros(h, 1), Zeros(h, 1), repaired),
        ["narrow_fence"] = (h, repaired) => Run(h, "narrow_fence", Zeros(h, Blocks), Zeros(h, 1), Zeros(h, 1), repaired),
        ["flag_without_barrier"] = (h, repaired) => Run(h, "flag_without_barrier", Zeros(h, 64), Zeros(h, 1), Zeros(h, 128), repaired),
        ["late_fence"] = (h, repaired) => Run(h, "late_fence", Zeros(h, 1), Zeros(h, 1), Zeros(h, Blocks), repaired),
        ["same_element"] = (h, repaired) => Run(h, "same_element", h.Reserve<int>(192), repaired),
        ["plain_histogram"] = (h, repaired) => Run(h, "plain_histogram", h.Upload(Enumerable.Range(0, 192).ToArray()), Zeros(h, 8), repaired),
        ["stencil_in_place"] = (h, repaired) => Run(h, "stencil_in_place", h.Upload(new float[192]), h.Reserve<float>(192), 192, repaired),
        ["counter_peeked"] = (h, repaired) => Run(h, "counter_peeked", Zeros(h, 1), Zeros(h, 300), 100, repaired),
        ["counter_reset_late"] = (h, repaired) => Run(h, "counter_reset_late", Zeros(h, 1), repaired),
        ["counter_reset_early"] = (h, repaired) => Run(h, "counter_reset_early", Zeros(h, Blocks), Zeros(h, 1), Zeros(h, 1), repaired),
        ["counter_reset_too_soon"] = (h, repaired) => Run(h, "counter_reset_too_soon", Zeros(h, 1), repaired),
        ["failing_swap"] = (h, repaired) => Run(h, "failing_swap", Zeros(h, 1), Zeros(h, 1), Zeros(h, Blocks), repaired),
        ["unfenced_lock"] = (h, repaired) => Run(h, "unfenced_lock", Zeros(h, 1), Zeros(h, 1), repaired),
        ["split_sum"] = (h, repaired) => Run(h, "split_sum", h.Upload(new float[64]), Zeros(h, 1), repaired),
        ["warps_of_a_block"] = (h, repaired) => Run(h, "warps_of_a_block", Zeros(h, 192), Zeros(h, 192), repaired),
        ["variable_of_the_module"] = (h, repaired) => Run(h, "variable_of_the_module", repaired),
        ["pointers_from_memory"] = (h, repaired) => Run(h, "pointers_from_memory", h.Upload(new[] { Zeros(h, 64), Zeros(h, 64), Zeros(h, 64) }), repaired),
    };

    private static readonly Dictionary<string, Launch> Clean = new()
    {
        ["neighbouring_bytes"] = (h, _) => Run(h, "neighbouring_bytes", h.Reserve<byte>(192), h.Reserve<ushort>(192)),
        ["same_value"] = (h, _) => Run(h, "same_value", Zeros(h, 1), h.Reserve<float>(256)),
        ["add_by_swap"] = (h, _) => Run(h, "add_by_swap", h.Upload(new double[1])),
        ["counters_start_over"] = (h, _) => Run(h, "counters_start_over", Zeros(h, 1), Zeros(h, 1), Zeros(h, 1)),
        ["states_and_values"] = (h, _) => Run(h, "states_and_values", h.Upload(new ulong[Blocks]), h.Reserve<int>(Blocks)),
        ["states_by_pointer"] = (h, _) =>
        {
            ulong sums = h.Reserve<int>(Blocks);
            LaunchStatistics statistics = Run(h, "states_by_pointer", h.Upload(new byte[Blocks]), h.Reserve<long>(Blocks), sums);
            Assert.That(h.Download<int>(sums, Blocks), Is.EqualTo(new[] { 0, 1, 3 }));
            return statistics;
        },
        ["release_and_acquire"] = (h, _) => Run(h, "release_and_acquire", h.Reserve<int>(192), Zeros(h, Blocks), h.Reserve<int>(192)),
    };

    private static IEnumerable<string> BugNames => Bugs.Keys;

    private static IEnumerable<string> CleanNames => Clean.Keys;

    private static LaunchStatistics Run(EmulatorHarness harness, string kernel, params object[] arguments) => harness.Launch(kernel, new(Blocks), new(64), 0, arguments);

    private static ulong Zeros(EmulatorHarness harness, int count) => harness.Upload(new int[count]);

    private static EmulationOptions Options(uint seed) => new() { ScheduleSeed = seed * 987654321, Workers = (int)(seed % 3) + 1 };

    [Test]
    public void A_race_is_found_under_every_schedule_with_kernel_blocks_array_and_both_lines([ValueSource(nameof(BugNames))] string kernel)
    {
        int[] places = EmulatorHarness.LinesThatEnd("races", "BUG " + kernel, "LATE " + kernel);
        for (uint seed = 0; seed < 12; seed++)
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("races");
            harness.Options = Options(seed);
            EmulationException fault = Assert.Throws<EmulationException>(() => Bugs[kernel](harness, 0), $"seed {seed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(fault.Fault, Is.EqualTo(EmulationFault.GlobalMemoryRace), fault.Message);
                Assert.That(fault.Kernel, Is.EqualTo(kernel));
                Assert.That(fault.Block, Is.Not.Null);
                Assert.That(fault.Thread, Is.Not.Null);
                Assert.That(places, Does.Contain(fault.SourceLine), fault.Message);
                Assert.That(places.Any(place => fault.Detail.Contains($"at races.cu:{place} ", StringComparison.Ordinal)), fault.Message);
                Assert.That(fault.Detail, Does.Contain(kernel == "variable_of_the_module" ? "the variable device_total of 4 bytes" : kernel == "pointers_from_memory" ? "the allocation of 256 bytes" : "(argument "));
                string place = kernel == "warps_of_a_block" ? "block" : "other";
                if (kernel is "plain_histogram" or "counter_peeked")
                    place = fault.Detail.Contains("of the same warp", StringComparison.Ordinal) ? "warp" : fault.Detail.Contains("of the same block", StringComparison.Ordinal) ? "block" : "other";
                Assert.That(fault.Detail, place switch
                {
                    "warp" => Does.Contain("__syncwarp()"),
                    "block" => Does.Contain("of the same block").And.Contain("barrier"),
                    _ => Does.Match(@"of block \([012],0,0\)").And.Not.Contain($"of block {fault.Block}"),
                });
            }
        }
    }

    [Test]
    public void A_repaired_kernel_is_clean_under_every_schedule([ValueSource(nameof(BugNames))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        for (uint seed = 0; seed < 12; seed++)
        {
            harness.Options = Options(seed);
            Assert.DoesNotThrow(() => Bugs[kernel](harness, 1), $"seed {seed}");
        }
    }

    [Test]
    public void What_is_ordered_or_harmless_is_clean_under_every_schedule([ValueSource(nameof(CleanNames))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        for (uint seed = 0; seed < 12; seed++)
        {
            harness.Options = Options(seed);
            Assert.DoesNotThrow(() => Clean[kernel](harness, 0), $"seed {seed}");
        }
    }

    [Test]
    public void Blocks_that_meet_at_a_barrier_of_their_own_are_ordered_for_any_number_of_workers([Values(2, 13, 108)] int blocks, [Values(1, 2, 5)] int workers)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        for (uint seed = 0; seed < 4; seed++)
        {
            harness.Options = new EmulationOptions { ScheduleSeed = seed, Workers = workers };
            int count = blocks * 64;
            ulong target = harness.Reserve<int>(2 * count);
            harness.Launch("blocks_meet", new((uint)blocks), new(64), 0, harness.Reserve<int>(count), Zeros(harness, 1), target);
            Assert.That(harness.Download<int>(target, 2 * count), Is.EqualTo(Enumerable.Range(0, 2 * count).Select(k => k / count * 1000 + (k + 64) % count)));
        }
    }

    [Test]
    public void Launches_are_ordered_one_after_another()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        ulong rows = Zeros(harness, 192), target = Zeros(harness, 192);
        Run(harness, "warps_of_a_block", rows, target, 1);
        Assert.DoesNotThrow(() => Run(harness, "warps_of_a_block", target, rows, 1));
    }

    [Test]
    public void The_check_can_be_turned_off([Values("same_element", "plain_histogram")] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        harness.Options = new EmulationOptions { Checks = EmulationChecks.All & ~EmulationChecks.GlobalMemoryRaces };
        Assert.DoesNotThrow(() => Bugs[kernel](harness, 0));
    }

    [Test]
    public void Blocks_that_store_different_values_at_the_same_moment_are_always_found([Range(0, 5)] int form, [Values(2, 3)] int blocks)
    {
        int[] places = EmulatorHarness.LinesThatEnd("races", "BUG stores_at_once");
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        for (int run = 0; run < 100; run++)
        {
            harness.Options = new EmulationOptions { Workers = blocks, ScheduleSeed = (ulong)run };
            EmulationException fault = harness.LaunchFault("stores_at_once", new((uint)blocks), new(64), 0, Zeros(harness, 1), harness.Reserve<int>(256), form, 0);
            Assert.That(fault.Fault, Is.EqualTo(EmulationFault.GlobalMemoryRace), fault.Message);
            Assert.That(places, Does.Contain(fault.SourceLine), fault.Message);
        }
    }

    [Test]
    public void Blocks_that_store_the_same_value_at_the_same_moment_are_no_race([Range(0, 5)] int form)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        harness.Options = new EmulationOptions { Workers = 3 };
        for (int run = 0; run < 50; run++)
            Assert.DoesNotThrow(() => harness.Launch("stores_at_once", new(3), new(64), 0, Zeros(harness, 1), harness.Reserve<int>(256), form, 1));
    }

    [Test]
    public void Many_blocks_that_store_the_same_are_no_race()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("races");
        harness.Options = new EmulationOptions { Workers = 4 };
        for (int run = 0; run < 20; run++)
            Assert.DoesNotThrow(() => harness.Launch("same_value", new(64), new(64), 0, Zeros(harness, 1), harness.Reserve<float>(256)));
    }
}
