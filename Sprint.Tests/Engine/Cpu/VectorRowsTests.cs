using System.Runtime.Intrinsics;
using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

/// <summary>Sixteen rows at once give the same bits as one after the other.</summary>
[TestFixture]
public sealed unsafe class VectorRowsTests
{
    [Test]
    public void Sum_has_the_bits_of_each_row_summed_alone([Range(1, 20)] int seed)
    {
        using GuardedFloats tile = Random(seed);
        Vector512<float> sums = VectorRows.Sum(tile.Pointer);
        for (int row = 0; row < 16; row++)
            Assert.That(sums[row], Is.EqualTo(VectorMemory.Sum(Vector512.Load(tile.Pointer + row * 16))), $"row {row}");
    }

    [Test]
    public void Transpose_moves_every_element()
    {
        using GuardedFloats tile = Random(1), transposed = new(256);
        VectorRows.Transpose(tile.Pointer, transposed.Pointer);
        for (int index = 0; index < 256; index++)
            Assert.That(transposed.Span[index], Is.EqualTo(tile.Span[index % 16 * 16 + index / 16]), $"element {index}");
        transposed.AssertCanariesIntact();
    }

    private static GuardedFloats Random(int seed)
    {
        Random random = new(seed);
        GuardedFloats tile = new(256);
        for (int index = 0; index < 256; index++)
            tile.Span[index] = (float)(2 * random.NextDouble() - 1);
        return tile;
    }
}
