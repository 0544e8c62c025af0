using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

internal sealed unsafe class MatrixTranspositionTests
{
    [TestCase(1, 1)]
    [TestCase(3, 5)]
    [TestCase(4, 16)]
    [TestCase(17, 33)]
    [TestCase(64, 48)]
    [TestCase(130, 7)]
    public void Every_element_changes_places(int rows, int columns)
    {
        using WorkerPool pool = new(2);
        float[] source = [.. Enumerable.Range(0, rows * columns).Select(i => (float)i)];
        float[] target = new float[rows * columns];
        Array.Fill(target, float.NaN);
        fixed (float* from = source, to = target)
        {
            MatrixTransposition.Run(pool, from, rows, columns, to, accumulate: false);
            for (int i = 0; i < target.Length; i++)
                Assert.That(target[i], Is.EqualTo(source[(i % rows * columns) + (i / rows)]));

            MatrixTransposition.Run(pool, from, rows, columns, to, accumulate: true);
            for (int i = 0; i < target.Length; i++)
                Assert.That(target[i], Is.EqualTo(2 * source[(i % rows * columns) + (i / rows)]));
        }
    }
}
