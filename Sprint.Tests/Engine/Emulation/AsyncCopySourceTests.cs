using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// A GPU reads the source of an asynchronous copy at any time until the wait for it: a store there in between is found under every schedule, whether it comes before the wait or
/// behind it with nothing that orders the two. The repaired kernels, and those that are right, are clean.
/// </summary>
public sealed class AsyncCopySourceTests
{
    private static readonly Dictionary<string, (int Vectors, bool HasFlag)> Bugs = new()
    {
        ["same_thread"] = (64, false),
        ["same_warp"] = (64, false),
        ["late_wait"] = (64, false),
        ["between_barriers"] = (64, false),
        ["newest_group"] = (128, false),
        ["partial_copy"] = (64, false),
        ["other_block"] = (64, true),
        ["in_place"] = (256, false),
    };

    private static IEnumerable<string> Names => Bugs.Keys;

    private static EmulationOptions Options(uint seed) => new() { ScheduleSeed = seed * 987654321, Workers = (int)(seed % 3) + 1 };

    private static ulong Vectors(EmulatorHarness harness, int count) => harness.Upload(Enumerable.Range(0, 4 * count).ToArray());

    private static void Launch(EmulatorHarness harness, string kernel, int repaired)
    {
        (int vectors, bool hasFlag) = Bugs[kernel];
        object[] buffers = [Vectors(harness, vectors), .. hasFlag ? [harness.Upload(new int[1])] : Array.Empty<object>(), .. kernel == "in_place" ? [] : new object[] { harness.Reserve<int>(4 * vectors) }];
        harness.Launch(kernel, new(hasFlag ? 2u : 1u), new(64), 0, [.. buffers, repaired]);
    }

    private static int Line(string mark, string kernel) => EmulatorHarness.LinesThatEnd("copies", $"{mark} {kernel}").Single();

    [Test]
    public void A_store_to_what_a_copy_still_reads_is_found_under_every_schedule_with_copy_wait_and_store([ValueSource(nameof(Names))] string kernel)
    {
        (int copy, int wait, int store) = (Line("COPY", kernel), Line("WAIT", kernel), Line("STORE", kernel));
        for (uint seed = 0; seed < 24; seed++)
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("copies");
            harness.Options = Options(seed);
            EmulationException fault = Assert.Throws<EmulationException>(() => Launch(harness, kernel, 0), $"seed {seed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(fault.Fault, Is.EqualTo(EmulationFault.GlobalMemoryRace), fault.Message);
                Assert.That(fault.Kernel, Is.EqualTo(kernel));
                Assert.That(fault.Block, Is.Not.Null);
                Assert.That(fault.Thread, Is.Not.Null);
                Assert.That(fault.SourceFile, Is.EqualTo("copies.cu"));
                Assert.That(fault.SourceLine, Is.EqualTo(wait).Or.EqualTo(store), fault.Message);
                Assert.That(fault.Detail, Does.Contain($"at copies.cu:{copy}").And.Contain("(argument 0)").And.Contain("by thread"));
                Assert.That(fault.Detail, Does.Contain(fault.SourceLine == wait ? $"at copies.cu:{store}" : $"until the wait at copies.cu:{wait}"));
            }
        }
    }

    [Test]
    public void A_repaired_kernel_is_clean_under_every_schedule([ValueSource(nameof(Names))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("copies");
        for (uint seed = 0; seed < 24; seed++)
        {
            harness.Options = Options(seed);
            Assert.DoesNotThrow(() => Launch(harness, kernel, 1), $"seed {seed}");
        }
    }

    [Test]
    public void What_is_ordered_or_harmless_is_clean_under_every_schedule()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("copies");
        for (uint seed = 0; seed < 24; seed++)
        {
            harness.Options = Options(seed);
            ulong target = harness.Reserve<int>(3 * 64 * 4);
            harness.Launch("rounds", new(3), new(64), 0, Vectors(harness, 3 * 128), target, 5);
            Assert.That(harness.Download<int>(target, 3 * 64 * 4), Is.EqualTo(Enumerable.Range(0, 3 * 64).SelectMany(k => new[] { 4, 63 + 4, 4 * (k % 64), 1 })), $"seed {seed}");
            Assert.DoesNotThrow(() => harness.Launch("harmless", new(1), new(64), 0, Vectors(harness, 128), target, 0), $"seed {seed}");
            Assert.DoesNotThrow(() => harness.Launch("stages", new(3), new(64), 0, Vectors(harness, 5 * 64), target, 5), $"seed {seed}");
        }
    }

    [Test]
    public void The_check_can_be_turned_off([ValueSource(nameof(Names))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("copies");
        harness.Options = new EmulationOptions { Checks = EmulationChecks.All & ~EmulationChecks.GlobalMemoryRaces };
        Assert.DoesNotThrow(() => Launch(harness, kernel, 0));
    }
}
