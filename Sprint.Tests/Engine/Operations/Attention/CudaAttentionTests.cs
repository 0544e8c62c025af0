using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;
using AttentionOperation = Sprint.Engine.Operations.Attention;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Attention's kernels as a CUDA device launches them, in both element types.</summary>
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class CudaAttentionTests(string deviceName)
{
    private static readonly int[][] Shapes = [[1, 1, 2, 36], [2, 17, 3, 16], [3, 64, 1, 32], [1, 147, 2, 72], [1, 70, 1, 128]];
    private static readonly string[] Elements = [KernelCatalog.FloatElement, KernelCatalog.BFloat16Element];

    [Test]
    public void Values_and_gradients_are_right([ValueSource(nameof(Elements))] string element, [ValueSource(nameof(Shapes))] int[] lengths, [Values] bool norm)
    {
        AttentionSample sample = new(element, lengths[0], lengths[1], lengths[2], lengths[3], norm, UsesIds: norm);
        using Device device = TestDevice.Open(deviceName);
        AttentionComparison.AssertRight(sample, Run(device, sample));
    }

    [Test]
    public void A_second_run_in_used_memory_gives_the_same_bits([ValueSource(nameof(Elements))] string element)
    {
        AttentionSample sample = new(element, 2, 113, 2, 72, Norm: true, UsesIds: true);
        using Device device = TestDevice.Open(deviceName), other = TestDevice.Open(deviceName, 3);
        AttentionResults first = Run(device, sample);
        AttentionComparison.AssertSame(Run(device, sample), first);
        AttentionComparison.AssertSame(Run(other, sample), first);
    }

    // In one sample all scores are about -400, in the other +400: exp of either cannot be had, and the ragged tile must not bring it in.
    [Test]
    public void Extreme_scores_neither_overflow_nor_underflow([ValueSource(nameof(Elements))] string element)
    {
        const int Tokens = 70, HeadSize = 32;
        AttentionSample sample = new(element, 2, Tokens, 1, HeadSize, Norm: false, UsesIds: false);
        for (int i = 0; i < sample.Qkv.Length; i++)
        {
            int part = i / HeadSize % 3;
            sample.Qkv[i] = part == 2 ? sample.Qkv[i] : part == 1 || i >= sample.Qkv.Length / 2 ? 8.5f : -8.5f;
        }

        Array.Fill(sample.Cosines, 1);
        Array.Clear(sample.Sines);
        using Device device = TestDevice.Open(deviceName);
        AttentionResults actual = Run(device, sample);
        Assert.That(actual.LogSumExp[0], Is.EqualTo(-8.5 * 8.5 * Math.Sqrt(HeadSize) + Math.Log(Tokens)).Within(1e-3));
        AttentionComparison.AssertRight(sample, actual, largestScore: 409);
    }

    [Test]
    public void Heads_that_are_too_wide_are_refused_in_a_sentence()
    {
        using Device device = TestDevice.Open(deviceName);
        using var rope = new RopeTable(device, 2, 2, 132);
        using Tensor qkv = device.From(new Shape(1, 4, 3 * 132), new float[4 * 3 * 132]);
        Assert.That(
            () => AttentionOperation.Apply(null, qkv, new AttentionArguments(1, default, default, rope.Cosines, rope.Sines, default)),
            Throws.ArgumentException.With.Message.EqualTo("attention: the CUDA kernels take heads of at most 128 channels, not 132: use more heads, or device cpu, which takes up to 256"));
    }

    private static AttentionResults Run(Device device, AttentionSample sample)
    {
        (int batch, int tokens, int heads, int headSize) = (sample.Batch, sample.Tokens, sample.Heads, sample.HeadSize);
        bool isFloat = sample.Element == KernelCatalog.FloatElement;
        Shape packed = new(batch, tokens, 3 * heads * headSize), merged = new(batch, tokens, heads * headSize);
        Shape table = new(sample.Cosines.Length / (headSize / 2), headSize / 2);
        using Tensor qkv = Upload(packed, sample.Qkv), gradient = Upload(merged, sample.OutputGradient);
        using Tensor cosines = device.From(table, sample.Cosines), sines = device.From(table, sample.Sines);
        using Tensor queryWeight = sample.QueryWeight == null ? default : device.From(new Shape(headSize), sample.QueryWeight);
        using Tensor keyWeight = sample.KeyWeight == null ? default : device.From(new Shape(headSize), sample.KeyWeight);
        using Tensor ids = sample.Ids == null ? default : device.From(new Shape(batch, tokens), sample.Ids);
        AttentionArguments arguments = new(heads, queryWeight, keyWeight, cosines, sines, ids);
        using Tensor output = device.Allocate(merged, qkv.ElementType), qkvGradient = device.Allocate(packed, qkv.ElementType);
        using Tensor logSumExp = device.Allocate(new Shape(batch, heads, tokens));
        float[] ones = [.. Enumerable.Repeat(1f, headSize)];
        using Tensor queryGradient = sample.Norm ? device.From(new Shape(headSize), ones) : default;
        using Tensor keyGradient = sample.Norm ? device.From(new Shape(headSize), ones) : default;
        IAttentionKernels kernels = device.Kernels<IAttentionKernels>();
        kernels.Forward(qkv, arguments, output, logSumExp);
        kernels.Backward(gradient, qkv, arguments, output, logSumExp, qkvGradient, queryGradient, keyGradient);
        Assert.That(device.Account.LiveBytesOf(MemoryCategory.Workspace), Is.Zero);
        return new AttentionResults(
            Download(output),
            Download(logSumExp),
            Download(qkvGradient),
            sample.Norm ? [.. Download(queryGradient).Select(value => value - 1)] : null,
            sample.Norm ? [.. Download(keyGradient).Select(value => value - 1)] : null);

        Tensor Upload(Shape shape, float[] values)
        {
            if (isFloat)
                return device.From(shape, values);
            Tensor tensor = device.Allocate(shape, ElementType.BFloat16);
            tensor.CopyFrom<ushort>(Array.ConvertAll(values, AttentionSample.Narrow));
            return tensor;
        }

        static double[] Download(Tensor tensor)
        {
            if (tensor.ElementType == ElementType.Float32)
                return Array.ConvertAll(tensor.ToArray(), value => (double)value);
            ushort[] values = new ushort[tensor.Count];
            tensor.CopyTo<ushort>(values);
            return Array.ConvertAll(values, value => (double)BitConverter.UInt32BitsToSingle(AttentionSample.Widen(value)));
        }
    }
}
