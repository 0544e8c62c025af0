using System.Numerics;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>PTX that clang makes, optimised and for debugging: other idioms, the same results.</summary>
public sealed class ClangTests
{
    private static readonly int[] Input = [.. Enumerable.Range(0, 64).Select(k => (int)((uint)k * 2654435761u) >> 8)];

    [TestCase("clang")]
    [TestCase("clang_debug")]
    public void Calls_by_value_by_pointer_by_table_and_to_themselves_are_right(string module)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource(module);
        int[] input = [.. Input.Select(x => x % 1000)], weights = [3, 1, 4, 1], fibonacci = [0, 1, 1, 2, 3, 5, 8, 13];
        ulong target = harness.Reserve<int>(60);
        harness.Launch("clang_calls", new(2), new(32), 0, harness.Upload(input), target, 60);
        Assert.That(harness.Download<int>(target, 60), Is.EqualTo(Enumerable.Range(0, 60).Select(i =>
            input[i] * 2 + (int)(input[i] * 0.5) + (sbyte)input[i] + fibonacci[i % 8] + ((i & 1) == 0 ? i + 3 : i * 3) + weights[i & 3] + ((i & 1) != 0 ? i * (input[i] & 7) : 1))));
        Assert.That(harness.Download<int>(harness.Module.GetGlobal("counter").Address, 1)[0], Is.EqualTo(60));
    }

    [TestCase("clang")]
    [TestCase("clang_debug")]
    public void Shared_memory_local_memory_and_switches_are_right(string module)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource(module);
        float[] numbers = [.. Enumerable.Range(0, 1000).Select(k => k % 7 - 3f)];
        ulong sum = harness.Reserve<float>(1);
        harness.Launch("clang_reduce", new(1), new(128), 0, harness.Upload(numbers), sum, numbers.Length);
        Assert.That(harness.Download<float>(sum, 1)[0], Is.EqualTo(numbers.Sum(x => x * x)));
        ulong results = harness.Reserve<int>(64), halves = harness.Reserve<short>(64), longs = harness.Reserve<ulong>(64);
        harness.Launch("clang_switch", new(1), new(64), 0, harness.Upload(Input), results, halves, longs);
        int[] expected = [.. Input.Select(Switch)];
        Assert.That(harness.Download<int>(results, 64), Is.EqualTo(expected));
        Assert.That(harness.Download<short>(halves, 64), Is.EqualTo(expected.Select(r => (short)(r * 3))));
        Assert.That(harness.Download<ulong>(longs, 64), Is.EqualTo(expected.Select(r => (ulong)(uint)r * 0x123456789abcdef >> 7)));
    }

    private static int Switch(int x) => (x & 7) switch
    {
        0 => 5,
        1 => x * (x >> 3 & 7),
        2 => x / 3,
        3 => x % 7,
        4 => BitOperations.PopCount((uint)x),
        5 => x << (x & 31),
        6 => -x,
        _ => BitOperations.LeadingZeroCount((uint)x | 1),
    };
}
