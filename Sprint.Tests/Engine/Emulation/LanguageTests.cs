using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>What ordinary CUDA C++ compiles to: local arrays, constants, calls, switches, printf, shared memory.</summary>
public sealed class LanguageTests
{
    private static float Expected(int i, int selector, float[] input, float[] other)
    {
        float v = other[i];
        return selector switch
        {
            0 => MathF.Sin(v),
            1 => v + 2,
            2 => v * 3,
            3 => i > 3 ? v * i : v - i,
            4 => v / 3,
            5 => MathF.Sqrt(v),
            _ => MathF.Exp(v),
        };
    }

    [Test]
    public void A_kernel_with_locals_constants_calls_and_a_switch_gives_what_the_source_says([Range(0, 6)] int selector)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource("language");
        const int threads = 64, n = 50;
        float[] input = [.. Enumerable.Range(0, n).Select(k => 1 + k * 0.01f)];
        ulong source = harness.Upload(input);
        ulong target = harness.Reserve<float>(threads);
        byte[] parameters = [.. BitConverter.GetBytes(n), .. BitConverter.GetBytes(2f), .. BitConverter.GetBytes(0.5)];
        LaunchStatistics statistics = harness.Launch("language", new(1), new(threads), threads * 4, source, target, parameters, selector);
        float[] constants = [1, 2, 3, 4];
        float[] shared = [.. Enumerable.Range(0, threads).Select(i => input[(i + (selector & 7)) % n] + constants[selector & 3])];
        float[] next = [.. Enumerable.Range(0, threads).Select(i => shared[(i + 1) % threads])];
        float[] sums = [.. Enumerable.Range(0, threads).Select(i => next[i] + next[i ^ 1])];
        float[] actual = harness.Download<float>(target, threads);
        for (int i = 0; i < n; i++)
        {
            float expected = Expected(i, selector, input, sums) * 2 + 0.5f;
            Assert.That(actual[i] - expected - Slot(i), Is.EqualTo(0).Within(3e-4f * Math.Abs(expected) + 1e-5f), $"element {i}");
        }
        Assert.That(statistics.Output, Does.StartWith("hello 0 "));
        Assert.That(harness.Download<int>(harness.Module.GetGlobal("counter").Address, 1)[0], Is.EqualTo(threads));
    }

    private static int Slot(int i) => i * 5 & 63;
}
