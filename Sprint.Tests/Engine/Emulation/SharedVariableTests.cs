using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Accesses that leave a variable in shared memory are found whoever lies beside it; what kernels and reports see of the layout is a GPU's.</summary>
public sealed class SharedVariableTests
{
    private sealed record Bug(string Text, Func<EmulatorHarness, object[]> Arguments, int Threads = 32, int Dynamic = 0);

    private static readonly Dictionary<string, Bug> Bugs = new()
    {
        ["store_behind"] = new("store of 4 bytes of shared memory, which ends 4 bytes behind a (128 bytes), before b", h => [Output(h)]),
        ["store_before"] = new("store of 4 bytes of shared memory, which begins 4 bytes before b (128 bytes), behind a", h => [Output(h)]),
        ["load_behind"] = new("load of 4 bytes of shared memory, which ends 4 bytes behind a (128 bytes), before b", h => [Output(h)]),
        ["load_apart"] = new("which ends 4 bytes behind a (128 bytes), before b", h => [h.Upload(Enumerable.Range(0, 32).Select(k => k * 7 % 32).ToArray()), Output(h)]),
        ["static_into_dynamic"] = new("which ends 4 bytes behind a (128 bytes), before d", h => [Output(h)], Dynamic: 128),
        ["dynamic_into_static"] = new("which begins 4 bytes before d (128 bytes), behind a", h => [Output(h)], Dynamic: 128),
        ["row_too_many"] = new("bytes behind tile (2112 bytes), before sums", h => [Output(h)], Threads: 66),
        ["filled_by_pointer"] = new("which ends 4 bytes behind a (128 bytes), before b", h => [Output(h)]),
        ["callee"] = new("which begins 4 bytes before lanes (128 bytes), behind a", h => [Output(h)]),
        ["vector_across"] = new("load of 16 bytes of shared memory, which ends 8 bytes behind a (136 bytes), before b", h => [Output(h)]),
        ["histogram"] = new("which ends 4 bytes behind counts (64 bytes), before total", h => [Output(h)]),
        ["volatile_behind"] = new("store of 2 bytes of shared memory, which ends 2 bytes behind a (66 bytes), before b", h => [Output(h)]),
        ["copied_behind"] = new("store of 16 bytes of shared memory, which ends 16 bytes behind a (512 bytes), before b", h => [h.Upload(new int[128]), Output(h)]),
        ["matrix_behind"] = new("which ends 16 bytes behind a (128 bytes), before b", h => [h.Upload(new int[32]), Output(h)]),
        ["fragment_behind"] = new("bytes behind c (1024 bytes), before next", h => [Output(h)]),
    };

    private static IEnumerable<string> Names => Bugs.Keys;

    private static ulong Output(EmulatorHarness harness) => harness.Reserve<int>(128);

    private static LaunchStatistics Launch(EmulatorHarness harness, string kernel, int repaired)
        => harness.Launch(kernel, new(2), new((uint)Bugs[kernel].Threads), Bugs[kernel].Dynamic, [.. Bugs[kernel].Arguments(harness), repaired]);

    private static void AssertFound(EmulatorHarness harness, string kernel)
    {
        EmulationException fault = Assert.Throws<EmulationException>(() => Launch(harness, kernel, 0))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault.Fault, Is.EqualTo(EmulationFault.OutOfBounds), fault.Message);
            Assert.That(fault.Detail, Does.EndWith(Bugs[kernel].Text));
            Assert.That(fault.Kernel, Is.EqualTo(kernel));
            Assert.That(fault.Block, Is.EqualTo(new LaunchIndex(0, 0, 0)));
            Assert.That(fault.Thread, Is.Not.Null);
            Assert.That(fault.SourceFile, Is.EqualTo("variables.cu"));
            Assert.That(EmulatorHarness.LinesThatEnd("variables", "BUG " + kernel), Does.Contain(fault.SourceLine), fault.Message);
        }
    }

    [Test]
    public void An_access_that_leaves_its_variable_is_found_under_every_schedule([ValueSource(nameof(Names))] string kernel)
    {
        for (uint seed = 0; seed < 12; seed++)
        {
            using EmulatorHarness harness = EmulatorHarness.FromResource("variables");
            harness.Options = new EmulationOptions { ScheduleSeed = seed * 987654321, Workers = (int)(seed % 3) + 1 };
            AssertFound(harness, kernel);
        }
    }

    [Test]
    public void An_access_that_leaves_its_variable_is_found_whatever_else_is_checked([ValueSource(nameof(Names))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("variables");
        for (EmulationChecks checks = EmulationChecks.None; checks <= EmulationChecks.All; checks++)
        {
            harness.Options = new EmulationOptions { Checks = checks, Workers = 1 };
            AssertFound(harness, kernel);
        }
    }

    [Test]
    public void A_repaired_kernel_is_clean_under_every_schedule([ValueSource(nameof(Names))] string kernel)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("variables");
        for (uint seed = 0; seed < 12; seed++)
        {
            harness.Options = new EmulationOptions { ScheduleSeed = seed * 987654321, Workers = (int)(seed % 3) + 1 };
            Assert.DoesNotThrow(() => Launch(harness, kernel, 1), $"seed {seed}");
        }
    }

    [Test]
    public void Alignments_aliases_and_sizes_are_those_of_a_gpu()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("variables");
        ulong target = Output(harness);
        harness.Launch("laid_out", new(1), new(32), 128, target);
        // 5 bytes, 8 aligned to 8, 200 to 128, 64 to 1024, and the dynamic part to 16.
        Assert.That(harness.Download<uint>(target, 32), Is.EqualTo(new uint[] { 0, 1088 + 128, 128, 10 }.Concat(Enumerable.Range(4, 28).Select(k => (uint)k))));
        Assert.That(harness.Module.GetKernel("laid_out").StaticSharedBytes, Is.EqualTo(1088));
    }

    [Test]
    public void Limits_do_not_count_the_gaps()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("variables");
        harness.Options = new EmulationOptions { MaximumSharedBytes = 1088 + 128 };
        Assert.DoesNotThrow(() => harness.Launch("laid_out", new(1), new(32), 128, Output(harness)));
        Assert.That(harness.LaunchFault("laid_out", new(1), new(32), 129, Output(harness)).Detail, Does.StartWith("The launch needs 1217 bytes of shared memory (1088 declared, 129 dynamic); a block has 1216"));
        harness.Options = new EmulationOptions();
        harness.IsCooperative = true;
        int dynamic = 164 * 1024 / 2 - 1024 - 1088;
        Assert.That(harness.LaunchFault("laid_out", new(217), new(32), dynamic, Output(harness)).Detail, Does.Contain($"the device holds 216 of 32 threads and {dynamic + 1088} bytes of shared memory"));
    }

    [Test]
    public void Dynamic_memory_that_a_launch_does_not_have_is_named()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("variables");
        EmulationException fault = harness.LaunchFault("static_into_dynamic", new(1), new(32), 0, Output(harness), 1);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.OutOfBounds));
        Assert.That(fault.Detail, Does.EndWith("which ends 4 bytes behind d (0 bytes)"));
        fault = harness.LaunchFault("laid_out", new(1), new(32), 64, Output(harness));
        Assert.That(fault.Detail, Does.EndWith("which ends 4 bytes behind the dynamic shared memory (64 bytes)"));
    }

    // b begins at byte 4, so b[31] and a are in one bank.
    [TestCase(0, 1)]
    [TestCase(-4, 0)]
    public void Banks_are_those_of_variables_side_by_side(int offset, int conflicts)
    {
        using EmulatorHarness harness = new($$"""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry test()
            {
            .shared .align 4 .b8 a[4];
            .shared .align 4 .b8 b[256];
            .reg .pred %p; .reg .b32 %t, %u, %v;
            mov.u32 %t, %tid.x;
            shl.b32 %u, %t, 2;
            mov.u32 %v, b;
            add.u32 %u, %u, %v;
            add.u32 %u, %u, {{offset}};
            setp.eq.u32 %p, %t, 0;
            @%p mov.u32 %u, a;
            st.shared.b32 [%u], %t;
            ret;
            }
            """);
        harness.Options = new EmulationOptions { Counters = true };
        LaunchStatistics statistics = harness.Launch("test", new(1), new(32), 0);
        Assert.That(statistics.SharedRequests, Is.EqualTo(1));
        Assert.That(statistics.SharedBankConflicts, Is.EqualTo(conflicts));
    }

    [Test]
    public void A_misaligned_access_is_named_by_its_variable_and_the_address_without_gaps()
    {
        using EmulatorHarness harness = new("""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry test()
            {
            .shared .align 1 .b8 a[6];
            .shared .align 1 .b8 b[32];
            .reg .b32 %t;
            mov.u32 %t, a;
            st.shared.b8 [%t], %t;
            mov.u32 %t, b;
            st.shared.b32 [%t+8], %t;
            ret;
            }
            """);
        EmulationException fault = harness.LaunchFault("test", new(1), new(1), 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Misaligned));
        Assert.That(fault.Detail, Is.EqualTo("A misaligned store of 4 bytes of shared memory at 0xE, byte 8 of b, which is no multiple of 4"));
    }

    [Test]
    public void More_variables_than_a_kernel_may_have_are_refused()
    {
        string variables = string.Concat(Enumerable.Range(0, 4097).Select(k => $".shared .align 1 .b8 v{k}[1];\n"));
        using EmulatorHarness harness = new($".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry test()\n{{\n{variables}ret;\n}}\n");
        EmulationException fault = harness.LaunchFault("test", new(1), new(1), 0);
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.Launch));
        Assert.That(fault.Detail, Does.Contain("The kernel has more than 4096 shared variables"));
    }
}
