using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Lanes of one warp race in global memory as they do in shared memory: found under every schedule and for any number of workers, and clean where they are ordered.</summary>
public sealed class LaneRaceTests
{
    private const int Blocks = 3;
    private const int Threads = Blocks * 64;

    private delegate void Launch(EmulatorHarness harness, int repaired);

    private static readonly Dictionary<string, Launch> Bugs = new()
    {
        ["halved_index"] = (h, repaired) => Run(h, "halved_index", h.Reserve<int>(Threads), repaired),
        ["halved_index_uncached"] = (h, repaired) => Run(h, "halved_index_uncached", h.Reserve<int>(Threads), repaired),
        ["neighbour_read"] = (h, repaired) => Run(h, "neighbour_read", h.Reserve<int>(Threads), h.Reserve<int>(Threads), repaired),
        ["neighbour_overwritten"] = (h, repaired) => Run(h, "neighbour_overwritten", Zeros(h, Threads), repaired),
        ["broadcast_replaced"] = (h, repaired) => Run(h, "broadcast_replaced", Zeros(h, Threads), h.Reserve<int>(Threads), repaired),
        ["shifted_bytes"] = (h, repaired) => Run(h, "shifted_bytes", Zeros(h, Threads), Zeros(h, Threads), repaired),
        ["shifted_halves"] = (h, repaired) => Run(h, "shifted_halves", Zeros(h, Threads), Zeros(h, Threads), repaired),
        ["shifted_vectors"] = (h, repaired) => Run(h, "shifted_vectors", Zeros(h, 5 * Threads), Zeros(h, 5 * Threads), repaired),
        ["scattered"] = (h, repaired) => Run(h, "scattered", h.Reserve<int>(33 * Threads), h.Reserve<int>(Threads), repaired),
        ["both_branches"] = (h, repaired) => Run(h, "both_branches", h.Reserve<int>(Threads), repaired),
        ["lanes_counted"] = (h, repaired) => Run(h, "lanes_counted", Zeros(h, Threads), h.Reserve<int>(Threads), repaired),
        ["lanes_fenced"] = (h, repaired) => Run(h, "lanes_fenced", h.Reserve<int>(Threads), h.Reserve<int>(Threads), Zeros(h, Threads / 64), repaired),
        ["stored_and_gone"] = (h, repaired) => Run(h, "stored_and_gone", Zeros(h, Threads), h.Reserve<int>(Threads), repaired),
        ["back_to_one_lane"] = (h, repaired) => Run(h, "back_to_one_lane", h.Reserve<int>(Threads / 64), Zeros(h, Threads / 32), h.Reserve<int>(Threads / 64), repaired),
        ["half_meets"] = (h, repaired) => Run(h, "half_meets", h.Reserve<int>(Threads), h.Reserve<int>(Threads), repaired),
        ["strong_and_plain 0"] = (h, repaired) => Run(h, "strong_and_plain", h.Reserve<int>(Threads / 32), 0, h.Reserve<int>(Threads), repaired),
        ["strong_and_plain 1"] = (h, repaired) => Run(h, "strong_and_plain", h.Reserve<int>(Threads / 32), 1, h.Reserve<int>(Threads), repaired),
        ["strong_and_plain 2"] = (h, repaired) => Run(h, "strong_and_plain", h.Reserve<int>(Threads / 32), 2, h.Reserve<int>(Threads), repaired),
        ["lane_resets"] = (h, repaired) => Run(h, "lane_resets", Zeros(h, Threads / 32), repaired),
    };

    private static IEnumerable<string> BugNames => Bugs.Keys;

    private static void Run(EmulatorHarness harness, string kernel, params object[] arguments) => harness.Launch(kernel, new(Blocks), new(64), 0, arguments);

    private static ulong Zeros(EmulatorHarness harness, int count) => harness.Upload(new int[count]);

    [Test]
    public void A_race_of_lanes_is_found_under_every_schedule_with_kernel_block_thread_and_both_lines([ValueSource(nameof(BugNames))] string bug, [Values(1, 2, 7)] int workers)
    {
        string kernel = bug.Split(' ')[0];
        string name = kernel.StartsWith("shifted", StringComparison.Ordinal) ? "shifted" : kernel;
        int[] places = EmulatorHarness.LinesThatEnd("lanes", "BUG " + name, "LATE " + name);
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("lanes");
            harness.Options = options;
            EmulationException fault = Assert.Throws<EmulationException>(() => Bugs[bug](harness, 0), $"seed {options.ScheduleSeed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(fault.Fault, Is.EqualTo(EmulationFault.GlobalMemoryRace), fault.Message);
                Assert.That(fault.Kernel, Is.EqualTo(kernel));
                Assert.That(fault.Block, Is.EqualTo(new LaunchIndex(0, 0, 0)));
                Assert.That(fault.Thread, Is.Not.Null);
                Assert.That(places, Does.Contain(fault.SourceLine), fault.Message);
                Assert.That(places.Any(place => fault.Detail.Contains($"of the same warp at lanes.cu:{place} ", StringComparison.Ordinal)), fault.Message);
                Assert.That(fault.Detail, Does.Contain("(argument "));
            }
        }
    }

    [Test]
    public void Its_repair_is_clean_under_every_schedule([ValueSource(nameof(BugNames))] string kernel, [Values(1, 2, 7)] int workers)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("lanes");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Assert.DoesNotThrow(() => Bugs[kernel](harness, 1), $"seed {options.ScheduleSeed}");
        }
    }

    [Test]
    public void What_lanes_may_do_is_clean_under_every_schedule([Values(1, 2, 7)] int workers)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("lanes");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Assert.DoesNotThrow(() => Run(harness, "lanes_at_ease", Zeros(harness, 408 * Threads), Zeros(harness, Threads), harness.Reserve<byte>(Threads), harness.Reserve<int>(4 * Threads), Zeros(harness, Threads), harness.Reserve<int>(1)), $"seed {options.ScheduleSeed}");
            Assert.DoesNotThrow(() => Run(harness, "warps_at_ease", harness.Reserve<int>(Threads)), $"seed {options.ScheduleSeed}");
            Assert.DoesNotThrow(() => Run(harness, "tiles_at_ease", Zeros(harness, Threads), Zeros(harness, Threads / 16)), $"seed {options.ScheduleSeed}");
            ulong target = harness.Reserve<int>(Threads);
            Assert.DoesNotThrow(() => Run(harness, "counts_unfenced", target), $"seed {options.ScheduleSeed}");
            Assert.That(harness.Download<int>(target, Threads), Has.All.EqualTo(3));
            Run(harness, "last_lane_resets", Zeros(harness, Threads / 32), target);
            Assert.That(harness.Download<int>(target, Threads), Has.All.EqualTo(14));
            Run(harness, "lanes_in_turn", Zeros(harness, Threads / 32), harness.Reserve<int>(Threads), target);
            Assert.That(harness.Download<int>(target, Threads), Is.EqualTo(Enumerable.Range(0, Threads).Select(k => 1 + (31 - k % 32) * (32 - k % 32) / 2)));
        }
    }

    [Test]
    public void The_check_can_be_turned_off()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("lanes");
        harness.Options = new EmulationOptions { Checks = EmulationChecks.All & ~EmulationChecks.GlobalMemoryRaces };
        Assert.DoesNotThrow(() => Bugs["neighbour_read"](harness, 0));
    }
}
