using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine.Devices;

/// <summary>Work that a device captures and replays.</summary>
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class CudaReplayTests(string deviceName)
{
    [Test]
    public void Work_is_captured_at_its_third_run_and_reads_its_tensors_anew_at_each()
    {
        using CudaDevice device = (CudaDevice)TestDevice.Open(deviceName);
        using Tensor input = device.From(new Shape(100), new float[100]), result = device.Allocate(new Shape(100));
        int dispatched = 0;
        using ReplayedWork work = device.Replay(
            () =>
            {
                dispatched++;
                using Tensor sum = Addition.Apply(null, input, input);
                sum.CopyTo(result);
            },
            () => { });
        for (int run = 1; run <= 5; run++)
        {
            input.CopyFrom<float>([.. Enumerable.Repeat((float)run, 100)]);
            work.Run();
            Assert.That(result.ToArray(), Is.All.EqualTo(2f * run));
            Assert.That(work.Captures, Is.EqualTo(run < 3 ? 0 : 1));
        }

        Assert.That(dispatched, Is.EqualTo(3));
        Assert.That(device.Account.Total().Dispatches, Is.EqualTo(5));
    }

    [Test]
    public void Work_that_cannot_be_captured_runs_piece_by_piece_and_is_counted_once()
    {
        using CudaDevice device = (CudaDevice)TestDevice.Open(deviceName);
        using Tensor input = device.From(new Shape(100), new float[100]), result = device.Allocate(new Shape(100));
        int undone = 0, run = 0;
        using ReplayedWork work = device.Replay(
            () =>
            {
                using Tensor sum = Addition.Apply(null, input, input);
                input.CopyFrom<float>([.. Enumerable.Repeat((float)++run, 100)]);
                sum.CopyTo(result);
            },
            () => undone++);
        for (int i = 0; i < 5; i++)
            work.Run();
        Assert.That(work.Problem, Does.Contain("while work is captured nothing can be copied to the device"));
        Assert.That((work.Captures, undone), Is.EqualTo((0, 1)));
        Assert.That(result.ToArray(), Is.All.EqualTo(10f));
        Assert.That(device.Account.Total().Dispatches, Is.EqualTo(5));
    }

    /// <summary>The guard behind a block that a capture took is recorded with the rest, and was never in memory where the capture is broken off.</summary>
    [Test]
    public void Blocks_of_a_capture_that_was_broken_off_are_not_taken_for_overwritten()
    {
        CudaContext context = deviceName == TestDevice.Cuda ? CudaRequirements.RequireGpu() : CudaContext.Emulated();
        using CudaDevice device = new(context) { GuardsMemory = true };
        const int Count = 100;
        Tensor held = default;
        nint address = 0;
        using ReplayedWork work = device.Replay(
            () =>
            {
                held = device.Allocate(new Shape(Count));
                address = held.Address;
                device.Synchronize();
                held.Dispose();
            },
            () => held.Dispose());
        for (int run = 0; run < 3; run++)
        {
            if (run > 0)
                WriteBehind(address);
            work.Run();
        }

        Assert.That(work.Problem, Is.Not.Null, "the third run cannot be captured");
        Assert.That(device.Account.LiveBytes, Is.Zero);

        // What a block of another size leaves that had the memory before.
        void WriteBehind(nint block)
        {
            using CudaContext.Scope scope = context.Enter();
            context.Driver.Fill(new DevicePointer((ulong)(block + (Count * sizeof(float)))), 0, 1, 64, device.Stream.Handle);
        }
    }

    [Test]
    public void A_mistake_in_the_work_itself_is_not_hidden()
    {
        using CudaDevice device = (CudaDevice)TestDevice.Open(deviceName);
        int run = 0;
        using ReplayedWork work = device.Replay(() => _ = ++run == 3 ? throw new ArgumentException("a mistake") : run, () => { });
        work.Run();
        work.Run();
        Assert.That(work.Run, Throws.ArgumentException.With.Message.EqualTo("a mistake"));
        device.Synchronize();
    }
}

/// <summary>Memory that replayed work keeps for itself.</summary>
[TestFixture]
public sealed class CudaReplayMemoryTests
{
    [Test]
    public void Whoever_runs_out_of_memory_gets_what_replayed_work_keeps_and_the_work_is_captured_anew()
    {
        // Three quarters of the memory each: the two cannot be had at once.
        using CudaDevice device = new(CudaContext.Emulated(memoryBytes: 1 << 20));
        Shape large = new(3 << 16);
        using Tensor result = device.From(new Shape(1), [0f]), one = device.From(new Shape(1), [1f]);
        using ReplayedWork work = device.Replay(
            () =>
            {
                using Tensor own = device.Allocate(large);
                one.CopyTo(result);
            },
            () => { });
        for (int i = 0; i < 4; i++)
            work.Run();
        Assert.That(work.Captures, Is.EqualTo(1));
        device.Allocate(large).Dispose();
        for (int i = 0; i < 4; i++)
            work.Run();
        Assert.That((work.Captures, work.Problem), Is.EqualTo((2, (string?)null)));
        Assert.That(result.ToArray(), Is.EqualTo(new[] { 1f }));
    }
}
