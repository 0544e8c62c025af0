using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Sampling;

namespace Sprint.Tests.Golden;

/// <summary>Operations against the reference's values and gradients.</summary>
[TestFixture]
public sealed class GoldenUnitTests
{
    [TestCase("modln")]
    [TestCase("modln_small")]
    public void Adaptive_layer_norm(string name)
    {
        using var unit = new GoldenUnit(name);
        using var tape = new Tape();
        Tensor x = unit.Input("x");
        float[] modulation = [.. Enumerable.Range(0, 2).SelectMany(row => unit["shift"][(row * 24)..((row + 1) * 24)].Concat(unit["scale"][(row * 24)..((row + 1) * 24)]))];
        Tensor chunks = unit.Keep([2, 48], modulation);
        using Tensor y = AdaptiveLayerNorm.Apply(tape, x, chunks, shiftChunk: 0, scaleChunk: 1);
        unit.Output("y", y);
        unit.Backward(tape, y);
        unit.Gradient("x", x);
        float[] gradient = Tape.GradientOf(chunks).ToArray();
        unit.Gradient("shift", [.. gradient[..24], .. gradient[48..72]]);
        unit.Gradient("scale", [.. gradient[24..48], .. gradient[72..]]);
    }

    [Test]
    public void Gelu_behind_a_linear_layer() => CheckActivation("gelu_tanh", Activation.Gelu);

    [Test]
    public void Silu_behind_a_linear_layer() => CheckActivation("silu", Activation.Silu);

    [Test]
    public void Silu_alone()
    {
        using var unit = new GoldenUnit("silu");
        using var tape = new Tape();
        Tensor x = unit.Input("x");
        using Tensor y = Silu.Apply(tape, x);
        unit.Output("y", y);
        unit.Backward(tape, y);
        unit.Gradient("x", x);
    }

    [Test]
    public void SwiGlu_mlp()
    {
        using var unit = new GoldenUnit("swiglu");
        using var tape = new Tape();
        string[] names = ["x", "fc1_g.weight", "fc1_g.bias", "fc1_x.weight", "fc1_x.bias", "fc2.weight", "fc2.bias"];
        Tensor[] given = [.. names.Select(name => unit.Input(name))];
        using Tensor y = SwiGlu.Apply(tape, given[0], new SwiGluWeights(new(given[1], given[2]), new(given[3], given[4]), new(given[5], given[6])));
        unit.Output("y", y);
        unit.Backward(tape, y);
        for (int i = 0; i < names.Length; i++)
            unit.Gradient(names[i], given[i]);
    }

    /// <summary>The product of SiLU(gate) and x alone: the layers pick the halves of rows [gate, x], and the last one hands it on.</summary>
    [Test]
    public void SwiGlu_between_layers_that_change_nothing()
    {
        using var unit = new GoldenUnit("swiglu_act");
        using var tape = new Tape();
        const int Width = 20;
        (float[] gate, float[] linear) = (unit["gate"], unit["x"]);
        Tensor x = unit.Keep([3, 2 * Width], [.. Enumerable.Range(0, 3).SelectMany(row => Row(gate, row).Concat(Row(linear, row)))]);
        Tensor first = unit.Keep([Width, 2 * Width], Unit(2 * Width, 0)), second = unit.Keep([Width, 2 * Width], Unit(2 * Width, Width)), same = unit.Keep([Width, Width], Unit(Width, 0));
        using Tensor y = SwiGlu.Apply(tape, x, new SwiGluWeights(new(first, default), new(second, default), new(same, default)));
        unit.Output("y", y);
        unit.Backward(tape, y);
        float[] gradient = Tape.GradientOf(x).ToArray();
        unit.Gradient("gate", [.. Enumerable.Range(0, 6).Where(static row => row % 2 == 0).SelectMany(row => Row(gradient, row))]);
        unit.Gradient("x", [.. Enumerable.Range(0, 6).Where(static row => row % 2 == 1).SelectMany(row => Row(gradient, row))]);

        static float[] Row(float[] values, int row) => values[(row * Width)..((row + 1) * Width)];

        static float[] Unit(int columns, int shift) =>
            [.. Enumerable.Range(0, Width * columns).Select(i => i % columns == (i / columns) + shift ? 1f : 0f)];
    }

    [TestCase(256)]
    [TestCase(32)]
    public void Timestep_features(int features)
    {
        using var unit = new GoldenUnit("timestep");
        using Tensor embedding = TimestepEmbedding.Apply(unit.Input("t"), features);
        unit.Output($"emb{features}", embedding);
    }

    [TestCase(2)]
    [TestCase(4)]
    public void Patches(int patch)
    {
        using var unit = new GoldenUnit($"patch{patch}");
        int[] shape = unit.Shape("x");
        Tensor image = unit.Input("x");
        using Tensor tokens = Patchify.Apply(null, image, patch);
        Comparer.AssertSameBits("tokens", tokens.ToArray(), unit["tokens"]);
        using Tensor back = Patchify.Invert(null, tokens, patch, shape[2], shape[3]);
        Comparer.AssertSameBits("image", back.ToArray(), unit["x"]);
    }

    [Test]
    public void Kept_tokens_are_drawn_gathered_and_restored()
    {
        using var unit = new GoldenUnit("restore");
        using var gathered = new GoldenUnit("gather_keep");
        using var tape = new Tape();
        using Tensor uniforms = unit.Device.From(new Shape(2, 4, 4), unit["mask_rand"]);
        using Tensor ids = TokenDrop.Select(uniforms, DropPattern.Structured(4, 4, 0.75));
        var drawn = new int[ids.Count];
        ids.CopyTo<int>(drawn);
        Assert.That(drawn, Is.EqualTo(unit.Integers("ids_keep")));

        Tensor masked = unit.Input("x_masked");
        Tensor token = unit.Input("mask_token");
        using Tensor rows = TokenDrop.Locate(unit.Device, 2, 16, ids, default);
        using Tensor restored = TokenDrop.Scatter(tape, masked, rows, token);
        Comparer.AssertSameBits("restored", restored.ToArray(), unit["y"]);
        unit.Backward(tape, restored);
        unit.Gradient("x_masked", masked);
        unit.Gradient("mask_token", token);

        Tensor full = gathered.Input("x");
        using Tensor kept = gathered.Device.From(new Shape(2, 4), drawn);
        using Tensor rowsKept = TokenDrop.Gather(tape, full, kept);
        Comparer.AssertSameBits("gathered", rowsKept.ToArray(), gathered["y"]);
        gathered.Backward(tape, rowsKept);
        Comparer.AssertSameBits("gradient", Tape.GradientOf(full).ToArray(), gathered["grad.x"]);
    }

    [Test]
    public void Projection_loss()
    {
        using var unit = new GoldenUnit("proj");
        using var tape = new Tape();
        Tensor prediction = unit.Input("z_tilde");
        Tensor features = unit.Input("z");
        using Tensor loss = CosineLoss.Apply(tape, prediction, features, default);
        unit.Output("loss", loss);
        tape.Backward(loss);
        unit.Gradient("z_tilde", prediction);
    }

    [Test]
    public void Lognormal_times()
    {
        using var unit = new GoldenUnit("tdist");
        float[] times = [.. unit["n"].Select(normal => 1f / (1f + MathF.Exp(-normal)))];
        Comparer.AssertClose("t", times, unit["t"], GoldenUnit.OutputTolerance);
    }

    [Test]
    public void Score_and_drift_of_a_velocity()
    {
        using var unit = new GoldenUnit("score");
        (float[] v, float[] x, float[] t) = (unit["v"], unit["x"], unit["t"]);
        var score = new float[v.Length];
        var drift = new float[v.Length];
        for (int i = 0; i < v.Length; i++)
        {
            double time = t[i / (v.Length / t.Length)];
            double value = Sampler.Score(v[i], x[i], FlowCoefficients.At(FlowPath.Linear, time));
            (score[i], drift[i]) = ((float)value, (float)(v[i] - (time * value)));
        }

        Comparer.AssertClose("score", score, unit["score"], 1e-7);
        Comparer.AssertClose("drift", drift, unit["drift"], 1e-7);
    }

    private static void CheckActivation(string name, Activation activation)
    {
        using var unit = new GoldenUnit(name);
        using var tape = new Tape();
        Tensor x = unit.Input("x", 64, 1);
        Tensor one = unit.Keep([1, 1], [1]);
        using Tensor y = Linear.Apply(tape, x, one, default, activation);
        unit.Output("y", y);
        unit.Backward(tape, y);
        unit.Gradient("x", x);
    }
}
