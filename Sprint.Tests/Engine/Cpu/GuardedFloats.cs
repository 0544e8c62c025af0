using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Cpu;

/// <summary>
/// Floats outside the managed heap, aligned to 64 bytes, with canaries before and behind them. They start poisoned with NaN, so that
/// what was not written shows, and what was read without being written spreads.
/// </summary>
internal sealed unsafe class GuardedFloats : IDisposable
{
    private const int Guard = 64;
    private const int Poison = 0x7FC0_DEAD;
    private const int Canary = 0x4BAD_CAFE;

    private readonly float* start;

    internal GuardedFloats(long count)
    {
        Count = checked((int)count);
        start = (float*)NativeMemory.AlignedAlloc((nuint)(Count + 2 * Guard) * sizeof(float), 64);
        new Span<int>(start, Count + 2 * Guard).Fill(Canary);
        new Span<int>(start + Guard, Count).Fill(Poison);
    }

    internal GuardedFloats(ReadOnlySpan<float> values)
        : this(values.Length) => values.CopyTo(Span);

    internal int Count { get; }

    internal float* Pointer => start + Guard;

    internal Span<float> Span => new(Pointer, Count);

    internal static bool IsPoison(float value) => BitConverter.SingleToInt32Bits(value) == Poison;

    internal void AssertCanariesIntact()
    {
        for (int index = 0; index < Guard; index++)
        {
            Assert.That(((int*)start)[index], Is.EqualTo(Canary), $"canary {Guard - index} floats before the start");
            Assert.That(((int*)start)[Guard + Count + index], Is.EqualTo(Canary), $"canary {index} floats behind the end");
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(start);
}
