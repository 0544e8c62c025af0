using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Seeds draw the order in which blocks begin and where blocks and warps give way: some of them show what depends on who ran first, and none changes what is right.</summary>
public sealed class ScheduleTests
{
    private const int Places = 64;

    private static readonly Dictionary<string, (EmulationFault Fault, Action<EmulatorHarness, int> Launch)> Bugs = new()
    {
        ["behind_unlock"] = (EmulationFault.GlobalMemoryRace, (h, repaired) => h.Launch("behind_unlock", new(6), new(64), 0, h.Upload(new int[1]), h.Upload(new int[1]), repaired)),
        ["second_round"] = (EmulationFault.GlobalMemoryRace, (h, repaired) => h.Launch("second_round", new(3), new(64), 0, h.Reserve<int>(192), h.Upload(new int[1]), h.Reserve<int>(192), repaired)),
        ["ring_of_places"] = (EmulationFault.SharedMemoryRace, (h, repaired) => h.Launch("ring_of_places", new(1), new(64), 0, h.Upload(new int[Places]), h.Reserve<int>(Places), Places, repaired)),
    };

    private static IEnumerable<string> BugNames => Bugs.Keys;

    [Test]
    public void What_only_one_order_shows_is_found_in_any_six_schedules_with_both_lines([ValueSource(nameof(BugNames))] string kernel, [Values(1, 2, 7)] int workers)
    {
        int[] places = EmulatorHarness.LinesThatEnd("schedules", "BUG " + kernel, "LATE " + kernel);
        foreach (EmulationOptions[] schedules in EmulatorHarness.Schedules(workers).Chunk(6))
        {
            EmulationException[] faults = [.. schedules.Select(options => FaultOf(kernel, options)).OfType<EmulationException>()];
            Assert.That(faults, Is.Not.Empty, $"seeds from {schedules[0].ScheduleSeed} on");
            foreach (EmulationException fault in faults)
            {
                Assert.That(fault.Fault, Is.EqualTo(Bugs[kernel].Fault), fault.Message);
                Assert.That(places, Does.Contain(fault.SourceLine), fault.Message);
                Assert.That(places.Any(place => fault.Detail.Contains($"at schedules.cu:{place} ", StringComparison.Ordinal)), fault.Message);
            }
        }
    }

    [Test]
    public void Its_repair_is_clean_under_every_schedule([ValueSource(nameof(BugNames))] string kernel, [Values(1, 2, 7)] int workers)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("schedules");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Assert.DoesNotThrow(() => Bugs[kernel].Launch(harness, 1), $"seed {options.ScheduleSeed}");
        }
    }

    /// <summary>No more than 108 blocks of so much shared memory are there at once.</summary>
    [Test]
    public void Blocks_that_wait_for_those_before_them_in_the_grid_come_to_an_end_in_any_order([Values(1, 2, 7)] int workers)
    {
        const int Blocks = 500;
        using EmulatorHarness harness = EmulatorHarness.FromResource("schedules");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers).Take(4))
        {
            harness.Options = options;
            ulong output = harness.Reserve<int>(Blocks);
            harness.Launch("chain_of_blocks", new(Blocks), new(32), 100_000, harness.Upload(new int[Blocks]), output);
            Assert.That(harness.Download<int>(output, Blocks), Is.EqualTo(Enumerable.Range(0, Blocks)), $"seed {options.ScheduleSeed}");
        }
    }

    [Test]
    public void Blocks_that_wait_for_one_which_was_at_fault_are_given_up_however_much_they_may_still_execute([Values(1, 2, 7)] int workers)
    {
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("schedules");
            harness.Options = options with { InstructionBudget = long.MaxValue };
            EmulationException fault = harness.LaunchFault("never_comes", new(9), new(64), 0, harness.Upload(new int[1]));
            Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Trap), fault.Message);
            Assert.That(fault.Block, Is.EqualTo(new LaunchIndex(5, 0, 0)));
        }
    }

    private static EmulationException? FaultOf(string kernel, EmulationOptions options)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("schedules");
        harness.Options = options;
        try
        {
            Bugs[kernel].Launch(harness, 0);
            return null;
        }
        catch (EmulationException fault)
        {
            return fault;
        }
    }
}
