using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Bugs that a GPU shows only sometimes are found under every schedule and for any number of workers, and the repaired kernels are clean under all.</summary>
public sealed class PlantedBugTests
{
    private delegate LaunchStatistics Launch(EmulatorHarness harness, int repaired);

    private static readonly Dictionary<string, (EmulationFault[] Faults, Launch Launch)> Bugs = new()
    {
        ["write_after_read"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("write_after_read", new(3), new(64), 0, h.Reserve<int>(64), repaired)),
        ["write_write"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("write_write", new(3), new(64), 0, h.Reserve<int>(64), repaired)),
        ["warp_synchronous"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("warp_synchronous", new(3), new(32), 0, h.Reserve<int>(64), repaired)),
        ["plain_read_of_atomic"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("plain_read_of_atomic", new(3), new(64), 0, h.Reserve<int>(64), repaired)),
        ["early_arrival"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("early_arrival", new(3), new(128), 0, h.Upload(new int[64]), h.Reserve<int>(64), repaired)),
        ["tile_reused"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("tile_reused", new(3), new(128), 0, h.Upload(new float[512]), h.Reserve<float>(128), 4, repaired)),
        ["stage_overtaken"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("stage_overtaken", new(3), new(64), 0, h.Upload(new int[768]), h.Reserve<int>(768), repaired)),
        ["early_read_of_copy"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("early_read_of_copy", new(3), new(32), 0, h.Upload(new int[128]), h.Reserve<int>(128), repaired)),
        ["group_too_few"] = ([EmulationFault.SharedMemoryRace], (h, repaired) => h.Launch("group_too_few", new(3), new(32), 0, h.Upload(new int[256]), h.Reserve<int>(256), repaired)),
        ["matrix_before_barrier"] = ([EmulationFault.SharedMemoryRace, EmulationFault.Uninitialised], (h, repaired) => h.Launch("matrix_before_barrier", new(3), new(64), 0, h.Upload(new int[256]), h.Reserve<int>(64), repaired)),
        ["uninitialised_shared"] = ([EmulationFault.Uninitialised], (h, repaired) => h.Launch("uninitialised_shared", new(3), new(64), 0, h.Reserve<int>(64), repaired)),
        ["uninitialised_register"] = ([EmulationFault.Uninitialised], (h, repaired) => h.Launch("uninitialised_register", new(3), new(64), 0, h.Reserve<int>(64), repaired)),
        ["undefined_choice"] = ([EmulationFault.Uninitialised], (h, repaired) => h.Launch("undefined_choice", new(3), new(32), 0, h.Upload(new int[32]), h.Reserve<int>(32), repaired)),
        ["forgotten_field"] = ([EmulationFault.Uninitialised], (h, repaired) => h.Launch("forgotten_field", new(3), new(64), 0, h.Reserve<int>(64), repaired)),
        ["divergent_barrier"] = ([EmulationFault.BarrierDivergence], (h, repaired) => h.Launch("divergent_barrier", new(3), new(64), 0, h.Reserve<int>(192), repaired)),
        ["divergent_warps"] = ([EmulationFault.BarrierDivergence], (h, repaired) => h.Launch("divergent_warps", new(3), new(64), 0, h.Reserve<int>(192), repaired)),
        ["ended_before_count"] = ([EmulationFault.Deadlock], (h, repaired) => h.Launch("ended_before_count", new(3), new(64), 0, h.Reserve<int>(192), repaired)),
        ["deadlock"] = ([EmulationFault.Deadlock], (h, repaired) => h.Launch("deadlock", new(3), new(64), 0, h.Reserve<int>(192), repaired)),
        ["bad_shuffle_mask"] = ([EmulationFault.WarpSynchronization], (h, repaired) => h.Launch("bad_shuffle_mask", new(3), new(32), 0, h.Reserve<int>(64), repaired)),
        ["shuffle_without_itself"] = ([EmulationFault.WarpSynchronization], (h, repaired) => h.Launch("shuffle_without_itself", new(3), new(32), 0, h.Reserve<int>(64), repaired)),
        ["vector_tail"] = ([EmulationFault.OutOfBounds], (h, repaired) => h.Launch("vector_tail", new(3), new(32), 0, h.Reserve<float>(150), 150, repaired)),
        ["shared_overrun"] = ([EmulationFault.OutOfBounds], (h, repaired) => h.Launch("shared_overrun", new(3), new(64), 256, h.Reserve<int>(64), repaired)),
        ["constant_write"] = ([EmulationFault.ReadOnlyWrite], (h, repaired) => h.Launch("constant_write", new(1), new(4), 0, h.Reserve<int>(64), repaired)),
    };

    private static IEnumerable<string> Names => Bugs.Keys;

    [Test]
    public void A_bug_is_found_under_every_schedule_with_kernel_block_thread_and_line([ValueSource(nameof(Names))] string kernel)
    {
        int[] places = EmulatorHarness.LinesThatEnd("bugs", "BUG " + kernel, "LATE " + kernel);
        for (uint seed = 0; seed < 12; seed++)
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("bugs");
            harness.Options = new EmulationOptions { ScheduleSeed = seed * 987654321, Workers = (int)(seed % 3) + 1 };
            EmulationException fault = Assert.Throws<EmulationException>(() => Bugs[kernel].Launch(harness, 0), $"seed {seed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(Bugs[kernel].Faults, Does.Contain(fault.Fault), fault.Message);
                Assert.That(fault.Kernel, Is.EqualTo(kernel));
                Assert.That(fault.Block, Is.EqualTo(kernel == "vector_tail" ? new LaunchIndex(1, 0, 0) : new LaunchIndex(0, 0, 0)));
                Assert.That(fault.Thread, Is.Not.Null);
                Assert.That(places.Any(place => fault.Message.Contains($"bugs.cu:{place}", StringComparison.Ordinal)), $"seed {seed}: {fault.Message}");
            }
        }
    }

    [Test]
    public void A_repaired_kernel_is_clean_under_every_schedule([ValueSource(nameof(Names))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("bugs");
        for (uint seed = 0; seed < 12; seed++)
        {
            harness.Options = new EmulationOptions { ScheduleSeed = seed * 987654321, Workers = (int)(seed % 3) + 1 };
            Assert.DoesNotThrow(() => Bugs[kernel].Launch(harness, 1), $"seed {seed}");
        }
    }
}
