using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Autograd;

/// <summary>Recording, running backwards, sharing gradients, and giving memory back.</summary>
[TestFixture]
public sealed class TapeTests
{
    private CpuDevice device = null!;
    private Tape tape = null!;

    [SetUp]
    public void Create()
    {
        device = new CpuDevice(threads: 1) { PoisonsMemory = true };
        tape = new Tape();
    }

    [TearDown]
    public void Free()
    {
        tape.Dispose();
        Assert.That(device.Account.LiveBytes, Is.Zero);
        device.Dispose();
    }

    [Test]
    public void Nothing_is_recorded_where_nothing_wants_a_gradient()
    {
        using Tensor x = From(1, 2);
        using Tensor y = Silu.Apply(tape, x);
        Assert.That((tape.Count, y.RequiresGradient), Is.EqualTo((0, false)));
        Assert.That(() => tape.Backward(y, x), Throws.ArgumentException.With.Message.Contains("does not depend on any"));
    }

    [Test]
    public void Without_a_tape_nothing_is_kept()
    {
        using Tensor x = Watched(1, 2);
        using Tensor y = Silu.Apply(null, x);
        Assert.That(y.RequiresGradient, Is.False);
        Assert.That(device.Account.LiveBytes, Is.EqualTo(16));
    }

    // y = a + a: the two contributions are the same tensor, and so is the gradient that the caller holds.
    [Test]
    public void A_gradient_that_arrives_twice_is_added_to_a_copy()
    {
        using Tensor a = Watched(1, 2);
        using Tensor y = Addition.Apply(tape, a, a);
        using Tensor upstream = From(10, 20);
        tape.Backward(y, upstream);
        Assert.That(Gradient(a), Is.EqualTo((float[])[20, 40]));
        Assert.That(upstream.ToArray(), Is.EqualTo((float[])[10, 20]), "the caller's own gradient is left alone");
    }

    // y = silu(a), z = a + silu(a): what is minimised is 10 y + 100 z.
    [Test]
    public void Several_results_are_differentiated_at_once()
    {
        using Tensor a = Watched(1, 2);
        using Tensor y = Silu.Apply(tape, a);
        using Tensor z = Addition.Apply(tape, a, y);
        using Tensor ten = From(10, 10), hundred = From(100, 100), other = Watched(1, 2, 3);
        Assert.That(() => tape.Backward([y, z], [ten]), Throws.ArgumentException.With.Message.Contains("1 gradients do not fit 2 results"));
        Assert.That(() => tape.Backward([y, z], [ten, other]), Throws.ArgumentException.With.Message.Contains("the gradient has shape [3], the result [2]"));
        Assert.That(() => tape.Backward([y, ten], [ten, ten]), Throws.ArgumentException.With.Message.Contains("does not depend on any"));
        tape.Backward([y, z], [ten, hundred]);
        Assert.That(tape.Count, Is.Zero);
        double[] expected = [.. new[] { 1.0, 2 }.Select(x => 100 + (110 * Derivative(x)))];
        Comparer.AssertClose("gradient", Gradient(a), expected, 1e-6);
        Assert.That((ten.ToArray(), hundred.ToArray()), Is.EqualTo((new float[] { 10, 10 }, new float[] { 100, 100 })), "the caller's own gradients are left alone");

        static double Derivative(double x) => 1 / (1 + Math.Exp(-x)) * (1 + (x * (1 - (1 / (1 + Math.Exp(-x))))));
    }

    // s1 = x + b, s2 = s1 + s1', s3 = s2 + x: one gradient is handed down the stream and must not change under those who share it.
    [Test]
    public void A_gradient_shared_along_a_residual_stream_is_not_written_into()
    {
        using Tensor x = Watched(1, 2);
        using Tensor b = Watched(3, 4);
        using Tensor s1 = Addition.Apply(tape, x, b);
        using Tensor s2 = Addition.Apply(tape, s1, b);
        using Tensor s3 = Addition.Apply(tape, s2, x);
        using Tensor s4 = Addition.Apply(tape, s3, s1);
        using Tensor upstream = From(1, 10);
        tape.Backward(s4, upstream);

        // s4 = (x + b) + b + x + (x + b) = 3x + 3b
        Assert.That(Gradient(x), Is.EqualTo((float[])[3, 30]));
        Assert.That(Gradient(b), Is.EqualTo((float[])[3, 30]));
        Assert.That(upstream.ToArray(), Is.EqualTo((float[])[1, 10]));
    }

    [Test]
    public void A_gradient_flows_through_tensors_whose_values_are_gone()
    {
        using Tensor x = Watched(1, 2);
        Tensor first = Addition.Apply(tape, x, x);
        Tensor second = Addition.Apply(tape, first, x);
        first.Dispose();
        using Tensor third = Addition.Apply(tape, second, second);
        second.Dispose();
        using Tensor upstream = From(1, 1);
        tape.Backward(third, upstream);
        Assert.That(Gradient(x), Is.EqualTo((float[])[6, 6]));
    }

    [Test]
    public void Saved_tensors_are_freed_by_the_backward_pass_and_by_a_reset([Values] bool backward)
    {
        using var weight = new Parameter(device, "w", new Shape(24, 24));
        weight.Value.CopyFrom<float>(new float[24 * 24]);
        _ = weight.Gradient;
        weight.ForgetGradient();
        using Tensor x = device.Allocate(new Shape(5, 24));
        device.Clear(x);
        long before = device.Account.LiveBytes;
        Tensor y = x.Retain();
        for (int layer = 0; layer < 4; layer++)
        {
            Tensor next = Linear.Apply(tape, y, weight.Value, default, Activation.Gelu);
            y.Dispose();
            y = next;
        }

        // Of each layer but the last the output, saved by the next one; of each the argument of its activation.
        Assert.That(device.Account.LiveBytes - before, Is.EqualTo(8 * 5 * 24 * sizeof(float)));
        Assert.That(tape.Count, Is.EqualTo(4));
        if (backward)
            tape.Backward(y, x);
        else
            tape.Reset();
        y.Dispose();
        Assert.That(tape.Count, Is.Zero);
        Assert.That(device.Account.LiveBytes, Is.EqualTo(before));
    }

    [Test]
    public void Backward_frees_as_it_goes()
    {
        using Tensor x = Watched(new float[1000]);
        Tensor y = x.Retain();
        for (int layer = 0; layer < 10; layer++)
        {
            Tensor next = Silu.Apply(tape, y);
            y.Dispose();
            y = next;
        }

        long live = device.Account.LiveBytes;
        device.Account.ResetPeaks();
        using Tensor upstream = device.From(new Shape(1000), new float[1000]);
        tape.Backward(y, upstream);
        y.Dispose();

        // The upstream gradient and two of one layer: not one for each layer.
        Assert.That(device.Account.PeakBytes - live, Is.LessThanOrEqualTo(3 * 4000));
    }

    [Test]
    public void A_branch_that_leads_nowhere_is_forgotten_without_a_gradient()
    {
        using Tensor x = Watched(1, 2);
        using Tensor unused = Silu.Apply(tape, x);
        using Tensor y = Addition.Apply(tape, x, x);
        using Tensor upstream = From(1, 1);
        tape.Backward(y, upstream);
        Assert.That(Gradient(x), Is.EqualTo((float[])[2, 2]));
        Assert.That(tape.Count, Is.Zero);
    }

    [Test]
    public void A_scalar_is_run_backwards_from_one()
    {
        using Tensor x = Watched(3, 5);
        using Tensor zero = From(0, 0);
        using Tensor loss = FlowMatching.Loss(tape, x, zero);
        tape.Backward(loss);
        Assert.That(Gradient(x), Is.EqualTo((float[])[3, 5]));
        Assert.That(() => tape.Backward(x), Throws.ArgumentException.With.Message.EqualTo("only one number can be minimised, not [2] (Parameter 'loss')"));
        Assert.That(() => tape.Backward(x, loss), Throws.ArgumentException.With.Message.Contains("the gradient has shape [1], the result [2]"));
    }

    [Test]
    public void Passes_and_parts_are_accounted_where_they_were_recorded()
    {
        using Tensor x = Watched(1, 2);
        device.Account.Part = "encoder";
        using Tensor y = Silu.Apply(tape, x);
        device.Account.Part = "decoder";
        using Tensor z = Silu.Apply(tape, y);
        device.Account.Part = "";
        using Tensor upstream = From(1, 1);
        tape.Backward(z, upstream);
        Assert.That((device.Account.Pass, device.Account.Part), Is.EqualTo((ComputePass.Forward, "")));
        foreach (string part in (string[])["encoder", "decoder"])
        {
            foreach (ComputePass pass in (ComputePass[])[ComputePass.Forward, ComputePass.Backward])
                Assert.That(device.Account.Entries[new AccountKey(pass, part, "silu")].Total.Dispatches, Is.EqualTo(1), $"{pass} {part}");
        }
    }

    private Tensor From(params float[] values) => device.From(new Shape(values.Length), values);

    private Tensor Watched(params float[] values)
    {
        Tensor tensor = From(values);
        Tape.Watch(tensor);
        return tensor;
    }

    private static float[] Gradient(Tensor tensor) => Tape.GradientOf(tensor).ToArray();
}
