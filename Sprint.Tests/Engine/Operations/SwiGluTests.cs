using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>The SwiGLU MLP, alone and with the gated residual behind it.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class SwiGluTests(string deviceName)
{
    // Batch, tokens, inputs, hidden, outputs.
    private static readonly int[][] Shapes = [[1, 1, 24, 36, 24], [2, 17, 36, 40, 24], [1, 113, 64, 96, 72], [3, 11, 5, 7, 9], [1, 3, 8, 41, 12]];

    private ElementType Element => TestDevice.Element(deviceName);

    [Test]
    public void Values_and_gradients([ValueSource(nameof(Shapes))] int[] lengths, [Values] bool biases)
    {
        int inputs = lengths[2];
        OperationTest test = new()
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => SwiGlu.Apply(tape, given[0], Weights(given, 1, biases)),
            Reference = given => Reference(given, 0, 1, biases, inputs),
        };
        Layers(test.With(new Shape(lengths[0], lengths[1], inputs)), lengths, biases).Verify();
    }

    [Test]
    public void With_the_residual_stream_behind_it([ValueSource(nameof(Shapes))] int[] lengths)
    {
        (int batch, int tokens, int inputs, int outputs) = (lengths[0], lengths[1], lengths[2], lengths[4]);
        OperationTest test = new()
        {
            DeviceName = deviceName,
            Operation = (_, tape, given) => SwiGlu.ApplyGated(tape, given[0], given[1], Weights(given, 3, biases: true), given[2], gateChunk: 1),
            Reference = given => References.GatedResidual(given[0], Reference(given, 1, 3, biases: true, inputs), given[2], batch, outputs, 1),
        };
        test.With(new Shape(batch, tokens, outputs)).With(new Shape(batch, tokens, inputs)).With(new Shape(batch, 2 * outputs));
        Layers(test, lengths, biases: true).Verify();
    }

    /// <summary>As where a library makes the product of the backward pass: the kernel behind it has a pass of its own.</summary>
    [Test]
    public void Values_and_gradients_where_the_way_back_is_a_pass_of_its_own([ValueSource(nameof(Shapes))] int[] lengths)
    {
        OperationTest test = new()
        {
            DeviceName = deviceName,
            Operation = (device, tape, given) =>
            {
                if (device.Kernels<ISwiGluKernels>() is not Unfused)
                    device.Register<ISwiGluKernels>(new Unfused(device.Kernels<ISwiGluKernels>()));
                return SwiGlu.Apply(tape, given[0], Weights(given, 1, biases: true));
            },
            Reference = given => Reference(given, 0, 1, biases: true, lengths[2]),
        };
        Layers(test.With(new Shape(lengths[0], lengths[1], lengths[2])), lengths, biases: true).Verify();
    }

    // Gate, linear part and their gradients against float64, where no epilogue does it: as behind a product of a library.
    [TestCase(1)]
    [TestCase(17)]
    [TestCase(4096)]
    [TestCase(4099)]
    public void The_way_back_through_the_product_of_gate_and_linear_part(int count)
    {
        var random = new Random(count);
        float[][] given = [.. Enumerable.Range(0, 3).Select(_ => TestDevice.Stored(deviceName, OperationTest.Randoms(random, new Shape(count), 3)))];
        float[][] actual = Backward(given, 1);
        float[][]? plain = Element == ElementType.BFloat16 ? PlainBackward(given) : null;
        double[][] exact = [new double[count], new double[count], new double[count]];
        for (int i = 0; i < count; i++)
        {
            (double g, double x, double d) = (given[0][i], given[1][i], given[2][i]);
            double s = 1 / (1 + Math.Exp(-g));
            (exact[0][i], exact[1][i], exact[2][i]) = (d * x * s * (1 + (g * (1 - s))), d * g * s, g * s * x);
        }

        string[] names = ["the gradient of the gate", "the gradient of the linear part", "the product"];
        for (int i = 0; i < 3; i++)
        {
            LowPrecision.AssertClose(names[i], actual[i], plain?[i], exact[i], i < 2 ? LowPrecision.Gradients : LowPrecision.Outputs, 2e-6);
            Comparer.AssertSameBits($"{names[i]} in another order", Backward(given, 3)[i], actual[i]);
        }
    }

    /// <summary>Of two hidden tensors the backward pass keeps both, and not their product.</summary>
    [Test]
    public void What_the_last_layer_reads_is_not_kept()
    {
        using Device device = TestDevice.Open(deviceName, 1);
        var random = new Random(1);
        Shape hidden = new(2, 17, 40);
        Tensor[] given = [.. new Shape[] { new(2, 17, 24), new(40, 24), new(40, 24), new(24, 40) }.Select(shape => From(device, random, shape))];
        Array.ForEach(given, Tape.Watch);
        using var tape = new Tape();
        long before = device.Account.LiveBytes;
        using Tensor y = SwiGlu.Apply(tape, given[0], Weights(given, 1, biases: false));
        Assert.That(device.Account.LiveBytes - before, Is.EqualTo(y.Bytes + (2 * hidden.Count * Element.Size())));
        tape.Reset();
        Assert.That(device.Account.LiveBytes - before, Is.EqualTo(y.Bytes));
        using Tensor same = SwiGlu.Apply(null, given[0], Weights(given, 1, biases: false));
        Comparer.AssertSameBits("the same in inference", same.ToArray(), y.ToArray());
        Array.ForEach(given, tensor => tensor.Dispose());
    }

    [Test]
    public void What_is_frozen_gets_no_gradient_and_changes_none([Values(0, 1, 2, 3, 4, 5, 6)] int wanted)
    {
        float[][] all = Gradients(static _ => true), one = Gradients(input => input == wanted);
        Assert.That(one.Select(static gradient => gradient.Length > 0), Is.EqualTo(Enumerable.Range(0, 7).Select(input => input == wanted)));

        // A bias alone is summed in another order than beside its weight.
        Comparer.AssertClose("the one gradient", one[wanted], all[wanted], 2e-6);
    }

    [Test]
    public void Floating_point_operations_are_those_that_dryrun_counts()
    {
        using Device device = TestDevice.Open(deviceName, 1);
        using var dryRun = new DryRunDevice();
        AccountTotal actual = Step(device), expected = Step(dryRun);
        Assert.That((actual.MatrixFlops, actual.VectorFlops), Is.EqualTo((expected.MatrixFlops, expected.VectorFlops)));

        // Three products of 34 x 40 x 24 forward and six backward; three biases added and summed; 5 and 12 for each of 34 x 40 products.
        Assert.That(expected.MatrixFlops, Is.EqualTo(9 * 2 * 34 * 40 * 24L));
        Assert.That(expected.VectorFlops, Is.EqualTo((2 * ((2 * 34 * 40) + (34 * 24))) + (17 * 34 * 40L)));

        AccountTotal Step(Device on)
        {
            var random = new Random(1);
            Tensor[] given = [.. new Shape[] { new(34, 24), new(40, 24), new(40), new(40, 24), new(40), new(24, 40), new(24) }.Select(shape => From(on, random, shape))];
            Array.ForEach(given, Tape.Watch);
            using var tape = new Tape();
            using Tensor y = SwiGlu.Apply(tape, given[0], Weights(given, 1, biases: true));
            tape.Backward(y, From(on, random, y.Shape));
            return on.Account.Total();
        }
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named_with_their_values()
    {
        using var device = new DryRunDevice();
        Tensor x = Empty(2, 24), gate = Empty(36, 24), shorter = Empty(36, 25), linear = Empty(35, 24), output = Empty(24, 36), bias = Empty(35), narrow = device.Allocate(new Shape(36, 24), ElementType.BFloat16);
        Complains(new(new(shorter, default), new(shorter, default), new(output, default)), "linear: dimension 1 of the input must be 25, not 24 (shape [2, 24])");
        Complains(new(new(gate, default), new(linear, default), new(output, default)), "swiglu: the linear weight must have shape [36, 24], not [35, 24]");
        Complains(new(new(gate, bias), new(gate, default), new(output, default)), "linear: the bias must have shape [36], not [35]");
        Complains(new(new(gate, default), new(gate, bias), new(output, default)), "swiglu: the linear bias must have shape [36], not [35]");
        Complains(new(new(gate, default), new(gate, default), new(gate, default)), "linear: dimension 1 of the input must be 24, not 36 (shape [2, 36])");
        Complains(new(new(bias, default), new(gate, default), new(output, default)), "swiglu: the weight of the gate must have 2 dimensions, not [35]");
        Complains(new(new(gate, default), new(narrow, default), new(output, default)), "swiglu: the linear weight must hold Float32 on dryrun, as the input does, not BFloat16[36, 24] on dryrun");

        void Complains(SwiGluWeights weights, string message) =>
            Assert.That(() => SwiGlu.Apply(null, x, weights), Throws.ArgumentException.With.Message.EqualTo(message));

        Tensor Empty(params ReadOnlySpan<int> lengths) => device.Allocate(new Shape(lengths));
    }

    private static SwiGluWeights Weights(IReadOnlyList<Tensor> given, int first, bool biases) => biases
        ? new(new(given[first], given[first + 1]), new(given[first + 2], given[first + 3]), new(given[first + 4], given[first + 5]))
        : new(new(given[first], default), new(given[first + 1], default), new(given[first + 2], default));

    private static double[] Reference(IReadOnlyList<double[]> given, int input, int first, bool biases, int inputs) => biases
        ? References.SwiGlu(given[input], given[first], given[first + 1], given[first + 2], given[first + 3], given[first + 4], given[first + 5], inputs)
        : References.SwiGlu(given[input], given[first], null, given[first + 1], null, given[first + 2], null, inputs);

    private static OperationTest Layers(OperationTest test, int[] lengths, bool biases)
    {
        (int inputs, int hidden, int outputs) = (lengths[2], lengths[3], lengths[4]);
        foreach ((int height, int width) in new[] { (hidden, inputs), (hidden, inputs), (outputs, hidden) })
        {
            test.With(new Shape(height, width), 1.5 / Math.Sqrt(width));
            if (biases)
                test.With(new Shape(height));
        }

        return test;
    }

    private static float[][] PlainBackward(float[][] given)
    {
        using var device = CpuDevice.WithPlainBFloat16(1);
        return Backward(device, ElementType.BFloat16, given);
    }

    private static float[][] Backward(Device device, ElementType element, float[][] given)
    {
        Tensor[] tensors = [.. given.Select(values => TestDevice.From(device, element, new Shape(values.Length), values))];
        device.Kernels<ISwiGluKernels>().Backward(tensors[0], tensors[1], tensors[2]);
        float[][] results = [.. tensors.Select(static tensor => tensor.ToArray())];
        Array.ForEach(tensors, static tensor => tensor.Dispose());
        return results;
    }

    private float[][] Backward(float[][] given, int variant)
    {
        using Device device = TestDevice.Open(deviceName, variant);
        return Backward(device, Element, given);
    }

    private float[][] Gradients(Func<int, bool> wanted)
    {
        using Device device = TestDevice.Open(deviceName, 2);
        var random = new Random(3);
        Tensor[] given = [.. new Shape[] { new(17, 24), new(40, 24), new(40), new(40, 24), new(40), new(24, 40), new(24) }.Select(shape => From(device, random, shape))];
        for (int i = 0; i < given.Length; i++)
        {
            if (wanted(i))
                Tape.Watch(given[i]);
        }

        using var tape = new Tape();
        using (Tensor y = SwiGlu.Apply(tape, given[0], Weights(given, 1, biases: true)))
        using (Tensor upstream = From(device, random, y.Shape))
            tape.Backward(y, upstream);
        float[][] gradients = [.. given.Select(static tensor => Tape.GradientOf(tensor) is { IsEmpty: false } gradient ? gradient.ToArray() : [])];
        Array.ForEach(given, static tensor => tensor.Dispose());
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after the backward pass");
        return gradients;
    }

    private Tensor From(Device device, Random random, Shape shape) =>
        TestDevice.From(device, Element, shape, TestDevice.Stored(deviceName, OperationTest.Randoms(random, shape, 0.4)));

    private sealed class Unfused(ISwiGluKernels inner) : ISwiGluKernels
    {
        public void Forward(Tensor input, Tensor weight, Tensor bias, Tensor gate, Tensor linear, Tensor product) => inner.Forward(input, weight, bias, gate, linear, product);

        public void Backward(Tensor gate, Tensor linear, Tensor product) => inner.Backward(gate, linear, product);
    }
}

/// <summary>That the passes over memory are saved, by the launches.</summary>
[TestFixture]
public sealed class SwiGluLaunchTests
{
    [Test]
    public void On_CUDA_gate_and_residual_stream_take_no_pass_of_their_own()
    {
        List<string> launches = [];
        using CudaDevice device = new(CudaContext.Emulated(EmulationOptions.Default, launch => launches.Add(launch.Kernel)));
        using Tensor x = device.From(new Shape(1, 2, 8), new float[16]), weight = device.From(new Shape(8, 8), new float[64]), modulation = device.From(new Shape(1, 8), new float[8]);
        Tape.Watch(x);
        using var tape = new Tape();
        LinearWeights layer = new(weight, default);
        using Tensor y = SwiGlu.ApplyGated(tape, x, x, new SwiGluWeights(layer, layer, layer), modulation, 0);
        using Tensor gradient = device.From(y.Shape, new float[16]);
        tape.Backward(y, gradient);
        device.Synchronize();
        string[] forward = [.. Enumerable.Repeat("matrix_product_forward", 3)], backward = [.. Enumerable.Repeat("matrix_product_backward_input", 3)];
        Assert.That(launches, Is.EqualTo((string[])[.. forward, "gated_residual_backward", .. backward]));
    }
}
