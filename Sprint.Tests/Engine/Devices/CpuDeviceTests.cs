using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Devices;

/// <summary>The pool of memory, the account of it, and the table of kernels.</summary>
[TestFixture]
public sealed class CpuDeviceTests
{
    [Test]
    public void Freed_memory_is_given_out_again()
    {
        using var device = new CpuDevice(threads: 1);
        device.Allocate(new Shape(1000)).Dispose();
        long allocations = device.SystemAllocations;
        for (int i = 0; i < 5; i++)
            device.Allocate(new Shape(1000 - i)).Dispose();
        Assert.That(device.SystemAllocations, Is.EqualTo(allocations));
        using Tensor one = device.Allocate(new Shape(1000));
        using Tensor two = device.Allocate(new Shape(1000));
        Assert.That(device.SystemAllocations, Is.EqualTo(allocations + 1));
        Assert.That(one.Address, Is.Not.EqualTo(two.Address));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(129)]
    [TestCase(5000)]
    [TestCase(100003)]
    public void Blocks_are_aligned_and_large_enough(int count)
    {
        using var device = new CpuDevice(threads: 1);
        using Tensor left = device.Allocate(new Shape(count));
        using Tensor right = device.Allocate(new Shape(count));
        Assert.That((long)left.Address % 64, Is.Zero);
        left.CopyFrom<float>(Enumerable.Repeat(1f, count).ToArray());
        right.CopyFrom<float>(Enumerable.Repeat(2f, count).ToArray());
        Assert.That(left.ToArray(), Has.Length.EqualTo(count).And.All.EqualTo(1f));
    }

    [Test]
    public void Trimmed_memory_is_asked_for_anew()
    {
        using var device = new CpuDevice(threads: 1);
        Tensor kept = device.From(new Shape(3), (float[])[1, 2, 3]);
        device.Allocate(new Shape(1000)).Dispose();
        long allocations = device.SystemAllocations;
        device.Trim();
        Assert.That(kept.ToArray(), Is.EqualTo((float[])[1, 2, 3]));
        kept.Dispose();
        using Tensor again = device.Allocate(new Shape(1000));
        using Tensor small = device.Allocate(new Shape(3));
        Assert.That(device.SystemAllocations, Is.EqualTo(allocations + 1));
    }

    [Test]
    public void A_disposed_device_has_freed_every_tensor_and_refuses_to_read_one()
    {
        var device = new CpuDevice(threads: 1);
        Tensor tensor = device.From(new Shape(3), (float[])[1, 2, 3]);
        Tensor workspace = device.Workspace(new Shape(3));
        GradientSlot slot = Tape.Slot(tensor);
        slot.Buffer(out _);
        device.Dispose();
        Assert.That(device.Account.LiveBytes, Is.Zero);
        Assert.That(device.Account.LiveBytesOf(MemoryCategory.Workspace), Is.Zero);
        Assert.That(() => tensor.Address, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(tensor.ToArray, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tensor.CopyFrom<float>([4, 5, 6]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Allocate(new Shape(3)), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Tape.Release(slot), Throws.Nothing);
        Assert.That(tensor.Dispose, Throws.Nothing);
        Assert.That(workspace.Dispose, Throws.Nothing);
        Assert.That(device.Dispose, Throws.Nothing);
    }

    [Test]
    public unsafe void Tensors_of_more_than_2_GiB_are_copied_in_one_call()
    {
        const int Count = (1 << 29) + 3;
        using var device = new CpuDevice(threads: 1);

        // Memory of zeros that nobody has touched takes no room, so that only the copy does.
        float* host = (float*)NativeMemory.AllocZeroed(Count, sizeof(float));
        try
        {
            float[] last = [1, 2, 3];
            last.CopyTo(new Span<float>(host + Count - 3, 3));
            Tensor tensor = device.Allocate(new Shape(Count));
            tensor.CopyFrom<float>(new ReadOnlySpan<float>(host, Count));
            new Span<float>(host + Count - 3, 3).Clear();
            tensor.CopyTo(new Span<float>(host, Count));
            tensor.Dispose();
            Assert.That(new ReadOnlySpan<float>(host + Count - 4, 4).ToArray(), Is.EqualTo((float[])[0, 1, 2, 3]));
        }
        finally
        {
            NativeMemory.Free(host);
        }
    }

    [Test]
    public void Elements_that_do_not_fit_leave_no_tensor_behind()
    {
        using var device = new CpuDevice(threads: 1);
        Assert.That(() => device.From(new Shape(3), (float[])[1, 2]), Throws.ArgumentException);
        Assert.That(() => device.From(new Shape(3), (int[])[1, 2]), Throws.ArgumentException);
        Assert.That(device.Account.LiveBytes, Is.Zero);
    }

    [Test]
    public void What_ran_between_two_readings_is_their_difference_also_beyond_64_bits()
    {
        using var device = new DryRunDevice();
        Account account = device.Account;
        device.Dispatch(new OperationCost("large", long.MaxValue - 5, 0, 0, 0));
        AccountTotal before = account.TotalOf(ComputePass.Forward);
        using (account.Enter(ComputePass.Backward, "encoder"))
            device.Dispatch(new OperationCost("other", 7, 0, 0, 0));
        device.Dispatch(new OperationCost("large", 100, 20, 3, 4));
        Assert.That(account.TotalOf(ComputePass.Forward) - before, Is.EqualTo(new AccountTotal(1, 100, 20, 3, 4)));
        Assert.That((account.TotalOf(ComputePass.Forward) - before).Flops, Is.EqualTo(120));
        Assert.That(account.TotalOf(ComputePass.Backward), Is.EqualTo(account.Total(key => key.Pass == ComputePass.Backward)));
        account.ResetOperations();
        Assert.That(account.TotalOf(ComputePass.Forward), Is.EqualTo(default(AccountTotal)));
    }

    [Test]
    public void Poisoned_memory_holds_no_numbers()
    {
        using var device = new CpuDevice(threads: 1) { PoisonsMemory = true };
        device.From(new Shape(3), (float[])[1, 2, 3]).Dispose();
        using Tensor tensor = device.Allocate(new Shape(3));
        Assert.That(tensor.ToArray(), Is.All.NaN);
    }

    [Test]
    public void Memory_is_accounted_by_category_with_its_peaks()
    {
        using var device = new CpuDevice(threads: 1);
        Account account = device.Account;
        Tensor activation = device.Allocate(new Shape(100));
        Tensor parameter = device.Allocate(new Shape(10), category: MemoryCategory.Parameter);
        Tensor workspace = device.Workspace(new Shape(1000));
        activation.Dispose();
        Assert.That(account.LiveBytes, Is.EqualTo(40));
        Assert.That(account.PeakBytes, Is.EqualTo(440));
        Assert.That(account.LiveBytesOf(MemoryCategory.Activation), Is.Zero);
        Assert.That(account.PeakBytesOf(MemoryCategory.Activation), Is.EqualTo(400));
        Assert.That(account.PeakBytesOf(MemoryCategory.Parameter), Is.EqualTo(40));
        Assert.That(account.LiveBytesOf(MemoryCategory.Workspace), Is.EqualTo(4000));
        account.ResetPeaks();
        Assert.That((account.PeakBytes, account.PeakBytesOf(MemoryCategory.Activation)), Is.EqualTo((40L, 0L)));
        workspace.Dispose();
        parameter.Dispose();
        Assert.That((account.LiveBytes, account.LiveBytesOf(MemoryCategory.Workspace)), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public void Operations_are_counted_by_pass_part_and_name()
    {
        using var device = new CpuDevice(threads: 1);
        Account account = device.Account;
        account.Part = "encoder";
        device.Dispatch(new OperationCost("linear", 10, 2, 4, 8));
        device.Dispatch(new OperationCost("linear", 10, 2, 4, 8));
        account.Pass = ComputePass.Backward;
        device.Dispatch(new OperationCost("linear", 30, 0, 1, 1));
        Assert.That(account.Entries[new AccountKey(ComputePass.Forward, "encoder", "linear")].Total, Is.EqualTo(new AccountTotal(2, 20, 4, 8, 16)));
        Assert.That(account.Total(key => key.Pass == ComputePass.Backward).Flops, Is.EqualTo(30));
        Assert.That(account.Total(), Is.EqualTo(new AccountTotal(3, 50, 4, 9, 17)));
        account.ResetOperations();
        Assert.That(account.Total(), Is.EqualTo(default(AccountTotal)));
    }

    [Test]
    public void Kernels_can_be_replaced_for_one_operation()
    {
        using var device = new CpuDevice(threads: 1);
        var own = new NegatingSum();
        device.Register<IAdditionKernels>(own);
        Assert.That(device.Kernels<IAdditionKernels>(), Is.SameAs(own));
        using Tensor one = device.From(new Shape(2), (float[])[1, 2]);
        using Tensor sum = Addition.Apply(null, one, one);
        Assert.That(sum.ToArray(), Is.EqualTo((float[])[-2, -4]));
    }

    [Test]
    public void A_device_without_kernels_says_which()
    {
        using var device = new DryRunDevice();
        Assert.That(
            () => device.Kernels<IAdditionKernels>(),
            Throws.TypeOf<SprintException>().With.Message.EqualTo("device dryrun has no implementation of IAdditionKernels"));
    }

    [Test]
    public void Memory_that_is_not_there_is_asked_for_in_one_clear_sentence()
    {
        using var device = new CpuDevice(threads: 1);
        Assert.That(
            () => device.Allocate(new Shape(int.MaxValue, int.MaxValue / 16)),
            Throws.TypeOf<SprintException>().With.Message.Contains("no memory for another").And.Message.Contains("lower the batch"));
        Assert.That(device.Account.LiveBytes, Is.Zero);
    }

    private sealed class NegatingSum : IAdditionKernels
    {
        public void Add(Tensor left, Tensor right, Tensor output) =>
            output.CopyFrom<float>(left.ToArray().Zip(right.ToArray(), (a, b) => -(a + b)).ToArray());
    }
}
