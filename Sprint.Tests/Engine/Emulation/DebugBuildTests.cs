using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>PTX compiled for debugging (-G): calls, local memory, debug sections.</summary>
public sealed class DebugBuildTests
{
    [Test]
    public void Lanes_that_come_to_a_function_one_after_another_shuffle_in_it_together([Range(0, 4)] int seed)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("debug");
        harness.Options = new() { ScheduleSeed = (ulong)seed };
        int[] input = [.. Enumerable.Range(0, 64).Select(k => k * 37 + 1)];
        ulong target = harness.Reserve<int>(64);
        harness.Launch("collatz_debug", new(1), new(64), 0, harness.Upload(input), target);
        int[] steps = [.. input.Select(Steps)];
        Assert.That(harness.Download<int>(target, 64), Is.EqualTo(Enumerable.Range(0, 64).Select(k => steps[k ^ 1])));
    }

    [Test]
    public void Printf_formats_as_C_does()
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("debug");
        string output = harness.Launch("print", new(2), new(32), 0, 5).Output;
        const string once = "-3|   42|42   |00042|7|ff|z|text|%\n1.500000|0.67|   3.142|1.234568e+04|0.0001|1234567890123\n";
        Assert.That(output, Is.EqualTo(once + once));
    }

    private static int Steps(int start)
    {
        int steps = 0;
        for (long n = start; n != 1; steps++)
            n = (n & 1) != 0 ? 3 * n + 1 : n >> 1;
        return steps;
    }
}
