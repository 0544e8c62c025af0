using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NUnit.Framework;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

internal sealed unsafe class MatrixEpilogueTests
{
    private const int Gap = 5;
    private const float Canary = -77.5f;

    private static readonly (int Rows, int Columns, int Depth)[] Shapes = [(1, 1, 3), (3, 17, 40), (40, 96, 20), (70, 147, 800), (9, 72, 11)];

    [Test]
    public void The_bias_is_added_to_the_finished_product(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape,
        [Values] bool accumulate,
        [Values] VectorInstructions vectors)
    {
        using WorkerPool pool = new(2);
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, "nt", accumulate);
        float[] plain = Plain(product, pool, vectors);
        float[] bias = Values(shape.Columns);
        fixed (float* pointer = bias)
            product.Multiply(pool, new BiasEpilogue(pointer), vectors);

        Assert.That(product.Result(), Is.EqualTo(plain.Select((value, i) => value + bias[i % shape.Columns])));
        Assert.That(product.CanariesLive());
    }

    [Test]
    public void Gelu_follows_the_bias_and_the_sum_is_kept(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape, [Values] bool accumulate, [Values] VectorInstructions vectors)
        => CheckActivation<GeluActivation>(shape, accumulate, vectors, x => VectorMath.Gelu(Vector512.Create(x))[0]);

    [Test]
    public void Silu_follows_the_bias_and_the_sum_is_kept(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape, [Values] bool accumulate, [Values] VectorInstructions vectors)
        => CheckActivation<SiluActivation>(shape, accumulate, vectors, x => VectorMath.Silu(Vector512.Create(x))[0]);

    [Test]
    public void Without_bias_and_without_backward_pass_only_the_activation_is_applied()
    {
        using WorkerPool pool = new(2);
        using MatrixProductCase product = new(20, 75, 30, "nn", accumulate: false);
        float[] plain = Plain(product, pool, VectorInstructionsOfMachine.Widest);
        product.Multiply(pool, new ActivationEpilogue<GeluActivation>(null, null, 0), VectorInstructionsOfMachine.Widest);

        Assert.That(product.Result(), Is.EqualTo(plain.Select(x => VectorMath.Gelu(Vector512.Create(x))[0])));
    }

    [Test]
    public void The_derivative_at_the_kept_sum_multiplies_the_product(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape, [Values] VectorInstructions vectors)
    {
        using WorkerPool pool = new(3);
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, "nn", accumulate: false);
        float[] plain = Plain(product, pool, vectors);
        float[] preactivation = Values(shape.Rows * (shape.Columns + Gap));
        fixed (float* pointer = preactivation)
        {
            product.Multiply(pool, new ActivationDerivativeEpilogue<GeluActivation>(pointer, shape.Columns + Gap), vectors);
            Assert.That(product.Result(), Is.EqualTo(Expected(x => VectorMath.GeluDerivative(Vector512.Create(x))[0])));

            product.Multiply(pool, new ActivationDerivativeEpilogue<SiluActivation>(pointer, shape.Columns + Gap), vectors);
            Assert.That(product.Result(), Is.EqualTo(Expected(x => VectorMath.SiluDerivative(Vector512.Create(x))[0])));
        }

        Assert.That(product.CanariesLive());

        IEnumerable<float> Expected(Func<float, float> derivative)
            => plain.Select((value, i) => value * derivative(preactivation[(i / shape.Columns * (shape.Columns + Gap)) + (i % shape.Columns)]));
    }

    [Test]
    public void An_activated_gate_multiplies_the_biased_product_and_the_sum_is_kept(
        [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape, [Values] bool keeps, [Values] VectorInstructions vectors)
    {
        using WorkerPool pool = new(3);
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, "nt", accumulate: false);
        float[] plain = Plain(product, pool, vectors);
        float[] bias = Values(shape.Columns);
        int stride = shape.Columns + Gap;
        float[] gate = [.. Values(shape.Rows * stride).Reverse()], kept = new float[shape.Rows * stride];
        Array.Fill(kept, Canary);
        fixed (float* biasPointer = bias, gatePointer = gate, keptPointer = kept)
            product.Multiply(pool, new GateEpilogue(keeps ? biasPointer : null, gatePointer, keeps ? keptPointer : null, stride), vectors);

        float[] sums = [.. plain.Select((value, i) => keeps ? value + bias[i % shape.Columns] : value)];
        Assert.That(product.Result(), Is.EqualTo(sums.Select((sum, i) => VectorMath.Silu(Vector512.Create(gate[(i / shape.Columns * stride) + (i % shape.Columns)]))[0] * sum)));
        Assert.That(product.CanariesLive());
        Assert.That(
            kept,
            Is.EqualTo(kept.Select((_, i) => keeps && i % stride < shape.Columns ? sums[(i / stride * shape.Columns) + (i % stride)] : Canary)));
    }

    [Test]
    public void Every_element_is_passed_once_with_its_place(
        [Values(1, 3)] int threads, [Values] VectorInstructions vectors, [ValueSource(nameof(Shapes))] (int Rows, int Columns, int Depth) shape)
    {
        using WorkerPool pool = new(threads);
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, "tt", accumulate: true);
        int* visits = (int*)NativeMemory.AllocZeroed((nuint)(shape.Rows * shape.Columns), sizeof(int));
        product.Multiply(pool, new VisitEpilogue(visits, product.C, product.CStride, shape.Columns), vectors);

        int[] counts = new Span<int>(visits, shape.Rows * shape.Columns).ToArray();
        NativeMemory.Free(visits);
        Assert.That(counts, Is.All.EqualTo(1));
    }

    private static void CheckActivation<TActivation>(
        (int Rows, int Columns, int Depth) shape, bool accumulate, VectorInstructions vectors, Func<float, float> activation)
        where TActivation : struct, IActivation
    {
        using WorkerPool pool = new(2);
        using MatrixProductCase product = new(shape.Rows, shape.Columns, shape.Depth, "nt", accumulate);
        float[] plain = Plain(product, pool, vectors);
        float[] bias = Values(shape.Columns);
        int stride = shape.Columns + Gap;
        float[] kept = new float[shape.Rows * stride];
        Array.Fill(kept, Canary);
        fixed (float* biasPointer = bias, keptPointer = kept)
            product.Multiply(pool, new ActivationEpilogue<TActivation>(biasPointer, keptPointer, stride), vectors);

        float[] sums = [.. plain.Select((value, i) => value + bias[i % shape.Columns])];
        Assert.That(product.Result(), Is.EqualTo(sums.Select(activation)));
        Assert.That(product.CanariesLive());
        Assert.That(
            kept,
            Is.EqualTo(kept.Select((_, i) => i % stride < shape.Columns ? sums[(i / stride * shape.Columns) + (i % stride)] : Canary)));
    }

    // The product alone; then C is again as it was.
    private static float[] Plain(MatrixProductCase product, WorkerPool pool, VectorInstructions vectors)
    {
        product.Multiply(pool, vectors);
        float[] plain = product.Result();
        product.Restore();
        return plain;
    }

    private static float[] Values(int count)
    {
        Random random = new(5);
        return [.. Enumerable.Range(0, count).Select(_ => (4 * random.NextSingle()) - 2)];
    }

    private readonly struct VisitEpilogue(int* visits, float* c, long cStride, int columns) : IMatrixEpilogue
    {
        public void Prefetch(int rowIndex, int rows, int column, int count)
        {
        }

        public void Apply(float* row, int rowIndex, int column, int count)
        {
            for (int i = 0; i < count; i++)
            {
                bool rightPlace = row == c + (rowIndex * cStride) + column;
                Interlocked.Add(ref visits[(rowIndex * columns) + column + i], rightPlace ? 1 : 100);
            }
        }
    }
}
