using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using AttentionOperation = Sprint.Engine.Operations.Attention;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Tensors of the wrong element type: each operation names the one that is wrong, and counts bytes as they are stored.</summary>
[TestFixture]
public sealed class ElementTypeTests
{
    private readonly DryRunDevice device = new();

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [Test]
    public void The_tensor_that_differs_is_named()
    {
        Tensor x = Narrow(2, 5, 24), wide = Wide(2, 5, 24);
        Complains(() => Linear.Apply(null, x, Wide(8, 24)), "linear: the weight must hold BFloat16 on dryrun, as the input does, not Float32[8, 24] on dryrun");
        Complains(() => Linear.Apply(null, wide, Wide(8, 24), Narrow(8)), "linear: the bias must hold Float32 on dryrun, as the input does, not BFloat16[8] on dryrun");
        Complains(() => AdaptiveLayerNorm.Apply(null, x, Wide(2, 48), 0, 1), "adaptive layer norm: the modulation must hold BFloat16 on dryrun, as the input does, not Float32[2, 48] on dryrun");
        Complains(() => GatedResidual.Apply(null, x, wide, Narrow(2, 24), 0), "gated residual: the branch must hold BFloat16 on dryrun, as the input does, not Float32[2, 5, 24] on dryrun");
        Complains(() => GatedLinear.Apply(null, x, x, Narrow(24, 24), default, Wide(2, 24), 0), "gated residual: the modulation must hold BFloat16 on dryrun, as the input does, not Float32[2, 24] on dryrun");
        Complains(() => Addition.Apply(null, x, wide), "addition: the second tensor must hold BFloat16 on dryrun, as the first does, not Float32[2, 5, 24] on dryrun");
        Complains(() => FlowMatching.Loss(null, x, wide), "flow matching: the target must hold BFloat16 on dryrun, as the prediction does, not Float32[2, 5, 24] on dryrun");
        Complains(() => CosineLoss.Apply(null, x, wide, default), "cosine loss: the target must hold BFloat16 on dryrun, as the prediction does, not Float32[2, 5, 24] on dryrun");
        Complains(
            () => ResidualFusion.Apply(null, new FusionInputs(x, x, default, Wide(1, 1, 24), Narrow(24, 48), Narrow(24))),
            "residual fusion: the mask token must hold BFloat16 on dryrun, as the dense path does, not Float32[1, 1, 24] on dryrun");
        Complains(() => TokenDrop.Scatter(null, x, Integers(2, 5), Wide(24)), "token drop: the fill must hold BFloat16 on dryrun, as the input does, not Float32[24] on dryrun");
        Complains(() => TimestepEmbedding.Apply(Narrow(3)), "timestep embedding: the times must hold Float32 on dryrun, not BFloat16[3] on dryrun");
        Complains(() => Silu.Apply(null, Integers(3)), "silu: the input must hold Float32 or BFloat16, not Int32[3] on dryrun");
        Complains(() => Narrowing.Apply(null, x, ElementType.Float32), "narrowing: the input must hold Float32 on dryrun, not BFloat16[2, 5, 24] on dryrun");
    }

    [Test]
    public void What_attention_reads_beside_qkv_is_float32()
    {
        using var rope = new RopeTable(device, 4, 4, 12);
        var arguments = new AttentionArguments(2, Wide(12), Narrow(12), rope.Cosines, rope.Sines, default);
        Complains(() => AttentionOperation.Apply(null, Narrow(2, 5, 72), arguments), "attention: the norm weight of k must hold Float32 on dryrun, not BFloat16[12] on dryrun");
    }

    [Test]
    public void A_device_without_bfloat16_says_so()
    {
        using var cpu = new CpuDevice(threads: 1);
        using Tensor x = cpu.Allocate(new Shape(3), ElementType.BFloat16);
        Complains(() => Silu.Apply(null, x), "silu: the input must hold Float32, not BFloat16[3] on cpu");
        Assert.That((cpu.Computes(ElementType.BFloat16), device.Computes(ElementType.BFloat16)), Is.EqualTo((false, true)));
    }

    [Test]
    public void Float32_sums_of_bfloat16_operands_are_to_be_had_without_an_activation_alone()
    {
        Assert.That(Linear.Apply(null, Narrow(2, 24), Narrow(8, 24), outputType: ElementType.Float32).ElementType, Is.EqualTo(ElementType.Float32));
        Complains(
            () => Linear.Apply(null, Narrow(2, 24), Narrow(8, 24), default, Activation.Gelu, ElementType.Float32),
            "linear: an output of Float32 cannot be had of BFloat16 operands under an activation");
        Complains(
            () => Linear.Apply(null, Wide(2, 24), Wide(8, 24), outputType: ElementType.BFloat16), "linear: an output of BFloat16 cannot be had of Float32 operands");
    }

    [Test]
    public void An_operation_that_cannot_give_the_gradient_that_is_kept_says_so()
    {
        Tensor x = Wide(2, 5, 24);
        Tape.Watch(x);
        using var tape = new Tape();
        using Tensor narrow = Narrowing.Apply(tape, x, ElementType.BFloat16);
        using Tensor y = Silu.Apply(tape, narrow);
        Assert.That(
            () => tape.Backward(y, Narrow(2, 5, 24)),
            Throws.InvalidOperationException.With.Message.StartsWith("the gradient of a tensor of BFloat16[2, 5, 24] is kept in Float32, but an operation that reads it gives BFloat16"));
    }

    // x, W and y once each, b with them; two bytes an element but for float32 gradients.
    [Test]
    public void Costs_count_the_bytes_that_are_stored()
    {
        using var own = new DryRunDevice();
        Tensor x = own.Allocate(new Shape(10, 24), ElementType.BFloat16), w = own.Allocate(new Shape(8, 24), ElementType.BFloat16), qkv = own.Allocate(new Shape(1, 5, 72), ElementType.BFloat16);
        Linear.Apply(null, x, w);
        Assert.That(Bytes("linear"), Is.EqualTo((2L * ((10 * 24) + (8 * 24)), 2L * 10 * 8)));
        using var rope = new RopeTable(own, 4, 4, 12);
        AttentionOperation.Apply(null, qkv, new AttentionArguments(2, default, default, rope.Cosines, rope.Sines, default));
        Assert.That(Bytes("attention"), Is.EqualTo((2L * 5 * 72, (2L * 5 * 24) + (4 * 2 * 5))));
        using Tensor wide = own.Allocate(new Shape(10, 24));
        Narrowing.Apply(null, wide, ElementType.BFloat16);
        Assert.That(Bytes("narrowing"), Is.EqualTo((4L * 240, 2L * 240)));

        (long Read, long Written) Bytes(string operation)
        {
            AccountTotal total = own.Account.Total(key => key.Operation == operation);
            return (total.BytesRead, total.BytesWritten);
        }
    }

    private static void Complains(Action action, string message) => Assert.That(() => action(), Throws.ArgumentException.With.Message.EqualTo(message));

    private Tensor Narrow(params ReadOnlySpan<int> lengths) => device.Allocate(new Shape(lengths), ElementType.BFloat16);

    private Tensor Wide(params ReadOnlySpan<int> lengths) => device.Allocate(new Shape(lengths));

    private Tensor Integers(params ReadOnlySpan<int> lengths) => device.Allocate(new Shape(lengths), ElementType.Int32);
}
