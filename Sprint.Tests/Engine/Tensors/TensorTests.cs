using NUnit.Framework;
using Sprint.Engine;

namespace Sprint.Tests.Engine.Tensors;

/// <summary>Handles: counted, and refused when they are used too late.</summary>
[TestFixture]
public sealed class TensorTests
{
    private CpuDevice device = null!;

    [SetUp]
    public void Create() => device = new CpuDevice(threads: 1) { PoisonsMemory = true };

    [TearDown]
    public void Free()
    {
        Assert.That(device.Account.LiveBytes, Is.Zero);
        device.Dispose();
    }

    [Test]
    public void A_tensor_is_refused_after_its_disposal()
    {
        Tensor tensor = device.Allocate(new Shape(2, 3));
        tensor.Dispose();
        Assert.That(() => tensor.Address, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tensor.Shape, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tensor.ToArray(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tensor.Retain(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(tensor.ToString(), Is.EqualTo("no tensor"));
    }

    [Test]
    public void A_second_disposal_is_refused()
    {
        Tensor tensor = device.Allocate(new Shape(2, 3));
        tensor.Dispose();
        Assert.That(tensor.Dispose, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void An_old_handle_does_not_reach_the_tensor_that_took_its_place()
    {
        Tensor old = device.From(new Shape(4), (float[])[1, 2, 3, 4]);
        nint address = old.Address;
        old.Dispose();
        using Tensor young = device.From(new Shape(4), (float[])[5, 6, 7, 8]);
        Assert.That(young.Address, Is.EqualTo(address), "the pool gives the block out again");
        Assert.That(() => old.ToArray(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(old.Dispose, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(old == young, Is.False);
        Assert.That(young.ToArray(), Is.EqualTo((float[])[5, 6, 7, 8]));
    }

    [Test]
    public void A_retained_tensor_lives_until_its_last_handle()
    {
        Tensor first = device.From(new Shape(2), (float[])[1, 2]);
        Tensor second = first.Retain();
        first.Dispose();
        Assert.That(second.ToArray(), Is.EqualTo((float[])[1, 2]));
        second.Dispose();
        Assert.That(() => second.ToArray(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void The_values_go_while_a_slot_keeps_the_gradient()
    {
        Tensor tensor = device.Allocate(new Shape(2));
        GradientSlot slot = Tape.Slot(tensor);
        tensor.Dispose();
        Assert.That(device.Account.LiveBytes, Is.Zero);
        Assert.That(() => tensor.Address, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(tensor.Dispose, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(tensor.Shape, Is.EqualTo(new Shape(2)));
        slot.Buffer(out bool accumulate).CopyFrom<float>([1, 2]);
        Assert.That(accumulate, Is.False);
        Assert.That(device.Account.LiveBytes, Is.EqualTo(8));
        Tape.Release(slot);
    }

    [Test]
    public void Nothing_is_no_tensor()
    {
        Tensor nothing = default;
        Assert.That(nothing.IsEmpty);
        nothing.Dispose();
        Assert.That(() => nothing.Shape, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Elements_of_another_number_or_type_are_refused()
    {
        using Tensor floats = device.Allocate(new Shape(2, 3));
        using Tensor integers = device.Allocate(new Shape(2), ElementType.Int32);
        using Tensor halves = device.Allocate(new Shape(2), ElementType.BFloat16);
        Assert.That(
            () => floats.CopyFrom<float>([1, 2]), Throws.ArgumentException.With.Message.EqualTo("2 elements of Single do not fit Float32[2, 3] on cpu"));
        Assert.That(() => floats.CopyFrom<int>([1, 2, 3, 4, 5, 6]), Throws.ArgumentException);
        Assert.That(() => integers.ToArray(), Throws.ArgumentException);
        Assert.That(() => integers.CopyTo(new float[2]), Throws.ArgumentException);
        Assert.That(() => halves.CopyFrom<float>([1, 2]), Throws.ArgumentException);
        Assert.That(() => halves.CopyFrom<ushort>([1, 2]), Throws.Nothing);
    }

    [Test]
    public void Shapes_have_one_to_five_dimensions_that_are_not_negative()
    {
        Assert.That(() => new Shape([]), Throws.ArgumentException);
        Assert.That(() => new Shape(1, 1, 1, 1, 1, 1), Throws.ArgumentException.With.Message.Contains("not 6"));
        Assert.That(() => new Shape(2, -1), Throws.ArgumentException.With.Message.Contains("-1"));
        Assert.That(() => new Shape(2, 3)[2], Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => device.Allocate(default), Throws.ArgumentException);
        Assert.That(new Shape(2, 3), Is.Not.EqualTo(new Shape(2, 3, 1)));
        Assert.That(new Shape(2, 3, 4).WithRowLength(5), Is.EqualTo(new Shape(2, 3, 5)));
        Assert.That((new Shape(2, 3, 4).Rows, new Shape(2, 0).Rows, new Shape(50000, 50000).Count), Is.EqualTo((6L, 0L, 2500000000L)));
        Assert.That(new Shape(2, 3, 4).ToString(), Is.EqualTo("[2, 3, 4]"));
    }
}
