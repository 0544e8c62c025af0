using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

/// <summary>Products of tiles are, bit for bit, chains of fused multiply-adds over the inner dimension in rising order.</summary>
[TestFixture]
public sealed unsafe class TileProductTests
{
    private const int Tile = VectorRows.TileSize;

    [Test]
    public void Rows_of_tiles_multiply_as_stored(
        [Values(1, 2, 3)] int width, [Values(1, 4, 16, 17, 36, 48)] int inner, [Values] bool accumulate, [Values(0, 8)] int firstRow)
    {
        int depth = (inner + 15) / 16;
        using GuardedFloats a = Random(depth * Tile, 1), b = Random(depth * width * Tile, 2), c = Random(width * Tile, 3);
        float[] before = c.Span.ToArray();
        TileProduct.Run<TileProduct.AsStored>(
            a.Pointer + firstRow * 16, Tile - 16, b.Pointer, Tile, (width - 1) * Tile, c.Pointer + firstRow * 16, width, inner, accumulate);
        AssertProduct(c, before, width, inner, accumulate, firstRow, b, (row, k) => a.Span[k / 16 * Tile + row * 16 + k % 16]);
    }

    [Test]
    public void Columns_of_tiles_multiply_as_rows(
        [Values(1, 2, 3)] int width, [Values(1, 4, 16, 17, 36, 48)] int inner, [Values] bool accumulate, [Values(0, 8)] int firstRow)
    {
        int depth = (inner + 15) / 16;
        using GuardedFloats a = Random(depth * Tile, 1), b = Random(depth * width * Tile, 2), c = Random(width * Tile, 3);
        float[] before = c.Span.ToArray();
        TileProduct.Run<TileProduct.Transposed>(
            a.Pointer + firstRow, 0, b.Pointer, Tile, (width - 1) * Tile, c.Pointer + firstRow * 16, width, inner, accumulate);
        AssertProduct(c, before, width, inner, accumulate, firstRow, b, (row, k) => a.Span[k * 16 + row]);
    }

    [Test]
    public void Widths_cover_any_number_of_columns([Range(1, 20)] int columns)
    {
        int covered = 0;
        while (covered < columns)
        {
            int width = TileProduct.NextWidth(columns - covered);
            Assert.That(width, Is.InRange(1, 3));
            covered += width;
        }

        Assert.That(covered, Is.EqualTo(columns));
    }

    private static void AssertProduct(
        GuardedFloats c, float[] before, int width, int inner, bool accumulate, int firstRow, GuardedFloats b, Func<int, int, float> left)
    {
        for (int index = 0; index < width * Tile; index++)
        {
            int row = index % Tile / 16, column = index / Tile, lane = index % 16;
            float expected = before[index];
            if (row >= firstRow && row < firstRow + 8)
            {
                expected = accumulate ? expected : 0;
                for (int k = 0; k < inner; k++)
                    expected = MathF.FusedMultiplyAdd(left(row, k), b.Span[(k / 16 * width + column) * Tile + k % 16 * 16 + lane], expected);
            }

            Assert.That(c.Span[index], Is.EqualTo(expected), $"tile {column}, row {row}, lane {lane}");
        }

        c.AssertCanariesIntact();
    }

    private static GuardedFloats Random(int count, int seed)
    {
        Random random = new(seed);
        GuardedFloats values = new(count);
        for (int index = 0; index < count; index++)
            values.Span[index] = (float)(2 * random.NextDouble() - 1);
        return values;
    }
}
