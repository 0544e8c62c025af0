using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// Linear and residual fusion on bfloat16 tensors. The error against float64 may be twice that of an implementation that sums exactly and
/// rounds every tensor that it stores (thrice for gradients); parameters' gradients in float32 are as exact as float32 sums of such operands.
/// </summary>
[TestFixture(TestDevice.Emulated, 1)]
[TestFixture(TestDevice.Emulated, 2)]
[TestFixture(TestDevice.Cuda, 1, Category = "Gpu")]
public sealed class LowPrecisionProductTests(string deviceName, int variant)
{
    private const double SumTolerance = 2e-6;

    [Test]
    public void Linear_layer_forward_and_backward([Values(1, 17, 147)] int rows, [Values(24, 113)] int inputs, [Values(40, 17)] int outputs, [Values] Activation activation)
    {
        using Device device = TestDevice.Open(deviceName, variant);
        var random = new Random(rows + inputs + outputs);
        float[] x = Values(random, rows * inputs, 1), w = Values(random, outputs * inputs, 1 / Math.Sqrt(inputs)), b = Values(random, outputs, 1), dy = Values(random, rows * outputs, 1);
        using Tensor input = Narrow(device, new Shape(rows, inputs), x), weight = Narrow(device, new Shape(outputs, inputs), w), bias = Narrow(device, new Shape(outputs), b);
        using Tensor gradient = Narrow(device, new Shape(rows, outputs), dy);
        using Tensor output = Empty(device, rows, outputs), preactivation = activation == Activation.None ? default : Empty(device, rows, outputs);
        using Tensor inputGradient = Empty(device, rows, inputs), weightGradient = device.Allocate(new Shape(outputs, inputs)), narrowWeightGradient = Empty(device, outputs, inputs);
        using Tensor biasGradient = device.Allocate(new Shape(outputs)), narrowBiasGradient = Empty(device, 1, outputs);
        ILinearKernels kernels = device.Kernels<ILinearKernels>();
        kernels.Forward(input, weight, bias, activation, preactivation, output);
        float[] argument = activation == Activation.None ? [] : Read(preactivation);
        if (activation != Activation.None)
            kernels.BackwardActivation(gradient, activation, preactivation);
        Tensor upstream = activation == Activation.None ? gradient : preactivation;
        float[] upstreamValues = Read(upstream);
        kernels.BackwardInput(upstream, weight, inputGradient, accumulate: false);
        kernels.BackwardWeight(upstream, input, weightGradient, accumulate: false, biasGradient);
        kernels.BackwardWeight(upstream, input, narrowWeightGradient, accumulate: false);
        kernels.BackwardBias(upstream, narrowBiasGradient, accumulate: false);

        double[] sums = Multiply(x, w, rows, outputs, inputs, (row, column) => b[column], (l, row) => (row * inputs) + l, (l, column) => (column * inputs) + l);
        Verify("output", Read(output), [.. sums.Select(sum => Apply(activation, sum))], [.. sums.Select(sum => Apply(activation, Round(sum)))], LowPrecision.Outputs);
        if (activation != Activation.None)
        {
            Verify("preactivation", argument, sums, sums, LowPrecision.Outputs);
            double[] derivative = [.. dy.Select((value, i) => value * Derivative(activation, argument[i]))];
            Verify("gradient of the preactivation", upstreamValues, derivative, derivative, LowPrecision.Gradients);
        }

        double[] dx = Multiply(upstreamValues, w, rows, inputs, outputs, (_, _) => 0, (l, row) => (row * outputs) + l, (l, column) => (l * inputs) + column);
        double[] dw = Multiply(upstreamValues, x, outputs, inputs, rows, (_, _) => 0, (l, row) => (l * outputs) + row, (l, column) => (l * inputs) + column);
        double[] db = [.. Enumerable.Range(0, outputs).Select(column => Enumerable.Range(0, rows).Sum(row => (double)upstreamValues[(row * outputs) + column]))];
        Verify("gradient of the input", Read(inputGradient), dx, dx, LowPrecision.Gradients);
        Verify("gradient of the weight", Read(narrowWeightGradient), dw, dw, LowPrecision.Gradients);
        Verify("gradient of the bias", Read(narrowBiasGradient), db, db, LowPrecision.Gradients);
        Comparer.AssertClose("gradient of the weight in float32", weightGradient.ToArray(), dw, SumTolerance);
        Comparer.AssertClose("gradient of the bias in float32", biasGradient.ToArray(), db, SumTolerance);
    }

    [TestCase(1, 1, 1, 24)]
    [TestCase(2, 17, 5, 36)]
    [TestCase(2, 147, 113, 17)]
    [TestCase(3, 64, 16, 64)]
    public void Residual_fusion_forward_and_backward(int batch, int tokens, int kept, int width)
    {
        using Device device = TestDevice.Open(deviceName, variant);
        var random = new Random(tokens);
        int count = batch * tokens;
        float[] f = Values(random, count * width, 1), g = Values(random, batch * kept * width, 1), m = Values(random, width, 1), w = Values(random, width * 2 * width, 1 / Math.Sqrt(width)), b = Values(random, width, 1), dy = Values(random, count * width, 1);
        int[] rows = Operations.TokenDropTests.RowsOf(Operations.TokenDropTests.KeptIds(batch, tokens, kept), batch, tokens, kept, batch == 3 ? [0, 1, 0] : null);
        using Tensor rowMap = device.From(new Shape(batch, tokens), rows);
        using Tensor dense = Narrow(device, new Shape(batch, tokens, width), f), sparse = Narrow(device, new Shape(batch, kept, width), g), mask = Narrow(device, new Shape(1, 1, width), m);
        using Tensor weight = Narrow(device, new Shape(width, 2 * width), w), bias = Narrow(device, new Shape(width), b), gradient = Narrow(device, new Shape(batch, tokens, width), dy);
        using Tensor output = Empty(device, batch, tokens, width), denseGradient = Empty(device, batch, tokens, width), sparseGradient = Empty(device, batch, kept, width);
        using Tensor weightGradient = device.Allocate(new Shape(width, 2 * width)), biasGradient = device.Allocate(new Shape(width)), maskGradient = device.From(new Shape(1, 1, width), new float[width]);
        IResidualFusionKernels kernels = device.Kernels<IResidualFusionKernels>();
        FusionInputs inputs = new(dense, sparse, rowMap, mask, weight, bias);
        kernels.Forward(inputs, output);
        kernels.Backward(gradient, inputs, new FusionGradients(denseGradient, false, sparseGradient, false, weightGradient, false, biasGradient, false, maskGradient));

        // The padded form: [g or m | f] of each token.
        float[] joined = [.. Enumerable.Range(0, count).SelectMany(n => (rows[n] < 0 ? m : g[(rows[n] * width)..((rows[n] + 1) * width)]).Concat(f[(n * width)..((n + 1) * width)]))];
        int both = 2 * width;
        double[] y = Multiply(joined, w, count, width, both, (_, column) => b[column], (l, row) => (row * both) + l, (l, column) => (column * both) + l);
        double[] dJoined = Multiply(dy, w, count, both, width, (_, _) => 0, (l, row) => (row * width) + l, (l, column) => (l * both) + column);
        double[] dw = Multiply(dy, joined, width, both, count, (_, _) => 0, (l, row) => (l * width) + row, (l, column) => (l * both) + column);
        double[] df = new double[f.Length], dg = new double[g.Length], dm = new double[width], db = new double[width];
        for (int n = 0; n < count; n++)
        {
            for (int i = 0; i < width; i++)
            {
                db[i] += dy[(n * width) + i];
                df[(n * width) + i] = dJoined[(n * both) + width + i];
                (rows[n] < 0 ? dm : dg)[(Math.Max(rows[n], 0) * width) + i] += dJoined[(n * both) + i];
            }
        }

        Verify("output", Read(output), y, y, LowPrecision.Outputs);
        Verify("gradient of f", Read(denseGradient), df, df, LowPrecision.Gradients);
        Verify("gradient of g", Read(sparseGradient), dg, dg, LowPrecision.Gradients);
        Comparer.AssertClose("gradient of W", weightGradient.ToArray(), dw, SumTolerance);
        Comparer.AssertClose("gradient of b", biasGradient.ToArray(), db, SumTolerance);
        Comparer.AssertClose("gradient of m", maskGradient.ToArray(), dm, SumTolerance);
    }

    /// <summary>The error against `exact` is at most `times` that of `stored` rounded to bfloat16.</summary>
    private static void Verify(string name, float[] actual, double[] exact, double[] stored, double times)
    {
        double scale = Math.Max(1e-3, exact.Max(Math.Abs));
        double plain = exact.Zip(stored, static (a, b) => Math.Abs(a - Round(b))).Max() / scale;
        Comparer.AssertClose(name, actual, exact, (times * plain) + SumTolerance);
    }

    private static double[] Multiply(
        float[] a, float[] b, int m, int n, int k, Func<int, int, double> start, Func<int, int, int> placeA, Func<int, int, int> placeB)
    {
        var c = new double[m * n];
        for (int row = 0; row < m; row++)
        {
            for (int column = 0; column < n; column++)
            {
                double sum = start(row, column);
                for (int l = 0; l < k; l++)
                    sum += (double)a[placeA(l, row)] * b[placeB(l, column)];
                c[(row * n) + column] = sum;
            }
        }

        return c;
    }

    private static double Apply(Activation activation, double x) => activation switch
    {
        Activation.Gelu => Operations.References.Gelu(x),
        Activation.Silu => Operations.References.Silu(x),
        _ => x,
    };

    private static double Derivative(Activation activation, double x) => (Apply(activation, x + 1e-5) - Apply(activation, x - 1e-5)) / 2e-5;

    private static double Round(double value) => DeviceElements.Rounded((float)value);

    private static float[] Values(Random random, int count, double scale) =>
        [.. Enumerable.Range(0, count).Select(_ => DeviceElements.Rounded((float)(((2 * random.NextDouble()) - 1) * 1.7 * scale)))];

    private static Tensor Empty(Device device, params int[] lengths) => device.Allocate(new Shape(lengths), ElementType.BFloat16);

    private static Tensor Narrow(Device device, Shape shape, float[] values)
    {
        Tensor tensor = device.Allocate(shape, ElementType.BFloat16);
        tensor.CopyFrom<ushort>(Array.ConvertAll(values, static value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)));
        return tensor;
    }

    private static float[] Read(Tensor tensor)
    {
        var bits = new ushort[tensor.Count];
        tensor.CopyTo<ushort>(bits);
        return Array.ConvertAll(bits, static value => BitConverter.UInt32BitsToSingle((uint)value << 16));
    }
}
