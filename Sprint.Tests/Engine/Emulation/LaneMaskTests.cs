using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Masks that name lanes which end instead of coming are found in whatever order the lanes run; those of threads that return at once are counted.</summary>
public sealed class LaneMaskTests
{
    private EmulatorHarness harness = null!;

    [SetUp]
    public void Load() => harness = EmulatorHarness.FromResource("lanes");

    [TearDown]
    public void Unload() => harness.Dispose();

    private LaunchStatistics Run(int form, int repaired) => harness.Launch("half_mask", new(3), new(64), 0, harness.Reserve<int>(192), form, repaired);

    [Test]
    public void A_mask_of_lanes_that_store_or_exchange_and_end_is_found_under_every_schedule([Range(0, 6)] int form, [Values(1, 2, 7)] int workers)
    {
        int[] places = EmulatorHarness.LinesThatEnd("lanes", "BUG half_mask");
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            EmulationException fault = Assert.Throws<EmulationException>(() => Run(form, 0), $"seed {options.ScheduleSeed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(fault.Fault, Is.EqualTo(EmulationFault.WarpSynchronization), fault.Message);
                Assert.That(fault.Kernel, Is.EqualTo("half_mask"));
                Assert.That(fault.Block, Is.EqualTo(new LaunchIndex(0, 0, 0)));
                Assert.That(fault.Thread, Is.EqualTo(new LaunchIndex(0, 0, 0)).Or.EqualTo(new LaunchIndex(32, 0, 0)));
                Assert.That(fault.SourceLine, Is.EqualTo(places[form]), fault.Message);
                Assert.That(fault.Detail, Does.Contain("names lanes 16-31 of the warp, which ended without coming to the instruction"));
            }
        }
    }

    [Test]
    public void Masks_whose_lanes_all_come_are_clean_under_every_schedule([Range(0, 6)] int form, [Values(1, 2, 7)] int workers)
    {
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Assert.That(Run(form, 1).PartialMasks, Is.Zero);
        }
    }

    [Test]
    public void Threads_that_return_at_once_may_be_named_and_are_counted()
    {
        ulong source = harness.Upload(Enumerable.Range(0, 176).ToArray()), target = harness.Reserve<int>(176);
        LaunchStatistics statistics = harness.Launch("return_and_reduce", new(3), new(64), 0, source, target, 176);
        Assert.That(harness.Download<int>(target, 176), Is.EqualTo(Enumerable.Range(0, 176).Select(k => k / 16 * 256 + 120)));
        Assert.That(statistics.PartialMasks, Is.EqualTo(4), "the last warp has 16 threads and shuffles four times");
        Assert.That(harness.Launch("return_and_reduce", new(3), new(64), 0, harness.Upload(new int[192]), harness.Reserve<int>(192), 192).PartialMasks, Is.Zero);
    }
}
